import type { Column, Table } from '../schema/logical-schema.ts'
import { FIRST_USER_OID } from '../sql/builtin-catalog.ts'
import type { Expr, Query } from '../sql/query-tree.ts'
import { readSessionReads } from '../sql/session-reads.ts'
import { type RelationUse, readTreeUses, type TreeUses } from '../sql/tree-uses.ts'
import { isSessionFunction } from './computed-expressions.ts'
import type { EmitContext } from './emission.ts'
import { emulationName } from './emulation-name.ts'
import { isSameExpr } from './expression-tree.ts'
import { firstRows } from './first-rows.ts'
import { canFilter, emitLoad, type FirstRows, type LoadRequest } from './load-query.ts'
import { NotPushable } from './not-pushable.ts'
import type { EmulateRoute, Load } from './plan.ts'
import { type TableRead, tableReads } from './table-reads.ts'

/*
 * What Spanner cannot run, a PostgreSQL of our own runs over the rows that it needs: a SELECT of the columns that it names, of the
 * rows that it can have a part in the result, one for each table. The statement itself still tests every condition, so that a
 * load may hold more rows than needed, and must never hold less.
 */

/** A statement that Spanner cannot run, and why. */
export interface Refused {
  /** As the companion printed it. */
  readonly tree: string
  readonly query: Query
  readonly reason: NotPushable
}

/** How to emulate a SELECT; undefined where it reads or does what rows in a scratch database cannot stand for. */
export function emulateRoute(
  { tree, query, reason }: Refused,
  context: EmitContext,
): Omit<EmulateRoute, 'refusal'> | undefined {
  if (query.command !== 'select' || query.hasModifyingCte) return undefined
  const uses = readTreeUses(tree)
  if (uses.namesDatabase || ![...uses.functions].every((oid) => canRunInScratch(oid, context)))
    return undefined
  const tables = tablesOf(uses, context)
  if (tables === undefined) return undefined
  const name = emulationName(reason.reason)
  const relations = relationsOf(uses, context)
  const reads = tableReads(query, uses)
  try {
    const first = uses.relations.length === 1 ? firstRows(query) : undefined
    const loads = [...tables.values()].map((table) =>
      loadOf({ table, uses: usesOf(uses, table), reads: readsOf(reads, table), first }, context),
    )
    const { hasMomentInView } = readSessionReads(tree)
    return { kind: 'emulate', name, loads, relations, hasMomentInView }
  } catch (error) {
    if (error instanceof NotPushable) return undefined
    throw error
  }
}

/** Those of the session belong to another session there; extensions are there too. */
function canRunInScratch(oid: number, { schema }: EmitContext): boolean {
  if (oid >= FIRST_USER_OID) return schema.extensions.functions.has(oid)
  return !isSessionFunction(oid)
}

/** The tables that are read, by OID; undefined where something else than a table of the schema is. */
function tablesOf(uses: TreeUses, { schema }: EmitContext): ReadonlyMap<number, Table> | undefined {
  const tables = new Map<number, Table>()
  for (const { relid } of uses.relations) {
    const relation = schema.relations.get(relid)
    if (relation?.kind !== 'table') return undefined
    tables.set(relid, relation)
  }
  return tables
}

/** What must be there under its name, with rows or without. */
function relationsOf(uses: TreeUses, { schema }: EmitContext): EmulateRoute['relations'] {
  const oids = new Set([
    ...uses.relations.map(({ relid }) => relid),
    ...uses.views,
    ...uses.regclasses,
  ])
  return [...oids].flatMap((oid) => {
    const relation = schema.relations.get(oid)
    return relation === undefined ? [] : [{ schema: relation.schema, name: relation.name }]
  })
}

interface TableUses {
  readonly table: Table
  readonly uses: readonly RelationUse[]
  readonly reads: readonly TableRead[]
  /** What ORDER BY and LIMIT leave of the rows that all conditions are true of. */
  readonly first: FirstRows | undefined
}

function usesOf(uses: TreeUses, table: Table): readonly RelationUse[] {
  return uses.relations.filter(({ relid }) => relid === table.oid)
}

function readsOf(reads: readonly TableRead[], table: Table): readonly TableRead[] {
  return reads.filter(({ relid }) => relid === table.oid)
}

function loadOf(parts: TableUses, context: EmitContext): Load {
  const { table, reads, first } = parts
  const request: LoadRequest = {
    table,
    columns: neededColumns(parts),
    where: commonCondition(parts, context),
    isLocked: reads.some((read) => read.isLocked),
  }
  const conditions = reads.flatMap((read) => read.conditions)
  if (first !== undefined && conditions.every((where) => canFilter(table, where, context))) {
    const load = findLoad({ ...request, first }, context)
    if (load !== undefined) return load
  }
  return emitLoad(request, context)
}

/** undefined where Spanner cannot say it. */
function findLoad(request: LoadRequest, context: EmitContext): Load | undefined {
  try {
    return emitLoad(request, context)
  } catch (error) {
    if (error instanceof NotPushable) return undefined
    throw error
  }
}

/** What is read, and the primary key, which cannot be left out of a row. At least one column. */
function neededColumns({ table, uses }: TableUses): readonly Column[] {
  const needed = new Set(uses.flatMap(({ attributes }) => attributes))
  const isWholeRow = needed.has(0)
  const key = table.constraints.find(({ type }) => type === 'primary-key')?.columns ?? []
  for (const attribute of key) needed.add(attribute)
  const columns = table.columns.filter(({ attribute }) => isWholeRow || needed.has(attribute))
  return columns.length > 0 ? columns : table.columns.slice(0, 1)
}

/** What holds for the rows of one place or another; undefined where some place needs every row. */
function commonCondition(parts: TableUses, context: EmitContext): Expr | undefined {
  // A place that is not among the reads lies inside of a node without a typed form.
  if (parts.reads.length !== parts.uses.length) return undefined
  const alternatives: Expr[] = []
  for (const { conditions } of parts.reads) {
    const pushed = conditions.filter((condition) => canFilter(parts.table, condition, context))
    const all = joined('and', pushed)
    if (all === undefined) return undefined
    if (!alternatives.some((known) => isSameExpr(known, all))) alternatives.push(all)
  }
  return joined('or', alternatives)
}

function joined(op: 'and' | 'or', exprs: readonly Expr[]): Expr | undefined {
  if (exprs.length < 2) return exprs[0]
  return { kind: 'BoolExpr', op, args: exprs, location: -1 }
}
