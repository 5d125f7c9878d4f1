import { findPgType, OID } from '../../server/types/pg-type.ts'
import type { Choices } from './choices.ts'
import type { Makers } from './makers.ts'
import { quote, SAMPLES } from './tables.ts'
import { COLUMNS, type ValueColumn } from './values.ts'

/** What an expression may be made of. */
export interface Ingredients {
  readonly choices: Choices
  readonly makers: Makers
  /** Aliases of the table whose columns it may name. */
  readonly aliases: readonly string[]
  /**
   * Whether what is computed is always needed. Else nothing in it may fail: PostgreSQL may not compute it. What stands in a condition may have
   * what conditions guard.
   */
  readonly need?: 'always' | 'guarded' | 'maybe'
  /** Levels of subqueries around it. */
  readonly level?: number
  /** The values of the statement's parameters, which expressions add to. */
  readonly parameters: string[]
}

/** Types that values are asked of, the commonest first. */
export const SCALARS: readonly number[] = [
  OID.int8,
  OID.text,
  OID.bool,
  OID.int4,
  OID.numeric,
  OID.timestamptz,
  OID.date,
  OID.varchar,
  OID.float8,
  OID.jsonb,
  OID.uuid,
  OID.int2,
  OID.timestamp,
  OID.bytea,
  OID.float4,
]

/** Types with an order. */
export const SORTABLE: readonly number[] = SCALARS.filter((type) => type !== OID.jsonb)
/** Types that max and min take. */
const WITH_EXTREMES: readonly number[] = SORTABLE.filter(
  (type) => type !== OID.bool && type !== OID.uuid && type !== OID.bytea && type !== OID.varchar,
)

/** An expression of a type, so many levels deep at most. Each is an operand. */
export function expression(from: Ingredients, type: number, depth: number): string {
  const { choices } = from
  const makers = makersOf(from, type)
  if (depth <= 0 || (makers.length === 0 && type !== OID.bool)) return leaf(from, type)
  const forms = [
    () => leaf(from, type),
    ...(makers.length > 0 ? Array.from({ length: 6 }, () => () => made(from, type, depth)) : []),
    () => conditional(from, type, depth),
    ...(type === OID.bool ? Array.from({ length: 6 }, () => () => condition(from, depth)) : []),
    ...(WITH_EXTREMES.includes(type) ? [() => extreme(from, type, depth)] : []),
  ]
  return choices.pick(forms)()
}

function makersOf({ makers, need = 'always' }: Ingredients, type: number) {
  const all = makers.get(type) ?? []
  if (need === 'always') return all
  return all.filter((maker) => !maker.isArithmetic && (need === 'guarded' || !maker.canFail))
}

/** The same where less is sure to be needed. */
function guarded(from: Ingredients): Ingredients {
  return from.need === 'maybe' ? from : { ...from, need: 'guarded' }
}

function columnsOf(type: number): readonly ValueColumn[] {
  return COLUMNS.filter((column) => column.typeOid === type)
}

/** A column, or a constant where there is none of the type. PostgreSQL computes constants ahead, so that they are few. */
function leaf({ choices, aliases }: Ingredients, type: number): string {
  const columns = columnsOf(type)
  const column = columns.length === 0 ? undefined : choices.pick(columns)
  if (column === undefined) throw new Error(`no column of type ${type}`)
  if (aliases.length > 0) return `${choices.pick(aliases)}."${column.name}"`
  return constant(choices, type)
}

/** One of the values that the tables hold. */
export function constant(choices: Choices, type: number): string {
  const column = choices.pick(columnsOf(type))
  return `${quote(choices.pick(column.values))}::${castName(column)}`
}

function castName({ type }: ValueColumn): string {
  return type.replace(/\(.*?\)/, '')
}

function made(from: Ingredients, type: number, depth: number): string {
  const maker = from.choices.pick(makersOf(from, type))
  const args = maker.argTypes.map((argType, i) => {
    const constants = maker.constants[i]
    if (constants !== undefined) return from.choices.pick(constants)
    // The first argument has a column in it, so that PostgreSQL does not compute the call ahead.
    const isConstant = i > 0 && from.choices.isOneIn(3)
    return isConstant ? constant(from.choices, argType) : expression(from, argType, depth - 1)
  })
  return maker.print(args)
}

