import t from 'tap'
import { readTreeUses } from '../../server/sql/tree-uses.ts'
import { findPostgres, startPostgres } from '../plan/throwaway-postgres.ts'

t.test('what a statement uses, wherever it stands', async (t) => {
  const bin = findPostgres()
  if (bin === undefined) throw new Error('no PostgreSQL here')
  const server = await startPostgres(bin)
  t.teardown(() => server.stop())
  await server.rows(`create table a (x int primary key, y text, z date);
    create table b (x int, w int); create view v as select x, y from a;
    create function f(int) returns int language sql as 'select $1'`)
  const rows = await server.rows(`select 'a'::regclass::oid, 'b'::regclass::oid, 'v'::regclass::oid,
    'f(int)'::regprocedure::oid`)
  const [a = 0, b = 0, v = 0, f = 0] = (rows[0] ?? []).map(Number)
  const usesOf = async (sql: string) => readTreeUses((await server.analyse(sql, [])).tree)

  const hidden = await usesOf(
    'select sum((select count(*) from b where b.x = a.x and f(w) > 0)) over () from a',
  )
  t.same(hidden.relations, [
    { relid: a, relkind: 'r', attributes: [1] },
    { relid: b, relkind: 'r', attributes: [1, 2] },
  ])
  t.ok(hidden.functions.has(f), 'a function inside a window function')
  t.ok(hidden.functions.has(2803), 'count(*)')
  const wide = await usesOf('select a, a.ctid, p.y from a join a p using (x) where p.z is null')
  t.same(
    wide.relations.map(({ attributes }) => attributes),
    [
      [-1, 0, 1],
      [1, 2, 3],
    ],
  )
  t.notOk(wide.namedTypes.has(23), 'columns as they are')
  const b0 = Number((await server.rows(`select 'b'::regtype::oid`))[0]?.[0])
  const nested = await usesOf(
    'select row(array[x]), array_agg(z), array(select b from b) from a group by x',
  )
  for (const oid of [1007, 23, 1082, b0]) t.ok(nested.namedTypes.has(oid), `type ${oid}`)
  t.ok((await usesOf('select null::b from a')).namedTypes.has(b0))
  t.ok((await usesOf(`select 'a'::regclass from a`)).types.has(2205))
  const viaView = await usesOf(`select y, 'b'::regclass from v`)
  t.same(viaView.relations, [{ relid: a, relkind: 'r', attributes: [1, 2] }])
  t.same([...viaView.views], [v])
  t.same([...viaView.regclasses], [b])
  const ctes = await usesOf('with w as (select 1 as n), u as (select * from w) select * from w, u')
  t.equal(ctes.cteReferences, 3)
})
