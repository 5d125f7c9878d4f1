import t from 'tap'
import {
  callInSchema,
  findCallSites,
  findCalls,
  inPlaceOfCall,
  replaceSites,
} from '../../server/sql/call-sites.ts'
import { loadParser } from '../../server/sql/postgres-parser.ts'
import type { RawNode } from '../../server/sql/raw-node.ts'
import {
  namesOfCtes,
  relationsInFrom,
  replaceRelations,
} from '../../server/sql/replace-relations.ts'
import { replaceSettings } from '../../server/sql/replace-settings.ts'
import { readSessionReads } from '../../server/sql/session-reads.ts'
import { parseStatements } from '../../server/sql/statement.ts'
import { columnOfEntry, endOfTargetList } from '../../server/sql/target-list-functions.ts'

t.before(loadParser)

function parse(text: string): RawNode {
  const [statement] = parseStatements(text)
  if (statement === undefined) throw new Error('no statement')
  return statement.node
}

t.test('current_setting() of a known name is replaced, whatever stands around it', async (t) => {
  const find = (name: string) => (name.toLowerCase() === 'a.b' ? "it's" : undefined)
  const replace = (text: string) => replaceSettings(text, parse(text), find)
  const value = `(SELECT CAST('it''s' AS pg_catalog.text) AS "current_setting")`
  t.equal(replace(`select current_setting('A.B')`), `select ${value}`)
  t.equal(
    replace(`select 'é', pg_catalog . current_setting ( 'a.b' , true )||'x' from t`),
    `select 'é', ${value}||'x' from t`,
  )
  t.equal(
    replace(`select 1 where lower(current_setting('a.b')) = current_setting('a.b')`),
    `select 1 where lower(${value}) = ${value}`,
  )
  for (const text of [
    `select current_setting('other')`,
    `select current_setting(name) from pg_settings`,
    `select mine.current_setting('a.b')`,
    `select * from current_setting('a.b')`,
    `select current_setting($1)`,
  ]) {
    t.equal(replace(text), text)
  }
})

t.test('relations give way to queries', async (t) => {
  const replace = (text: string) => {
    const replacements = relationsInFrom(parse(text))
      .filter(({ name }) => name.endsWith('"v"'))
      .map((relation) => ({ relation, query: 'select 1 as a' }))
    return replaceRelations(text, replacements)
  }
  const table: readonly (readonly [string, string])[] = [
    ['select * from v', 'select * from (select 1 as a) AS "v"'],
    ['select * from s . "v" where 1=1', 'select * from (select 1 as a) AS "v" where 1=1'],
    ['select x.a from v as x, v y', 'select x.a from (select 1 as a) as x, (select 1 as a) y'],
    ['select * from v x(b)', 'select * from (select 1 as a) x(b)'],
    ['table v', 'SELECT * FROM (select 1 as a) AS "v"'],
    [
      'select 1 where exists (table "v") union select a from w join s.v using (a)',
      'select 1 where exists (SELECT * FROM (select 1 as a) AS "v") union select a from w join (select 1 as a) AS "v" using (a)',
    ],
    ['select * from only v', 'select * from only v'],
    ['select * from w', 'select * from w'],
  ]
  for (const [text, expected] of table) t.equal(replace(text), expected, text)
  t.strictSame(
    [...namesOfCtes(parse('with a as (with b as (select 1) select 2) select * from a, "C"'))],
    ['a', 'b'],
  )
})

t.test('which column an entry of a select list is', async (t) => {
  const node = (text: string) => parse(text)
  t.equal(columnOfEntry(node('select a, f(), b from t'), 1, 3), 1)
  t.equal(columnOfEntry(node('select *, f(), b from t'), 1, 7), 5)
  t.equal(columnOfEntry(node('select f(), t.* from t'), 0, 7), 0)
  t.equal(columnOfEntry(node('select *, f(), t.* from t'), 1, 7), undefined)
})

t.test('where a select list ends', async (t) => {
  const list = (text: string) => text.slice(0, endOfTargetList(text, parse(text)))
  t.equal(
    list("select 'é', f(), a is distinct from b  from t where c"),
    "select 'é', f(), a is distinct from b",
  )
  t.equal(list('select f(), extract(year from d) from t'), 'select f(), extract(year from d)')
  t.equal(list('select f(), (select 1 from t)'), 'select f(), (select 1 from t)')
  t.equal(endOfTargetList('select f() where a', parse('select f() where a')), undefined)
  t.equal(endOfTargetList('values (1)', parse('values (1)')), undefined)
})

