import type { Table } from '../schema/logical-schema.ts'
import type { Expr, Query } from '../sql/query-tree.ts'
import type { Emission, EmittedSelect, Place } from './emission.ts'
import { mustFindTable } from './emit-var.ts'
import { someExpr } from './expression-tree.ts'
import { NotPushable } from './not-pushable.ts'
import { resultColumn } from './query-outputs.ts'
import { Scope } from './scope.ts'

/** A statement that writes, with the table that it writes to. */
export interface WrittenTable {
  readonly query: Query
  readonly table: Table
  readonly scope: Scope
  /** What the SQL calls the table. */
  readonly alias: string
}

/** Looks the written table up and refuses what no DML statement of Spanner's can have. */
export function openDml(emission: Emission, query: Query): WrittenTable {
  if (query.hasModifyingCte) throw new NotPushable('INSERT, UPDATE or DELETE in WITH')
  if (query.hasCheckOptions) throw new NotPushable('a view WITH CHECK OPTION')
  const scope = new Scope(query, undefined, { newAlias: emission.newAlias })
  const entry = scope.entry(query.resultRelation)
  if (entry.kind !== 'relation') throw new NotPushable('a write to something else than a table')
  const table = mustFindTable(emission, entry)
  return { query, table, scope, alias: scope.alias(query.resultRelation) }
}

/** ` RETURNING ..`, and its columns. */
export function emitReturning(emission: Emission, { query, scope }: WrittenTable): EmittedSelect {
  const targets = query.returningList.filter((target) => !target.junk)
  if (targets.length === 0) return { sql: '', columns: [] }
  const list = targets.map((target) =>
    emission.expression(target.expr, { scope, noticesRange: true }),
  )
  return {
    sql: ` RETURNING ${list.join(', ')}`,
    columns: targets.map(({ expr }) => resultColumn(expr)),
  }
}

/**
 * Whether an expression came out of the catalogs, as the default of a column: nothing in it stands in the client's text.
 */
export function isFromDefault(expr: Expr): boolean {
  return !someExpr(
    expr,
    (part) => part.kind === 'Var' || ('location' in part && part.location !== -1),
  )
}

/** What is written to a column: a NULL needs no type there. */
export function emitNewValue(emission: Emission, expr: Expr, place: Place): string {
  return expr.kind === 'Const' && expr.isNull ? 'NULL' : emission.expression(expr, place)
}
