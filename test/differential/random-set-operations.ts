import { OID } from '../../server/types/pg-type.ts'
import { constant, expression, type Ingredients, SORTABLE } from './random-expression.ts'
import { anything, ordered, type QueryText, rowsOf, unordered } from './random-query.ts'
import { SAMPLES } from './tables.ts'

const OPERATIONS = ['UNION ALL', 'UNION', 'INTERSECT', 'EXCEPT', 'EXCEPT ALL', 'INTERSECT ALL']
/** Types that one column of a set operation is made of: PostgreSQL finds the common one. */
const MIXED: readonly (readonly number[])[] = [
  [OID.int4, OID.int8, OID.int2],
  [OID.int4, OID.numeric],
  [OID.text, OID.varchar],
  [OID.date, OID.timestamp],
  [OID.numeric, OID.float8],
]

/** Set operations in set operations, sorted and cut. */
export function nestedSets(from: Ingredients): QueryText {
  const { choices } = from
  const types = choices.isOneIn(2) ? choices.pick(MIXED) : [choices.pick(SORTABLE)]
  const operation = () => choices.pick(OPERATIONS)
  const simple = () =>
    choices.isOneIn(4)
      ? `VALUES (${constant(choices, choices.pick(types))}), (NULL)`
      : `SELECT ${expression(from, choices.pick(types), 1)} FROM ${SAMPLES} AS a WHERE ${rowsOf(from)}`
  const cut = () =>
    `(SELECT ${expression(from, choices.pick(types), 1)} AS x FROM ${SAMPLES} AS a WHERE a.id < 20 ORDER BY a.id LIMIT ${2 + choices.below(6)})`
  return choices.pick([
    () => unordered(`${simple()} ${operation()} ${simple()} ${operation()} ${simple()}`),
    () => unordered(`(${simple()} ${operation()} ${simple()}) ${operation()} (${simple()})`),
    () => unordered(`${cut()} ${operation()} ${cut()}`),
    () => ordered(`${cut()} UNION ${cut()} ORDER BY 1 NULLS FIRST LIMIT 5`),
    () =>
      unordered(
        `SELECT count(*), min(q.x::text) FROM (${cut()} ${operation()} ${simple()}) AS q(x)`,
      ),
    () =>
      unordered(
        `WITH q(x) AS (${simple()} ${operation()} ${cut()}) SELECT x FROM q ${operation()} SELECT x FROM q WHERE x IS NOT NULL`,
      ),
  ])()
}

/** VALUES as a query, in FROM and in WITH. */
export function values(from: Ingredients): QueryText {
  const { choices } = from
  const none: Ingredients = { ...from, aliases: [] }
  const [one, two] = [choices.pick(SORTABLE), choices.pick(SORTABLE)]
  const row = () =>
    `(${constant(choices, one)}, ${choices.isOneIn(3) ? 'NULL' : constant(choices, two)})`
  const list = `VALUES ${[row(), ...choices.times(0, 3, row)].join(', ')}`
  const compared = expression(from, one, 1)
  return choices.pick([
    () => unordered(`${list} ORDER BY 1, 2 DESC`),
    () => unordered(`${list}`),
    () =>
      unordered(
        `SELECT a.id, v.y FROM ${SAMPLES} AS a JOIN (${list}) AS v(x, y) ON v.x = ${compared} WHERE a.id <= 25`,
      ),
    () =>
      unordered(
        `WITH v(x, y) AS (${list}) SELECT v.y, count(a.id) FROM v LEFT JOIN ${SAMPLES} AS a ON ${compared} = v.x GROUP BY v.y`,
      ),
    () => unordered(`SELECT ${anything(none, 1)}, ${anything(none, 1)}`),
  ])()
}

/** Recursion over numbers, over rows, with SEARCH and with CYCLE. */
export function recursive(from: Ingredients): QueryText {
  const { choices } = from
  const first = 1 + choices.below(10)
  const union = choices.pick(['UNION ALL', 'UNION'])
  const step = 1 + choices.below(3)
  const walk = `r(n, x) AS (SELECT a.id, a.t FROM ${SAMPLES} AS a WHERE a.id = ${first} ${union} SELECT a.id, coalesce(a.t, r.x) FROM r JOIN ${SAMPLES} AS a ON a.id = r.n + ${step} WHERE a.id < 30)`
  const value = anything(from)
  return choices.pick([
    unordered(
      `WITH RECURSIVE ${walk} SELECT r.n, r.x, ${value} FROM r JOIN ${SAMPLES} AS a ON a.id = r.n`,
    ),
    unordered(
      `WITH RECURSIVE n(i) AS (VALUES (${first}) UNION ALL SELECT i + ${step} FROM n WHERE i < 20) SELECT n.i, ${value} FROM n LEFT JOIN ${SAMPLES} AS a ON a.id = n.i`,
    ),
    unordered(
      `WITH RECURSIVE ${walk} SEARCH ${choices.pick(['DEPTH', 'BREADTH'])} FIRST BY n SET place SELECT r.n, r.x FROM r ORDER BY place`,
    ),
    unordered(
      `WITH RECURSIVE r(n) AS (SELECT a.id % 4 FROM ${SAMPLES} AS a WHERE a.id <= 6 UNION ALL SELECT (r.n + 1) % 4 FROM r) CYCLE n SET is_cycle USING path SELECT n, is_cycle, path::text FROM r`,
    ),
    unordered(
      `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT a.id, i FROM (SELECT i FROM n LIMIT ${step}) AS q, ${SAMPLES} AS a WHERE a.id <= 4`,
    ),
  ])
}