t.test('calls that are evaluated once at most', async (t) => {
  const names = (text: string) => {
    const { once, others } = findCallSites(text, parse(text), (name) => /^[a-z]$/.test(name))
    return [...once.map(({ name }) => name), ...[...others].map((name) => `+${name}`)].join('')
  }
  const table: readonly (readonly [string, string])[] = [
    ["select 'é', f(g(), h(1 + i())) || j()", 'fghij'],
    ['select coalesce(f(), g()), a() and b(), case when c() then d() end', 'fgabcd'],
    ['select (select h()), array(select i()), 1 in (select j())', 'hij'],
    ['select exists (select h()), pg_catalog.a(), b.c()', 'a+h'],
    ['select f() where g() order by h() limit i()', 'fghi'],
    ['select f() union select g()', 'fg'],
    ['values (a(), b())', 'ab'],
    ['select f() from t', '+f'],
    ['select 1 from t where x = (select f()) limit g()', 'g+f'],
    ['select * from f(g())', 'fg'],
    ['select a() from f()', 'f+a'],
    ['select * from f() with ordinality', '+f'],
    ['select * from f(), g()', '+f+g'],
    ['select * from (select f()) x', 'f'],
    ['with w as (select f()) select * from w, w v', 'f'],
    ['with recursive w as (select f()) select * from w', '+f'],
    ['delete from t where f()', ''],
  ]
  for (const [text, expected] of table) t.equal(names(text), expected, text)
})

t.test('calls wherever they stand, replaced with what they were given', async (t) => {
  const replaced = (text: string) => {
    const sites = findCalls(text, parse(text), (name) => name === 'f')
    return replaceSites(text, sites, (_site, argument) => `<${argument(0)}>`)
  }
  t.equal(replaced("select 'é', f(f(1) + g(f('é'))), 2"), "select 'é', <<1> + g(<'é'>)>, 2")
  t.equal(replaced('select f() from t where f(x) > 0'), 'select <NULL> from t where <x> > 0')
  t.equal(replaced('select * from f(f(1)), g(f(2))'), 'select * from <<1>>, g(<2>)')
  const named = (text: string) => {
    const sites = findCalls(text, parse(text), (name) => name === 'f')
    return replaceSites(text, sites, (site) => inPlaceOfCall(site, '1'))
  }
  t.equal(named('select f(), x from f()'), 'select (SELECT 1 AS "f"), x from COALESCE(1) AS "f"')
  t.equal(named('select * from f() as x'), 'select * from COALESCE(1) as x')
})

t.test('calls of functions of the same names in another schema', async (t) => {
  const cases: readonly (readonly [string, string])[] = [
    ['select f(1), x', 'select o."f"(1), x'],
    [
      "select 'é' || f (f(2)) from pg_catalog . f(3)",
      'select \'é\' || o."f"(o."f"(2)) from o."f"(3)',
    ],
    ['select a.f(1), "F"(f())', 'select a.f(1), "F"(o."f"())'],
    [
      'with w as (select "f"()) select 1 from w join lateral F(1) on f(2)',
      'with w as (select o."f"()) select 1 from w join lateral o."f"(1) on o."f"(2)',
    ],
  ]
  for (const [text, expected] of cases) {
    const sites = findCalls(text, parse(text), (name) => name === 'f')
    t.equal(callInSchema(text, sites, 'o'), expected)
  }
})

t.test('what a tree asks of its session', async (t) => {
  const none = { settings: new Set(), mustExpandViews: false, setConfigCalls: 0 }
  t.strictSame(readSessionReads('({QUERY :commandType 1 :rtable <>})'), none)
  const name = '{CONST :consttype 25 :constvalue 7 [ 28 0 0 0 77 46 120 ]}'
  const asked = `({QUERY :rtable <> :targetList ({FUNCEXPR :funcid 3294 :args (${name} {CONST :consttype 16 :constvalue 1 [ 1 0 0 0 0 0 0 0 ]})})})`
  t.strictSame(readSessionReads(asked), { ...none, settings: new Set(['m.x']) })
  const now = '{FUNCEXPR :funcid 1299 :args <>}'
  const set = '{FUNCEXPR :funcid 2078 :args <>}'
  t.equal(readSessionReads(`({QUERY :a ${set} :b (${set})})`).setConfigCalls, 2)
  const user = '{RANGETBLENTRY :rtekind 0 :relid 16400 :relkind v}'
  const system = '{RANGETBLENTRY :rtekind 0 :relid 12100 :relkind v}'
  const view = (entry: string, expr: string) =>
    `({QUERY :rtable ({RANGETBLENTRY :rtekind 1 :subquery {QUERY :rtable (${entry}) :targetList (${expr})}})})`
  t.equal(readSessionReads(view(user, now)).mustExpandViews, true)
  t.equal(readSessionReads(view(system, now)).mustExpandViews, false)
  t.equal(readSessionReads(view(user, '{SQLVALUEFUNCTION :op 8}')).mustExpandViews, true)
  t.equal(readSessionReads(view(user, '{SQLVALUEFUNCTION :op 9}')).mustExpandViews, false)
  const nextval = '{FUNCEXPR :funcid 1574 :args <>}'
  t.equal(readSessionReads(view(user, nextval)).mustExpandViews, true)
  t.equal(readSessionReads(view(system, nextval)).mustExpandViews, false)
  t.equal(readSessionReads(`({QUERY :rtable <> :targetList (${now})})`).mustExpandViews, false)
})
