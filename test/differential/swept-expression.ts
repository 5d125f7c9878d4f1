import { CONSTANTS, type ConstantArguments } from './constants.ts'
import { keyOf, type Rule } from './rules.ts'
import { SAMPLES } from './tables.ts'
import { COLUMNS, type ValueColumn } from './values.ts'
import { variantsOf } from './variants.ts'

/** An expression over columns of the aliases a, b, c, d, each of which goes through all values of its column. */
export interface SweptExpression {
  readonly sql: string
  readonly columns: readonly ValueColumn[]
  readonly resultType: number
}

const ALIASES = ['a', 'b', 'c', 'd']
const FACTOR = 100
/** Of more tuples, an even choice is taken. */
const MOST_TUPLES = 400

/** The expressions that a row of operators, functions or casts is swept by. */
export function expressionsOf(rule: Rule): readonly SweptExpression[] {
  const constants = CONSTANTS.get(keyOf(rule)) ?? []
  return variantsOf(rule).flatMap(({ argTypes, resultType }) =>
    combinations(argTypes, constants).map(({ args, columns }) => ({
      sql: callOf(rule, args, resultType),
      columns,
      resultType,
    })),
  )
}

interface Combination {
  readonly args: readonly string[]
  readonly columns: readonly ValueColumn[]
}

function combinations(
  types: readonly number[],
  constants: ConstantArguments,
): readonly Combination[] {
  return types.reduce<readonly Combination[]>(
    (found, type, i) =>
      found.flatMap(({ args, columns }): Combination[] => {
        const fixed = constants[i]
        if (fixed !== undefined && fixed.length > 0)
          return fixed.map((constant) => ({ args: [...args, constant], columns }))
        const column = mustColumn(type)
        const arg = `${ALIASES[columns.length]}."${column.name}"`
        return [{ args: [...args, arg], columns: [...columns, column] }]
      }),
    [{ args: [], columns: [] }],
  )
}

/** The first column of a type. */
export function mustColumn(typeOid: number): ValueColumn {
  const column = COLUMNS.find((candidate) => candidate.typeOid === typeOid)
  if (column === undefined) throw new Error(`no column of type ${typeOid}`)
  return column
}

/** A call of a row's operator, function or cast, so spelled that PostgreSQL finds this very one. */
export function callOf(rule: Rule, args: readonly string[], resultType: number): string {
  switch (rule.kind) {
    case 'operator': {
      const operator = `OPERATOR(pg_catalog.${rule.name})`
      return args.length === 1
        ? `(${operator} ${args.join('')})`
        : `(${args.join(` ${operator} `)})`
    }
    case 'cast':
      return `(${args.join('')})::${mustColumn(resultType).type.replace(/\(.*\)/, '')}`
    case 'function':
    case 'aggregate':
      return `pg_catalog."${rule.name}"(${args.join(', ')})`
  }
}

/** One number for each tuple. */
export function keySql({ columns }: SweptExpression): string {
  return columns.map((_column, i) => `${ALIASES[i]}.id * ${FACTOR ** i}`).join(' + ')
}

/** SQL of a text: the condition that picks the tuple of the row at hand. */
export function tupleSql({ columns }: SweptExpression): string {
  return columns
    .map((_column, i) => `'${ALIASES[i]}.id = ' || ${ALIASES[i]}.id`)
    .join(` || ' AND ' || `)
}

/** The condition that picks the tuple with a key. */
export function tupleOf({ columns }: SweptExpression, key: string): string {
  return columns
    .map((_column, i) => `${ALIASES[i]}.id = ${Math.floor(Number(key) / FACTOR ** i) % FACTOR}`)
    .join(' AND ')
}

/** The tables with the tuples. */
export function fromSql({ columns }: SweptExpression): string {
  return columns.map((_column, i) => `${SAMPLES} AS ${ALIASES[i]}`).join(', ')
}

/** All tuples of values and one NULL of each column, but for some. */
export function tuplesBut(expression: SweptExpression, keys: readonly string[]): string {
  const { columns } = expression
  const bounds = columns.map(({ values }, i) => `${ALIASES[i]}.id <= ${values.length + 1}`)
  const tuples = columns.reduce((count, { values }) => count * (values.length + 1), 1)
  const step = Math.ceil(tuples / MOST_TUPLES)
  if (step > 1) bounds.push(`(${keySql(expression)}) % ${step % 2 === 0 ? step + 1 : step} = 0`)
  if (keys.length > 0) bounds.push(`(${keySql(expression)}) NOT IN (${keys.join(', ')})`)
  return bounds.join(' AND ')
}

/** A query of some expressions over the same columns. */
export function selectOf(
  expressions: readonly [SweptExpression, ...SweptExpression[]],
  where: string,
): string {
  const [first] = expressions
  const list = expressions.map(({ sql }) => sql).join(', ')
  return `SELECT ${keySql(first)}, ${list} FROM ${fromSql(first)} WHERE ${where}`
}
