import t from 'tap'
import { inlineText } from '../../server/sql/inline-text.ts'
import { loadParser } from '../../server/sql/postgres-parser.ts'

await loadParser()

function definition(args: string, rest: string, result = 'integer'): string {
  return `CREATE OR REPLACE FUNCTION public.f(${args})\n RETURNS ${result}\n LANGUAGE sql\n${rest}\n`
}

function text(args: string, body: string, result?: string): string | undefined {
  return inlineText(definition(args, `AS $function$${body}$function$`, result), 'f')?.text
}

t.test('arguments become parameters, by name and by number', (t) => {
  t.equal(text('x integer, y integer', 'select x + y'), 'select $1 + $2')
  t.equal(text('x integer, integer', 'select f.x+$2 as n -- é x;'), 'select $1+$2 as n -- é x;')
  t.equal(text('"Odd" text', `select 'é' || "Odd" || f."Odd"`, 'text'), `select 'é' || $1 || $1`)
  t.equal(
    text('x integer', 'select case x when 1 then x else abs(x) end;'),
    'select case $1 when 1 then $1 else abs($1) end',
  )
  t.equal(text('', 'select 1'), 'select 1')
  t.end()
})

t.test('bodies of SQL’s own form', (t) => {
  t.equal(inlineText(definition('a integer', 'RETURN (a + 1)'), 'f')?.text, 'SELECT  ($1 + 1)')
  t.equal(
    inlineText(definition('a integer', 'BEGIN ATOMIC\n SELECT (a + 1);\nEND'), 'f')?.text,
    'SELECT ($1 + 1)',
  )
  t.equal(
    inlineText(definition('a integer', 'BEGIN ATOMIC\n SELECT 1;\n SELECT a;\nEND'), 'f'),
    undefined,
  )
  t.match(inlineText(definition('a integer', ' STRICT\nRETURN a'), 'f'), { isStrict: true })
  t.match(inlineText(definition('a integer', 'RETURN a'), 'f'), { isStrict: false })
  t.end()
})

t.test('what is no single expression stays', (t) => {
  for (const [args, body, result] of [
    ['x integer', 'select 1; select 2'],
    ['x integer', 'select 1, 2'],
    ['x integer', 'select x where x > 1'],
    ['x integer', 'select x limit 1'],
    ['x integer', 'select distinct x'],
    ['x integer', 'select g from generate_series(1, x) g'],
    ['x integer', 'values (x)'],
    ['x integer', 'select 1 union select 2'],
    ['x integer', 'with a as (select 1) select x'],
    ['x integer', 'select *'],
    ['x integer', 'select g.x'],
    ['x integer', 'select x.y'],
    ['x integer', 'select other'],
    ['x integer, OUT y integer', 'select x'],
    ['VARIADIC x integer[]', 'select 1'],
    ['x integer', 'select x', 'SETOF integer'],
    ['x integer', ''],
    ['x integer', 'selec x'],
  ] as const) {
    t.equal(text(args, body, result), undefined, `${args}: ${body}`)
  }
  t.end()
})
