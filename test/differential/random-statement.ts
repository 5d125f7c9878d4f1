import { OID } from '../../server/types/pg-type.ts'
import type { Choices } from './choices.ts'
import type { Makers } from './makers.ts'
import { condition, expression, type Ingredients, SCALARS, SORTABLE } from './random-expression.ts'
import { grouped, groupedByJoinedKey, groupedByKey } from './random-grouped.ts'
import type { QueryText } from './random-query.ts'
import { SAMPLES } from './tables.ts'

/** A generated SELECT. */
export interface RandomStatement extends QueryText {
  /** Texts of the values of $1 and so on. */
  readonly parameters: readonly string[]
}

/** A statement of some form, with the parameters that it came to. */
export function withParameters(
  form: (from: Ingredients) => QueryText,
  ingredients: Omit<Ingredients, 'parameters'>,
): RandomStatement {
  const made: string[] = []
  const { sql, isOrdered } = form({ ...ingredients, parameters: made })
  // A form may leave out an expression that it has made.
  const used = made.flatMap((_value, i) => (new RegExp(`\\$${i + 1}\\b`).test(sql) ? [i + 1] : []))
  return {
    sql: sql.replace(/\$(\d+)/g, (_name, number) => `$${used.indexOf(Number(number)) + 1}`),
    isOrdered,
    parameters: used.map((number) => made[number - 1] ?? ''),
  }
}

const DEPTH = 3

/** A SELECT over the differential tables, by the choices. */
export function randomStatement(choices: Choices, makers: Makers): RandomStatement {
  const forms = [
    plain,
    plain,
    filtered,
    sorted,
    joined,
    grouped,
    distinct,
    setOperation,
    nested,
    groupedByKey,
    groupedByJoinedKey,
  ]
  return withParameters(choices.pick(forms), { choices, makers, aliases: ['a'] })
}

/** Half of the statements look at one row: what fails then fails for a reason that both have. */
function rows({ choices }: Ingredients): string {
  return choices.isOneIn(2) ? `a.id <= ${4 + choices.below(30)}` : `a.id = ${1 + choices.below(34)}`
}

function list(from: Ingredients, types: readonly number[]): string {
  const { choices } = from
  return choices.times(1, 3, () => expression(from, choices.pick(types), DEPTH)).join(', ')
}

function plain(from: Ingredients): QueryText {
  const sql = `SELECT a.id, ${list(from, SCALARS)} FROM ${SAMPLES} AS a WHERE ${rows(from)}`
  return { sql, isOrdered: false }
}

function filtered(from: Ingredients): QueryText {
  const safe: Ingredients = { ...from, need: 'guarded' }
  return {
    sql: `SELECT a.id FROM ${SAMPLES} AS a WHERE ${condition(safe, DEPTH)}`,
    isOrdered: false,
  }
}

const DIRECTIONS = ['', ' DESC', ' NULLS FIRST', ' DESC NULLS LAST', ' ASC NULLS LAST']
const LIMITS = ['', ' LIMIT 5', ' OFFSET 3', ' LIMIT 4 OFFSET 2']

function sorted(from: Ingredients): QueryText {
  const { choices } = from
  const key = expression(from, choices.pick(SORTABLE), DEPTH)
  const value = expression(from, choices.pick(SCALARS), 1)
  return {
    sql: `SELECT a.id, ${value} FROM ${SAMPLES} AS a WHERE ${rows(from)} ORDER BY ${key}${choices.pick(DIRECTIONS)}, a.id${choices.pick(LIMITS)}`,
    isOrdered: true,
  }
}

const JOINS = ['JOIN', 'LEFT JOIN', 'RIGHT JOIN', 'FULL JOIN']

function joined(from: Ingredients): QueryText {
  const { choices } = from
  const both: Ingredients = { ...from, aliases: ['a', 'b'], need: 'maybe' }
  const type = choices.pick(SORTABLE)
  const join = choices.pick(JOINS)
  // PostgreSQL joins nothing fully by what it computes ahead.
  const depth = join === 'FULL JOIN' ? 0 : 1
  const one = (alias: string) =>
    expression({ ...from, aliases: [alias], need: 'maybe' }, type, depth)
  const on = `${one('a')} = ${one('b')}`
  const side = (alias: string) =>
    `(SELECT * FROM ${SAMPLES} WHERE id <= ${4 + choices.below(12)}) AS ${alias}`
  return {
    sql: `SELECT a.id, b.id, ${list(both, SCALARS)} FROM ${side('a')} ${join} ${side('b')} ON ${on}`,
    isOrdered: false,
  }
}

function distinct(from: Ingredients): QueryText {
  const safe: Ingredients = { ...from, need: 'maybe' }
  return {
    sql: `SELECT DISTINCT ${list(safe, SORTABLE)} FROM ${SAMPLES} AS a`,
    isOrdered: false,
  }
}

const SET_OPERATIONS = ['UNION ALL', 'UNION', 'INTERSECT', 'EXCEPT', 'EXCEPT ALL', 'INTERSECT ALL']

function setOperation(from: Ingredients): QueryText {
  const { choices } = from
  const safe: Ingredients = { ...from, need: 'maybe' }
  const type = choices.pick(SORTABLE.filter((candidate) => candidate !== OID.varchar))
  const half = () => `SELECT ${expression(safe, type, 1)} FROM ${SAMPLES} AS a WHERE ${rows(from)}`
  return { sql: `${half()} ${choices.pick(SET_OPERATIONS)} ${half()}`, isOrdered: false }
}

/** A query over a query, in WITH or in FROM. */
function nested(from: Ingredients): QueryText {
  const { choices } = from
  const safe: Ingredients = { ...from, need: 'maybe' }
  const [one, two] = [choices.pick(SORTABLE), choices.pick(SCALARS)]
  const inner = `SELECT a.id, ${expression(safe, one, 2)} AS x, ${expression(safe, two, 2)} AS y FROM ${SAMPLES} AS a WHERE ${rows(from)}`
  return choices.isOneIn(2)
    ? { sql: `WITH q AS (${inner}) SELECT x, y FROM q WHERE x IS NOT NULL`, isOrdered: false }
    : { sql: `SELECT max(q.id), count(q.x), count(q.y) FROM (${inner}) AS q`, isOrdered: false }
}
