import { OID } from '../../server/types/pg-type.ts'
import { condition, expression, type Ingredients } from './random-expression.ts'
import { anything, type QueryText, rowsOf, unordered } from './random-query.ts'
import { SAMPLES } from './tables.ts'

/** Calls that give rows of one column. */
function series(from: Ingredients): string {
  const { choices } = from
  const array = () =>
    expression(from, choices.pick([OID.int8Array, OID.textArray, OID.int4Array]), 1)
  const text = expression(from, OID.text, 1)
  return choices.pick([
    `unnest(${array()})`,
    'unnest(a.txs)',
    'generate_series(1, (a.id % 4)::int)',
    'generate_series(a.id, a.id + 4, 2)',
    'generate_series(3, (a.id % 3)::numeric, -0.5)',
    `generate_series(timestamp '2024-01-30', '2024-04-01', '1 mon')`,
    `regexp_split_to_table(${text}, 'b')`,
    `string_to_table(${text}, ',')`,
    `(regexp_matches(${text}, '[a-c]', 'g'))[1]`,
    'generate_subscripts(a.i8s, 1)',
    `jsonb_path_query(a.j, '$.*', '{}', true)`,
    `jsonb_object_keys(CASE WHEN jsonb_typeof(a.j) = 'object' THEN a.j ELSE '{}' END)`,
    `jsonb_array_elements(CASE WHEN jsonb_typeof(a.j) = 'array' THEN a.j ELSE '[]' END)`,
    `jsonb_array_elements_text(CASE jsonb_typeof(a.j) WHEN 'array' THEN a.j END)`,
  ])
}

const inFrom = (call: string) => !call.startsWith('(')

/** In the select list: alone, two at once, in expressions, with groups, sorted and cut. */
export function seriesInList(from: Ingredients): QueryText {
  const { choices } = from
  const [one, two] = [series(from), series(from)]
  const tail = `FROM ${SAMPLES} AS a WHERE ${rowsOf(from)}`
  return choices.pick([
    unordered(`SELECT a.id, ${one} ${tail}`),
    unordered(`SELECT a.id, ${one}, ${two} ${tail}`),
    unordered(`SELECT a.id, (${one})::text || '!' ${tail}`),
    unordered(`SELECT DISTINCT ${one} AS x, a.b ${tail}`),
    unordered(`SELECT a.id, ${one} AS x ${tail} ORDER BY a.id, x LIMIT 9`),
    unordered(`SELECT unnest(array_agg(a.i2 ORDER BY a.id)), a.b ${tail} GROUP BY a.b`),
    unordered(`SELECT x, count(*) FROM (SELECT ${one} AS x ${tail}) AS q GROUP BY x`),
    unordered(`SELECT a.id, ARRAY(SELECT ${one} ORDER BY 1) ${tail}`),
  ])
}

/** In FROM: with places, several at once, and those of several columns. */
export function seriesInFrom(from: Ingredients): QueryText {
  const { choices } = from
  const calls = [series(from), series(from)].map((call) => (inFrom(call) ? call : 'unnest(a.i8s)'))
  const [one = '', two = ''] = calls
  const where = rowsOf(from)
  const join = choices.pick([',', 'CROSS JOIN', 'LEFT JOIN'])
  const on = join === 'LEFT JOIN' ? ' ON true' : ''
  const columns = (item: string, names: string, alias: string) =>
    unordered(
      `SELECT a.id, ${names}, ${anything(from, 1)} FROM ${SAMPLES} AS a ${join} ${item} AS ${alias}${on} WHERE ${where}`,
    )
  const object = `CASE WHEN jsonb_typeof(a.j) = 'object' THEN a.j END`
  return choices.pick([
    columns(one, 's.x', 's(x)'),
    columns(`${one} WITH ORDINALITY`, 's.x, s.place', 's(x, place)'),
    columns(`ROWS FROM (${one}, ${two}) WITH ORDINALITY`, 's.x, s.y, s.n', 's(x, y, n)'),
    columns(`unnest(a.i8s, a.txs)`, 's.*', 's(x, y)'),
    columns(`jsonb_each(${object})`, 'e.key, e.value', 'e'),
    columns(`jsonb_each_text(${object})`, 'e.*', 'e(k, v)'),
    columns(`jsonb_to_record(${object})`, 'r.a, r.b', 'r(a text, b jsonb)'),
    columns(`json_each_text(CASE json_typeof(a.jn) WHEN 'object' THEN a.jn END)`, 'e.key', 'e'),
    columns(`regexp_matches(a.t, '([a-c])(.)?', 'g')`, 's.m', 's(m)'),
    columns(
      `LATERAL (SELECT x, row_number() OVER () AS n FROM ${one} AS u(x) WHERE x IS NOT NULL)`,
      's.x, s.n',
      's',
    ),
    unordered(
      `SELECT g, count(a.id), max(${expression(from, OID.text, 1)}) FROM generate_series(1, ${3 + choices.below(9)}) AS g LEFT JOIN ${SAMPLES} AS a ON a.i2 = g GROUP BY g`,
    ),
    unordered(
      `SELECT day::date, count(a.id) FROM generate_series('2024-02-27'::timestamptz, '2024-03-12', '1 day') AS day LEFT JOIN ${SAMPLES} AS a ON a.tz >= day AND a.tz < day + interval '1 day' GROUP BY day ORDER BY day`,
    ),
    unordered(
      `SELECT a.id FROM ${SAMPLES} AS a WHERE EXISTS (SELECT 1 FROM ${one} AS u(x) WHERE u.x IS NOT NULL) AND ${condition(from, 1)}`,
    ),
    unordered(
      `SELECT a.id, (SELECT count(*) FROM ${one} AS u(x)), (SELECT max(x::text) FROM ${two} AS u(x)) FROM ${SAMPLES} AS a WHERE ${where}`,
    ),
    unordered(
      `SELECT a.id, r.k, r.n FROM ${SAMPLES} AS a JOIN jsonb_to_recordset('[{"k": 1, "n": "x"}, {"k": 3}]') AS r(k int, n text) ON r.k = a.i4 WHERE ${where}`,
    ),
  ])
}
