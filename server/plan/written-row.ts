import type { Column, Table } from '../schema/logical-schema.ts'
import type { Expr } from '../sql/query-tree.ts'
import { isVolatile } from './computed-expressions.ts'
import { NotPushable } from './not-pushable.ts'
import type { ComputedExpressions } from './plan.ts'
import { PostgresPrinter, type UserTypeNames } from './print-postgres.ts'

/** A written column with what is written to it. */
export interface Assignment {
  readonly column: Column
  readonly expr: Expr
}

/*
 * PostgreSQL:  INSERT INTO t (id) VALUES ($1)
 * the row:     SELECT ($1)::pg_catalog."int8", ('def'::text)::pg_catalog."text", NULL
 *
 * "Failing row contains (2, def, null)." is the detail of PostgreSQL's errors about NOT NULL and CHECK, where Spanner names the column
 * or the constraint alone. The only row of an INSERT is known before it is sent, and so is the key that a foreign key misses.
 */

/**
 * The row that an INSERT of one row writes, a column of the table each; undefined where the execution alone knows it: values that
 * Spanner draws, volatile functions, subqueries, generated columns.
 */
export function writtenRow(
  table: Table,
  assignments: readonly Assignment[],
  userTypes: UserTypeNames,
): ComputedExpressions | undefined {
  const isOpen = assignments.some(({ expr }) => isVolatile(expr))
  if (isOpen || table.columns.some((column) => column.generated)) return undefined
  const printer = new PostgresPrinter(userTypes)
  try {
    const values = table.columns.map((column) => cellOf(printer, column, assignments))
    return {
      text: `SELECT ${values.join(', ')}`,
      paramNumbers: printer.paramNumbers,
      paramTypes: printer.paramTypes,
    }
  } catch (error) {
    if (error instanceof NotPushable) return undefined
    throw error
  }
}

function cellOf(
  printer: PostgresPrinter,
  { attribute, typeOid }: Column,
  assignments: readonly Assignment[],
): string {
  const assigned = assignments.find(({ column }) => column.attribute === attribute)
  if (assigned === undefined) return 'NULL'
  return `(${printer.expr(assigned.expr)})::${printer.type(typeOid)}`
}