/** CASE, COALESCE, NULLIF, GREATEST, LEAST. */
function conditional(from: Ingredients, type: number, depth: number): string {
  const { choices } = from
  const part = () => expression(from, type, depth - 1)
  // What is not always looked at must not fail where it is looked at all the same.
  const maybe = () => expression(guarded(from), type, depth - 1)
  const forms = [
    () => `COALESCE(${part()}, ${maybe()})`,
    () => `CASE WHEN ${expression(from, OID.bool, depth - 1)} THEN ${maybe()} ELSE ${maybe()} END`,
    // The manual: NULLIF has the type of its operator's first argument, text for varchar.
    ...(SORTABLE.includes(type) && type !== OID.varchar
      ? [() => `NULLIF(${part()}, ${part()})`]
      : []),
    ...(SORTABLE.includes(type)
      ? [
          () => `GREATEST(${part()}, ${part()})`,
          () => `LEAST(${part()}, ${part()}, ${constant(choices, type)})`,
        ]
      : []),
  ]
  return `(${choices.pick(forms)()})`
}

/** The greatest or least value among rows that have to do with the row at hand. */
function extreme(from: Ingredients, type: number, depth: number): string {
  const { choices, level = 0 } = from
  if (level > 0 || from.aliases.length === 0) return leaf(from, type)
  const alias = 's'
  const inner: Ingredients = { ...from, aliases: [alias], need: 'maybe', level: level + 1 }
  const call = `${choices.pick(['max', 'min'])}(${expression(inner, type, depth - 1)})`
  return `(SELECT ${call} FROM ${SAMPLES} AS ${alias} WHERE ${alias}.id <= ${choices.pick(from.aliases)}.id)`
}

const BOOLEAN_TESTS = ['TRUE', 'FALSE', 'UNKNOWN', 'NOT TRUE', 'NOT FALSE', 'NOT UNKNOWN']
const COMPARISONS = ['=', '<>', '<', '<=', '>', '>=']

/** A boolean that is no call: a connective, a test, a comparison with a list, a row or a subquery. */
export function condition(from: Ingredients, depth: number): string {
  const { choices } = from
  const safe = guarded(from)
  const sortable = () => choices.pick(SORTABLE)
  const forms = [
    () => isNull(from, choices.pick(SCALARS), depth),
    () => comparison(from, sortable(), depth),
    () => connective(safe, depth),
    () => `(NOT ${expression(from, OID.bool, depth - 1)})`,
    () => `(${expression(from, OID.bool, depth - 1)} IS ${choices.pick(BOOLEAN_TESTS)})`,
    () => inList(from, sortable(), depth),
    () => between(from, sortable(), depth),
    () => distinct(from, sortable(), depth),
    () => anyOf(from, depth),
    () => rowComparison(from),
    () => inSubquery(from, depth),
  ]
  return choices.pick(forms)()
}

function isNull(from: Ingredients, type: number, depth: number): string {
  return `(${expression(from, type, depth - 1)} IS ${from.choices.pick(['NOT NULL', 'NULL'])})`
}

function comparison(from: Ingredients, type: number, depth: number): string {
  const [left, right] = [expression(from, type, depth - 1), expression(from, type, depth - 1)]
  return `(${left} ${from.choices.pick(COMPARISONS)} ${right})`
}

function connective(from: Ingredients, depth: number): string {
  const parts = from.choices.times(2, 3, () => expression(from, OID.bool, depth - 1))
  return `(${parts.join(from.choices.pick([' AND ', ' OR ']))})`
}

function inList(from: Ingredients, type: number, depth: number): string {
  const { choices } = from
  const values = choices.times(1, 4, () => constant(choices, type))
  return `(${expression(from, type, depth - 1)} ${choices.pick(['IN', 'NOT IN'])} (${values.join(', ')}))`
}

function between(from: Ingredients, type: number, depth: number): string {
  const { choices } = from
  const word = choices.pick(['BETWEEN', 'NOT BETWEEN', 'BETWEEN SYMMETRIC'])
  return `(${expression(from, type, depth - 1)} ${word} ${constant(choices, type)} AND ${constant(choices, type)})`
}

function distinct(from: Ingredients, type: number, depth: number): string {
  const word = from.choices.pick(['IS DISTINCT FROM', 'IS NOT DISTINCT FROM'])
  return `(${expression(from, type, depth - 1)} ${word} ${expression(from, type, depth - 1)})`
}

