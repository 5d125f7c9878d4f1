import type { ColumnDefinition } from './ddl-column.ts'
import type { CheckConstraint } from './ddl-constraint.ts'
import { type DdlExpression, invalidDdl, type ObjectName, unsupportedDdl } from './ddl-cursor.ts'
import type { Profile } from './profile.ts'

/** The columns of a new table. */
export interface TableColumns {
  readonly columns: readonly ColumnDefinition[]
  readonly key: readonly string[]
  /** PRIMARY KEY stands in the statement, be it without columns. */
  readonly isKeyWritten: boolean
}

/** Types that a key cannot have ("Primary keys" of Spanner's data types page). */
const NO_KEY = /^(?:numeric|jsonb|spanner\.tokenlist)|\[\]/

/** Throws where Spanner would not take the columns of a new table together. */
export function checkColumns(
  profile: Profile,
  table: ObjectName,
  { columns, key, isKeyWritten }: TableColumns,
): void {
  if (key.length === 0 && !isKeyWritten && profile !== 'production')
    throw unsupportedDdl(`Primary key must be defined for table "${table.shown}".`)
  const seen = new Set<string>()
  for (const { name, type } of columns) {
    const folded = name.toLowerCase()
    if (seen.has(folded)) throw unsupportedDdl(`Duplicate column name ${table.shown}.${name}.`)
    seen.add(folded)
    if (key.includes(name) && NO_KEY.test(type)) {
      throw invalidDdl(
        `Column ${table.shown}.${name} has type ${type}, but is part of the primary key.`,
      )
    }
  }
}

/** The expressions of a new table: defaults, generated columns and checks. */
export function expressionsOf(
  table: ObjectName,
  columns: readonly ColumnDefinition[],
  checks: readonly CheckConstraint[],
): DdlExpression[] {
  const own = columns.flatMap((column) => column.checks)
  return [
    ...columns.flatMap((column) => columnExpressionsOf(table, column)),
    ...[...own, ...checks].map((check) => checkExpressionOf(table, check)),
  ]
}

/** The expressions of a column: its default, or what it is generated as, to be asked of the table. */
export function columnExpressionsOf(
  table: ObjectName,
  { expressions, generated, type }: ColumnDefinition,
): readonly DdlExpression[] {
  if (generated === undefined) return expressions
  const query = `SELECT ${generated} FROM ${table.sql}`
  return [...expressions, { kind: 'generated', query, type, literal: undefined }]
}

/** A check constraint's expression, to be asked of the table. */
export function checkExpressionOf(
  table: ObjectName,
  { expression }: CheckConstraint,
): DdlExpression {
  const query = `SELECT ${expression} FROM ${table.sql}`
  return { kind: 'check', query, type: 'boolean', literal: undefined }
}
