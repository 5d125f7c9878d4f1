import { OID } from '../../server/types/pg-type.ts'
import type { Choices } from './choices.ts'
import type { Makers } from './makers.ts'
import { condition, expression, type Ingredients, SCALARS, SORTABLE } from './random-expression.ts'
import { SAMPLES } from './tables.ts'

/** A generated SELECT. */
export interface RandomStatement {
  readonly sql: string
  /** Its ORDER BY leaves no two rows where they like. */
  readonly isOrdered: boolean
}

const DEPTH = 3

/** A SELECT over the differential tables, by the choices. */
export function randomStatement(choices: Choices, makers: Makers): RandomStatement {
  const forms = [plain, plain, filtered, sorted, joined, grouped, distinct, setOperation, nested]
  return choices.pick(forms)({ choices, makers, aliases: ['a'] })
}

/** Half of the statements look at one row: what fails then fails for a reason that both have. */
function rows({ choices }: Ingredients): string {
  return choices.isOneIn(2) ? `a.id <= ${4 + choices.below(30)}` : `a.id = ${1 + choices.below(34)}`
}

function list(from: Ingredients, types: readonly number[]): string {
  const { choices } = from
  return choices.times(1, 3, () => expression(from, choices.pick(types), DEPTH)).join(', ')
}

function plain(from: Ingredients): RandomStatement {
  const sql = `SELECT a.id, ${list(from, SCALARS)} FROM ${SAMPLES} AS a WHERE ${rows(from)}`
  return { sql, isOrdered: false }
}

function filtered(from: Ingredients): RandomStatement {
  const safe: Ingredients = { ...from, need: 'guarded' }
  return {
    sql: `SELECT a.id FROM ${SAMPLES} AS a WHERE ${condition(safe, DEPTH)}`,
    isOrdered: false,
  }
}

const DIRECTIONS = ['', ' DESC', ' NULLS FIRST', ' DESC NULLS LAST', ' ASC NULLS LAST']
const LIMITS = ['', ' LIMIT 5', ' OFFSET 3', ' LIMIT 4 OFFSET 2']

function sorted(from: Ingredients): RandomStatement {
  const { choices } = from
  const key = expression(from, choices.pick(SORTABLE), DEPTH)
  const value = expression(from, choices.pick(SCALARS), 1)
  return {
    sql: `SELECT a.id, ${value} FROM ${SAMPLES} AS a WHERE ${rows(from)} ORDER BY ${key}${choices.pick(DIRECTIONS)}, a.id${choices.pick(LIMITS)}`,
    isOrdered: true,
  }
}

const JOINS = ['JOIN', 'LEFT JOIN', 'RIGHT JOIN', 'FULL JOIN']

function joined(from: Ingredients): RandomStatement {
  const { choices } = from
  const both: Ingredients = { ...from, aliases: ['a', 'b'], need: 'maybe' }
  const type = choices.pick(SORTABLE)
  const one = (alias: string) => expression({ ...from, aliases: [alias], need: 'maybe' }, type, 1)
  const on = `${one('a')} = ${one('b')}`
  const side = (alias: string) =>
    `(SELECT * FROM ${SAMPLES} WHERE id <= ${4 + choices.below(12)}) AS ${alias}`
  return {
    sql: `SELECT a.id, b.id, ${list(both, SCALARS)} FROM ${side('a')} ${choices.pick(JOINS)} ${side('b')} ON ${on}`,
    isOrdered: false,
  }
}

/** Aggregates whose value does not depend on the order of the rows. */
const AGGREGATES = [
  'count(*)',
  'count(a.t)',
  'count(DISTINCT a.i8)',
  'sum(a.i4)',
  'sum(a.i2)',
  'avg(a.i8)',
  'max(a.n)',
  'min(a.f8)',
  'max(a.tz)',
  'sum(a.n2)',
  'bool_or(a.b)',
  'max(lower(a.t))',
  'bit_or(a.i4)',
  'count(*) FILTER (WHERE a.id > 5)',
]

function grouped(from: Ingredients): RandomStatement {
  const { choices } = from
  const key = expression({ ...from, need: 'maybe' }, choices.pick(SORTABLE), 2)
  const values = choices.times(1, 3, () => choices.pick(AGGREGATES))
  const having = choices.pick(['', ' HAVING count(*) > 1', ' HAVING max(a.id) > 3'])
  return {
    sql: `SELECT ${key} AS k, ${values.join(', ')} FROM ${SAMPLES} AS a WHERE a.id <= 25 GROUP BY ${choices.pick(['1', key])}${having}`,
    isOrdered: false,
  }
}

function distinct(from: Ingredients): RandomStatement {
  const safe: Ingredients = { ...from, need: 'maybe' }
  return {
    sql: `SELECT DISTINCT ${list(safe, SORTABLE)} FROM ${SAMPLES} AS a`,
    isOrdered: false,
  }
}

const SET_OPERATIONS = ['UNION ALL', 'UNION', 'INTERSECT', 'EXCEPT', 'EXCEPT ALL', 'INTERSECT ALL']

function setOperation(from: Ingredients): RandomStatement {
  const { choices } = from
  const safe: Ingredients = { ...from, need: 'maybe' }
  const type = choices.pick(SORTABLE.filter((candidate) => candidate !== OID.varchar))
  const half = () => `SELECT ${expression(safe, type, 1)} FROM ${SAMPLES} AS a WHERE ${rows(from)}`
  return { sql: `${half()} ${choices.pick(SET_OPERATIONS)} ${half()}`, isOrdered: false }
}

/** A query over a query, in WITH or in FROM. */
function nested(from: Ingredients): RandomStatement {
  const { choices } = from
  const safe: Ingredients = { ...from, need: 'maybe' }
  const [one, two] = [choices.pick(SORTABLE), choices.pick(SCALARS)]
  const inner = `SELECT a.id, ${expression(safe, one, 2)} AS x, ${expression(safe, two, 2)} AS y FROM ${SAMPLES} AS a WHERE ${rows(from)}`
  return choices.isOneIn(2)
    ? { sql: `WITH q AS (${inner}) SELECT x, y FROM q WHERE x IS NOT NULL`, isOrdered: false }
    : { sql: `SELECT max(q.id), count(q.x), count(q.y) FROM (${inner}) AS q`, isOrdered: false }
}