/** Types with an order whose arrays the tables have a column of, the commonest first. */
const ELEMENTS: readonly number[] = [
  ...[OID.int8, OID.text, OID.int4, OID.varchar, OID.uuid, OID.date, OID.bool, OID.int2],
  ...[OID.numeric, OID.timestamptz, OID.timestamp, OID.float8, OID.float4, OID.bytea],
]
const PATTERN_MATCHES = ['LIKE', 'NOT LIKE', 'ILIKE', '~']

/** A value beside the elements of an array: `= ANY`, `<> ALL`, and the other operators with both. */
function anyOf(from: Ingredients, depth: number): string {
  const { choices } = from
  const type = choices.pick(ELEMENTS)
  const others = type === OID.text ? [...COMPARISONS, ...PATTERN_MATCHES] : COMPARISONS
  const [operator, word] = choices.pick([
    ['=', 'ANY'],
    ['<>', 'ALL'],
    [choices.pick(others), choices.pick(['ANY', 'ALL', 'SOME'])],
  ])
  const value = choices.isOneIn(8) ? parameter(from, type) : expression(from, type, depth - 1)
  const found = choices.isOneIn(8) ? untyped(from, type) : array(from, type, depth - 1)
  return `(${value} ${operator} ${word} (${found}))`
}

/** As drivers send lists: PostgreSQL finds the parameter's type. */
function untyped(from: Ingredients, elementType: number): string {
  return parameter(from, findPgType(elementType)?.arrayOid ?? 0).replace(/::.*/, '')
}

/** An array with elements of a type: a column, an expression, a parameter, what a query finds. */
function array(from: Ingredients, type: number, depth: number): string {
  const { choices, level = 0 } = from
  const arrayType = findPgType(type)?.arrayOid ?? 0
  const forms = [
    () => leaf(from, arrayType),
    () => leaf(from, arrayType),
    () => parameter(from, arrayType),
    () => constant(choices, arrayType),
    () => elements(from, type, depth),
    () => expression(from, arrayType, depth),
    ...(level === 0 ? [() => arrayOfQuery(from, type, depth)] : []),
  ]
  return choices.pick(forms)()
}

function elements(from: Ingredients, type: number, depth: number): string {
  const { choices } = from
  const element = () =>
    choices.pick([
      () => expression(from, type, depth),
      () => constant(choices, type),
      () => `NULL`,
    ])()
  return `ARRAY[${[expression(from, type, depth), ...choices.times(0, 3, element)].join(', ')}]`
}

function arrayOfQuery(from: Ingredients, type: number, depth: number): string {
  const alias = 's'
  const inner: Ingredients = { ...from, aliases: [alias], need: 'maybe', level: 1 }
  return `ARRAY(SELECT ${expression(inner, type, depth)} FROM ${SAMPLES} AS ${alias} WHERE ${alias}.id <= ${1 + from.choices.below(6)})`
}

/** A parameter with one of the values that the tables hold. Its type is written out. */
export function parameter({ choices, parameters }: Ingredients, type: number): string {
  const column = choices.pick(columnsOf(type))
  parameters.push(choices.pick(column.values))
  return `$${parameters.length}::${castName(column)}`
}

function rowComparison(from: Ingredients): string {
  const { choices } = from
  const types = choices.times(2, 3, () => choices.pick([OID.int8, OID.text, OID.date]))
  const row = () => types.map((type) => leaf(from, type)).join(', ')
  return `((${row()}) ${choices.pick(COMPARISONS)} (${row()}))`
}

function inSubquery(from: Ingredients, depth: number): string {
  const { choices, level = 0 } = from
  const type = choices.pick(SORTABLE)
  if (level > 0) return isNull(from, type, depth)
  const alias = 's'
  const inner: Ingredients = { ...from, aliases: [alias], need: 'maybe', level: level + 1 }
  const query = `SELECT ${expression(inner, type, depth - 1)} FROM ${SAMPLES} AS ${alias} WHERE ${condition(inner, depth - 1)}`
  const word = choices.pick(['IN', 'NOT IN', '= ANY', '> ALL'])
  return choices.isOneIn(4)
    ? `(EXISTS (${query}))`
    : `(${expression({ ...from, need: 'maybe' }, type, depth - 1)} ${word} (${query}))`
}
