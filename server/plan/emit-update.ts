import { type Column, quotePhysical } from '../schema/logical-schema.ts'
import type { Expr, Query } from '../sql/query-tree.ts'
import type { Emission, EmittedSelect, Place } from './emission.ts'
import {
  emitNewValue,
  emitReturning,
  isFromDefault,
  openDml,
  type WrittenTable,
} from './emit-dml.ts'
import { type JoinedTables, openJoinedTables } from './emit-dml-join.ts'
import { assignedValue } from './emit-domain.ts'
import { mustFindColumn } from './emit-var.ts'
import { multiExprColumns } from './multi-assignment.ts'
import { NotPushable } from './not-pushable.ts'
import { isPinned, pinsOneRow } from './pinned-row.ts'
import { drawnFor } from './sequence-draws.ts'
import { keyOf } from './unique-keys.ts'

/*
 * PostgreSQL:  UPDATE t SET a = 1
 * Spanner:     UPDATE "t" AS t1 SET "a" = 1 WHERE true        refuses an UPDATE without WHERE
 */
export function emitUpdate(emission: Emission, query: Query): EmittedSelect {
  const written = openDml(emission, query)
  const joined = openJoinedTables(emission, written)
  const sets = query.targetList
    .filter((target) => !target.junk)
    .flatMap((target) => {
      const column = mustFindColumn(written.table, { attribute: target.resno })
      const isKept = column.generated || keepsKey(written, column, target.expr)
      return isKept
        ? []
        : [
            `${quotePhysical(column.physical.name)} = ${emitValue(emission, written, { column, expr: target.expr, joined })}`,
          ]
    })
  if (sets.length === 0) throw new NotPushable('an UPDATE that changes nothing but the primary key')
  const where = joined.where()
  const returning = emitReturning(emission, written)
  const head = `UPDATE ${quotePhysical(written.table.physicalName)} AS ${written.alias}`
  return {
    sql: `${head} SET ${sets.join(', ')} WHERE ${where}${returning.sql}`,
    columns: returning.columns,
    written: { table: written.table.physicalName, row: undefined },
  }
}

interface NewValue {
  readonly column: Column
  readonly expr: Expr
  readonly joined: JoinedTables
}

function emitValue(
  emission: Emission,
  written: WrittenTable,
  { column, expr, joined }: NewValue,
): string {
  const { scope, query, table } = written
  if (column.physical.hasDefault && isFromDefault(expr) && column.defaultText !== undefined) {
    const drawn = drawnFor(expr)
    if (drawn !== undefined) emission.drawnSequences.add(drawn)
    return 'DEFAULT'
  }
  const place: Place = {
    scope,
    noticesRange: true,
    isOnce: pinsOneRow(emission.context, {
      table,
      rtindex: query.resultRelation,
      where: query.where,
    }),
    multiExpr: multiExprColumns(emission, written),
  }
  return joined.wrap(expr, emitNewValue(emission, assignedValue({ column, expr }), place))
}

/** Whether a primary key column is set to what it is. @throws NotPushable where it is set to anything else. */
function keepsKey({ query, table }: WrittenTable, column: Column, expr: Expr): boolean {
  if (!keyOf(table).includes(column)) return false
  const isItself =
    expr.kind === 'Var' &&
    expr.rtindex === query.resultRelation &&
    expr.attribute === column.attribute
  if (
    isItself ||
    isPinned({ rtindex: query.resultRelation, where: query.where }, column.attribute, expr)
  )
    return true
  throw new NotPushable(`cannot update primary key column ${column.name}`, {
    hint: 'Spanner does not change the primary key of a row: insert a new row and delete the old one.',
  })
}
