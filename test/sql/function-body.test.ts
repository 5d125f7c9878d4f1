import t from 'tap'
import { findObstacle, functionsCalledBy, isVolatileCall } from '../../server/sql/function-body.ts'
import { loadParser } from '../../server/sql/postgres-parser.ts'

await loadParser()

function withBody(body: string, args = ''): string {
  return `CREATE OR REPLACE FUNCTION public.f(${args})\n RETURNS integer\n LANGUAGE sql\nAS $function$${body}$function$\n`
}

function withParsedBody(body: string, args = ''): string {
  return `CREATE OR REPLACE FUNCTION public.f(${args})\n RETURNS integer\n LANGUAGE sql\n${body}\n`
}

t.test('bodies that compute are in nobody’s way', (t) => {
  for (const definition of [
    withBody('select 1'),
    withBody('select $1 + n; select random()', 'n integer DEFAULT 5'),
    withBody('with a as (select 1 as x), b as (select x from a) select b.x from b, a as c'),
    withBody(
      'with recursive r(n) as (values (1) union all select n + 1 from r where n < 5) table r',
    ),
    withBody(
      'select x from (values (1)) v(x), generate_series(1, 2), unnest(array[1]) with ordinality',
    ),
    withBody('with a as (select 1) select 1 union select * from (select * from a) q'),
    withBody("select current_setting('app.user', true), current_user, app.now(), nosuch()"),
    withBody(''),
    withParsedBody('RETURN (a + 1)', 'a integer'),
    withParsedBody('BEGIN ATOMIC\n SELECT 1;\n SELECT 2;\nEND'),
  ]) {
    t.equal(findObstacle(definition), undefined, definition)
  }
  t.end()
})

t.test('relations are found wherever they are read', (t) => {
  const relation = { kind: 'relation', name: 't' }
  for (const body of [
    'select 1 from t',
    'table t',
    'select (select max(x) from s.t)',
    'select 1 union all select * from only t',
    'with t as (select * from t) select * from t',
    'with a as (select * from t), t as (select 1) select * from a',
    'select * from (with t as (select 1) select * from t) q, t',
    'with a as (with t as (select 1) select * from t) select * from a, t',
    'select case when exists (select from t) then 1 end',
    'with t as (select 1) select * from public.t',
  ]) {
    t.same(findObstacle(withBody(body)), relation, body)
  }
  t.same(findObstacle(withParsedBody('BEGIN ATOMIC\n SELECT 1;\n SELECT 1 FROM t;\nEND')), relation)
  t.same(findObstacle(withBody('select 1', 'a integer DEFAULT (SELECT 1 FROM t)')), relation)
  t.end()
})

t.test('statements that do more than read are told by their tags', (t) => {
  for (const [body, tag] of [
    ['insert into t values (1)', 'INSERT'],
    ['select 1; delete from t', 'DELETE'],
    ['with d as (delete from t returning *) select * from d', 'DELETE'],
    ['select 1 into t', 'SELECT INTO'],
    ['create table x ()', 'CREATE TABLE'],
    ['notify a', 'NOTIFY'],
    ["set a.b = 'c'", 'SET'],
  ] as const) {
    t.same(findObstacle(withBody(body)), { kind: 'command', tag }, body)
  }
  t.end()
})

t.test('what is about the session is found under any spelling', (t) => {
  for (const [body, name] of [
    ["select set_config('a.b', 'c', true)", 'set_config'],
    ['select PG_CATALOG."nextval"(\'s\')', 'nextval'],
    ['select U&"n\\006Fw"()', 'now'],
    ['select * from pg_sleep(1)', 'pg_sleep'],
    ["select query_to_xml('select 1', true, true, '')", 'query_to_xml'],
    ['select lo_create(1)', 'lo_create'],
    ["select pg_read_file('x')", 'pg_read_file'],
    ['select setseed(0.5)', 'setseed'],
    ['select pg_try_advisory_lock(1)', 'pg_try_advisory_lock'],
    ['select txid_current()', 'txid_current'],
    ['select localtimestamp(3)', 'LOCALTIMESTAMP'],
    ['select current_time', 'CURRENT_TIME'],
    ['select current_catalog', 'CURRENT_CATALOG'],
    ['select 1 order by (select currval(1::regclass))', 'currval'],
  ] as const) {
    t.same(findObstacle(withBody(body)), { kind: 'session', name }, body)
  }
  t.same(findObstacle(withBody('select 1', 'at timestamptz DEFAULT now()')), {
    kind: 'session',
    name: 'now',
  })
  t.same(findObstacle(withParsedBody('RETURN CURRENT_DATE')), {
    kind: 'session',
    name: 'CURRENT_DATE',
  })
  t.end()
})

t.test('a body that is no SQL is told', (t) => {
  t.same(findObstacle(withBody('begin return 1; end;')), { kind: 'unreadable' })
  t.same(findObstacle(withBody('selec 1')), { kind: 'unreadable' })
  t.end()
})

t.test('what a function calls is told, and what is known of its volatility', (t) => {
  t.same(
    functionsCalledBy(withBody('select abs(app.g(1))', 'n double precision DEFAULT random()')),
    [['abs'], ['app', 'g'], ['random']],
  )
  t.equal(isVolatileCall(['abs']), false)
  t.equal(isVolatileCall(['pg_catalog', 'random']), true)
  t.equal(isVolatileCall(['app', 'random']), undefined)
  t.equal(isVolatileCall(['nosuch']), undefined)
  t.end()
})
