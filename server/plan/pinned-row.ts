import type { Table } from '../schema/logical-schema.ts'
import { findOperatorName } from '../sql/builtin-catalog.ts'
import type { Expr } from '../sql/query-tree.ts'
import type { EmitContext } from './emission.ts'
import { plainOperator } from './emit-call.ts'
import { isSameExpr, someExpr } from './expression-tree.ts'
import { keyOf } from './unique-keys.ts'

/** The rows of one range table entry that a condition leaves. */
export interface FilteredRows {
  readonly rtindex: number
  readonly where: Expr | undefined
}

/** Whether a condition leaves at most one row: it compares every column of the primary key with something that is no column. */
export function pinsOneRow(
  context: EmitContext,
  rows: FilteredRows & { readonly table: Table },
): boolean {
  const key = keyOf(rows.table)
  if (key.length === 0) return false
  const equalities = equalitiesOf(rows)
  return key.every((column) =>
    equalities.some(
      ({ attribute, value, operator }) =>
        attribute === column.attribute &&
        plainOperator(context, operator) === '=' &&
        !someExpr(
          value,
          (part) => part.kind === 'Var' || part.kind === 'SubLink' || part.kind === 'Unsupported',
        ),
    ),
  )
}

/** Whether a condition says that a column has the value of this very expression. */
export function isPinned(rows: FilteredRows, attribute: number, expr: Expr): boolean {
  return equalitiesOf(rows).some(
    (equality) => equality.attribute === attribute && isSameExpr(equality.value, unlabelled(expr)),
  )
}

interface Equality {
  readonly attribute: number
  readonly value: Expr
  readonly operator: number
}

/** `column = value` among what the condition joins by AND. */
function equalitiesOf({ rtindex, where }: FilteredRows): readonly Equality[] {
  if (where === undefined) return []
  if (where.kind === 'BoolExpr' && where.op === 'and') {
    return where.args.flatMap((arg) => equalitiesOf({ rtindex, where: arg }))
  }
  if (where.kind !== 'OpExpr' || findOperatorName(where.operator) !== '=') return []
  const [left, right] = where.args
  if (left === undefined || right === undefined) return []
  return [
    asEquality(where.operator, rtindex, [left, right]),
    asEquality(where.operator, rtindex, [right, left]),
  ].flat()
}

/** The value itself, without a cast between types that hold it alike. */
function unlabelled(expr: Expr): Expr {
  return expr.kind === 'RelabelType' ? unlabelled(expr.arg) : expr
}

function asEquality(
  operator: number,
  rtindex: number,
  [column, value]: readonly [Expr, Expr],
): readonly Equality[] {
  const variable = unlabelled(column)
  if (variable.kind !== 'Var' || variable.rtindex !== rtindex || variable.levelsUp !== 0) return []
  return [{ attribute: variable.attribute, value: unlabelled(value), operator }]
}
