import { expression, type Ingredients, SORTABLE } from './random-expression.ts'
import { type QueryText, rowsOf, sortable, unordered } from './random-query.ts'
import { SAMPLES } from './tables.ts'

/** Whose value depends on the order of rows. */
const RANKING: readonly ((value: string) => string)[] = [
  () => 'row_number()',
  () => 'rank()',
  () => 'dense_rank()',
  () => 'percent_rank()',
  () => 'cume_dist()',
  () => 'ntile(3)',
  (value) => `lag(${value})`,
  (value) => `lead(${value}, 2)`,
  (value) => `lag(${value}, a.i2)`,
  (value) => `first_value(${value})`,
  (value) => `last_value(${value})`,
  (value) => `nth_value(${value}, 2)`,
  (value) => `array_agg(${value})`,
]
/** Whose value does not. */
const AGGREGATES = [
  'count(*)',
  'sum(a.i4)',
  'avg(a.i8)',
  'max(a.t)',
  'min(a.d)',
  'sum(a.n)',
  'bool_or(a.b)',
  'count(*) FILTER (WHERE a.id > 5)',
  'sum(a.i2) FILTER (WHERE a.b)',
  'bit_xor(a.i4)',
]
const FRAMES = [
  '',
  ' ROWS BETWEEN 1 PRECEDING AND CURRENT ROW',
  ' ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING',
  ' ROWS BETWEEN 2 FOLLOWING AND 3 FOLLOWING',
  ' ROWS 3 PRECEDING EXCLUDE CURRENT ROW',
  ' GROUPS BETWEEN 1 PRECEDING AND 1 FOLLOWING',
  ' GROUPS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING EXCLUDE GROUP',
  ' RANGE UNBOUNDED PRECEDING EXCLUDE TIES',
  ' RANGE BETWEEN CURRENT ROW AND CURRENT ROW EXCLUDE NO OTHERS',
]
const DIRECTIONS = ['', ' DESC', ' NULLS FIRST', ' DESC NULLS LAST']

export function windowed(from: Ingredients): QueryText {
  const { choices } = from
  const calls = choices.times(1, 2, () => {
    const partition = choices.isOneIn(2) ? `PARTITION BY ${sortable(from)} ` : ''
    const order = `ORDER BY ${sortable(from)}${choices.pick(DIRECTIONS)}, a.id`
    return `${call(from)} OVER (${partition}${order}${choices.pick(FRAMES)})`
  })
  return unordered(
    `SELECT a.id, ${calls.join(', ')} FROM ${SAMPLES} AS a WHERE ${rowsOf(from)}${choices.pick(['', ' ORDER BY a.id LIMIT 5'])}`,
  )
}

function call(from: Ingredients): string {
  const { choices } = from
  return choices.isOneIn(2) ? choices.pick(AGGREGATES) : choices.pick(RANKING)(sortable(from))
}

/** Columns that an offset can be added to. */
const RANGES: readonly (readonly [column: string, offsets: readonly string[]])[] = [
  ['a.i4', ['2', '100', '0']],
  ['a.i8', ['5', '4294967296']],
  ['a.n', ['1.5', '0']],
  ['a.f8', ['0.5', '1e300']],
  ['a.d', [`interval '1 year'`, `interval '30 days'`]],
  ['a.ts', [`interval '1 year 2 mons'`, `interval '90 min'`]],
  ['a.tz', [`interval '1 day'`]],
  ['a.tm', [`interval '2 hours'`]],
  ['a.iv', [`interval '1 mon'`]],
]

/** Frames of values behind and before the row's. */
export function ranged(from: Ingredients): QueryText {
  const { choices } = from
  const [column, offsets] = choices.pick(RANGES)
  const [before, after] = [choices.pick(offsets), choices.pick(offsets)]
  const frame = choices.pick([
    `${before} PRECEDING AND ${after} FOLLOWING`,
    `${before} PRECEDING AND CURRENT ROW`,
    `CURRENT ROW AND ${after} FOLLOWING`,
    `UNBOUNDED PRECEDING AND ${before} PRECEDING`,
  ])
  const exclude = choices.pick(['', ' EXCLUDE CURRENT ROW', ' EXCLUDE TIES', ' EXCLUDE GROUP'])
  const order = `ORDER BY ${column}${choices.pick(['', ' DESC', ' NULLS FIRST'])}`
  return unordered(
    `SELECT a.id, ${choices.pick(AGGREGATES)} OVER (${order} RANGE BETWEEN ${frame}${exclude}) FROM ${SAMPLES} AS a WHERE ${rowsOf(from)}`,
  )
}

/** WINDOW, and windows made of others. */
export function named(from: Ingredients): QueryText {
  const { choices } = from
  const frame = choices.pick(FRAMES)
  const calls = [
    `${call(from)} OVER w`,
    `${call(from)} OVER (w${frame})`,
    `${call(from)} OVER (p ORDER BY a.id DESC)`,
    `${choices.pick(AGGREGATES)} OVER p`,
  ]
  const list = choices.times(1, 3, () => choices.pick(calls)).join(', ')
  return unordered(
    `SELECT a.id, ${list} FROM ${SAMPLES} AS a WHERE ${rowsOf(from)} WINDOW p AS (PARTITION BY ${sortable(from)}), w AS (p ORDER BY ${sortable(from)}, a.id)`,
  )
}

/** Windows where else they may stand: ORDER BY, DISTINCT, over groups, in expressions. */
export function windowElsewhere(from: Ingredients): QueryText {
  const { choices } = from
  const over = `OVER (PARTITION BY a.b ORDER BY ${sortable(from)}, a.id)`
  const value = expression(from, choices.pick(SORTABLE), 1)
  const tail = `FROM ${SAMPLES} AS a WHERE ${rowsOf(from)}`
  return choices.pick([
    unordered(`SELECT a.id ${tail} ORDER BY row_number() ${over} DESC, a.id LIMIT 7`),
    unordered(`SELECT DISTINCT a.b, max(a.id) OVER (PARTITION BY a.b), ${value} ${tail}`),
    unordered(
      `SELECT a.b, sum(count(*)) OVER (ORDER BY a.b), max(a.i4) - lag(max(a.i4), 1, 0) OVER (ORDER BY a.b) FROM ${SAMPLES} AS a WHERE a.id <= ${5 + choices.below(9)} GROUP BY a.b`,
    ),
    unordered(
      `SELECT * FROM (SELECT a.id, ${value} AS x, row_number() OVER (PARTITION BY a.b ORDER BY a.id) AS n ${tail}) AS q WHERE q.n <= 2`,
    ),
    unordered(`SELECT a.id, CASE WHEN count(*) ${over} > 2 THEN ${value} END ${tail}`),
    unordered(`SELECT a.id, COALESCE(lag(a.id) ${over}, a.id) * 10 + rank() ${over} ${tail}`),
  ])
}
