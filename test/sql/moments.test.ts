import tap from 'tap'
import { loadParser } from '../../server/sql/postgres-parser.ts'
import { replaceMoments } from '../../server/sql/replace-moments.ts'
import { parseStatements } from '../../server/sql/statement.ts'
import { referencedFunctionsInTargetList } from '../../server/sql/target-list-functions.ts'

await loadParser()

const NOW = '2024-01-02 03:04:05.678+00'
const AT = `CAST('${NOW}' AS timestamptz)`

function replaced(text: string): string {
  const [statement] = parseStatements(text)
  if (statement === undefined) throw new Error(`no statement in ${text}`)
  return replaceMoments(statement.text, statement.node, NOW)
}

tap.test('moments become casts of a constant that lend their name to the column', async (t) => {
  const cases: readonly (readonly [string, string])[] = [
    ['select now()', `select (SELECT ${AT} AS "now")`],
    ["select 'é', now ( )::date", `select 'é', (SELECT ${AT} AS "now")::date`],
    ['select pg_catalog.now()+x', `select (SELECT ${AT} AS "now")+x`],
    ['select transaction_timestamp()', `select (SELECT ${AT} AS "transaction_timestamp")`],
    ['select current_timestamp', `select (SELECT ${AT} AS "current_timestamp")`],
    [
      'select current_timestamp(3)',
      `select (SELECT CAST(${AT} AS timestamptz(3)) AS "current_timestamp")`,
    ],
    ['select current_date - 1', `select (SELECT CAST(${AT} AS date) AS "current_date") - 1`],
    ['select current_time(0)', `select (SELECT CAST(${AT} AS timetz(0)) AS "current_time")`],
    ['select localtime', `select (SELECT CAST(${AT} AS time) AS "localtime")`],
    ['select localtimestamp(2)', `select (SELECT CAST(${AT} AS timestamp(2)) AS "localtimestamp")`],
    [
      'select f(now(), current_date)',
      `select f((SELECT ${AT} AS "now"), (SELECT CAST(${AT} AS date) AS "current_date"))`,
    ],
    ['select * from f(now())', `select * from f((SELECT ${AT} AS "now"))`],
    ['execute p(now())', `execute p(${AT})`],
  ]
  for (const [text, expected] of cases) t.equal(replaced(text), expected, text)
})

tap.test('everything else stays as it was written', async (t) => {
  const cases = [
    'select now',
    'select \'now()\', "now" from "current_timestamp"',
    'select a.now(), now(1), clock_timestamp(), statement_timestamp()',
    'select * from now()',
    'select * from rows from (now(), current_date) as x',
    'select 1 -- now()',
  ]
  for (const text of cases) t.equal(replaced(text), text, text)
})

tap.test('function calls that are entries of the select list', async (t) => {
  const text = `select 'é', *, set_config('a', 'b,c', false) as x, nextval('s')::int4,
    cast(nextval('t') as numeric(10, 2)), pg_catalog.pg_sleep(1)::timestamp with time zone, "F"(), f(1)::a.b[]`
  const found = referencedFunctionsInTargetList(
    text,
    parseStatements(text)[0]?.node ?? { A_Star: {} },
    () => true,
  )
  t.same(
    found.map((f) => [f.position, f.name.join('.'), f.argumentTexts, f.columnName, f.castTo]),
    [
      [2, 'set_config', ["'a'", "'b,c'", 'false'], 'x', undefined],
      [3, 'nextval', ["'s'"], 'nextval', 'int4'],
      [4, 'nextval', ["'t'"], 'nextval', 'numeric(10, 2)'],
      [5, 'pg_catalog.pg_sleep', ['1'], 'pg_sleep', 'timestamp with time zone'],
      [6, 'F', [], 'F', undefined],
      [7, 'f', ['1'], 'f', 'a.b[]'],
    ],
  )
  t.same(found.map((f) => text.slice(f.start, f.end)).slice(0, 3), [
    "set_config('a', 'b,c', false)",
    "nextval('s')",
    "nextval('t')",
  ])
})

tap.test('calls that nobody wants cost nothing: the text is not looked at', (t) => {
  const [statement] = parseStatements("select nextval('s'), f(1)")
  const notTheText = "'unterminated"
  const find = (wanted: string) =>
    statement && referencedFunctionsInTargetList(notTheText, statement.node, ([n]) => n === wanted)
  t.same(find('g'), [])
  t.throws(() => find('f'))
  t.end()
})

tap.test('what is not a plain call in the select list', async (t) => {
  const texts = [
    "select nextval('s') + 1",
    'select count(*), sum(distinct a), f() over (), g(a order by b), h(a) filter (where b)',
    "select extract(year from a), a at time zone 'UTC', coalesce(a, b), x",
    "select * from nextval('s')",
    "insert into t select nextval('s')",
    "select (select nextval('s'))",
  ]
  for (const text of texts) {
    const [statement] = parseStatements(text)
    t.same(statement && referencedFunctionsInTargetList(text, statement.node, () => true), [], text)
  }
})
