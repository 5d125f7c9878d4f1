import { sessionViewsOf } from '../companion/session-views-sql.ts'
import type { Column, Table } from '../schema/logical-schema.ts'
import { FIRST_USER_OID } from '../sql/builtin-catalog.ts'
import { isPerformedOid } from '../sql/performed-functions.ts'
import type { Expr, Query } from '../sql/query-tree.ts'
import { readSessionReads } from '../sql/session-reads.ts'
import { type RelationUse, readTreeUses, type TreeUses } from '../sql/tree-uses.ts'
import type { ChangedTable, ChangedTables } from './changed-tables.ts'
import type { EmitContext } from './emission.ts'
import { emulationName } from './emulation-name.ts'
import { type Beside, emulationPlace } from './emulation-place.ts'
import { isSameExpr } from './expression-tree.ts'
import { firstRows } from './first-rows.ts'
import { canFilter, canTest, emitLoad, type FirstRows, type LoadRequest } from './load-query.ts'
import { NotPushable } from './not-pushable.ts'
import type { EmulateRoute, Load } from './plan.ts'
import { ResultLoads, type ResultsTaken } from './result-loads.ts'
import { sequenceLoad } from './sequence-load.ts'
import { countReads, type TableRead, tableReads } from './table-reads.ts'

/*
 * What Spanner cannot run, a PostgreSQL of our own runs over the rows that it needs: a SELECT of the columns that it names, of the
 * rows that it can have a part in the result, one for each table. The statement itself still tests every condition, so that a
 * load may hold more rows than needed, and must never hold less.
 */

/** A statement that Spanner cannot run, and why. */
export interface Refused {
  /** As the client wrote it; undefined where whole tables are to be loaded. */
  readonly text?: string | undefined
  /** As the companion printed it. */
  readonly tree: string
  readonly query: Query
  readonly reason: NotPushable
  readonly beside?: Beside
  /** What the open transaction has made of the tables. */
  readonly changes?: ChangedTables | undefined
  /** Of a table's row type: a scratch database has a type of its own for each table. */
  readonly hasRowParams?: boolean | undefined
}

/** How to emulate a SELECT; undefined where it reads or does what rows in a scratch database cannot stand for. */
export function emulateRoute(
  { text, tree, query, reason, beside, changes, hasRowParams = false }: Refused,
  statementContext: EmitContext,
): Omit<EmulateRoute, 'refusal'> | undefined {
  const context: EmitContext = { ...statementContext, drawsNothing: true }
  if (query.command !== 'select' || query.hasModifyingCte) return undefined
  const uses = readTreeUses(tree)
  const place = emulationPlace(uses, { beside, hasRowParams }, context)
  const tables = tablesOf(uses, { beside, place }, context)
  if (place === undefined || tables === undefined) return undefined
  const name = emulationName(reason.reason)
  const relations = relationsOf(uses, context)
  const { reads, results } = readsAndResults(
    { query, uses, text: place === 'scratch' ? text : undefined },
    context,
  )
  try {
    const first = uses.relations.length === 1 ? firstRows(query) : undefined
    const loads = [...tables.values()].flatMap((table) => {
      const isHidden = countReads(query, table.oid) !== usesOf(uses, table).length
      const own = readsOf(reads, table)
      if (own.length === 0 && !isHidden) return []
      const parts = { table, place, uses: usesOf(uses, table), reads: own, isHidden, first }
      return [loadOf({ ...parts, changed: changes?.find(table.oid) }, context)]
    })
    const { settings, mustExpandViews } = readSessionReads(tree)
    return {
      kind: 'emulate',
      place,
      name,
      loads: [...loads, ...sequenceLoads(uses, context), ...(results?.loads ?? [])],
      text: results?.text,
      relations,
      views: sessionViewsOf(settings),
      mustExpandViews,
      callsPerformed: [...uses.functions].some(isPerformedOid),
    }
  } catch (error) {
    if (error instanceof NotPushable) return undefined
    throw error
  }
}

/** The sequences that are read as tables. */
function sequenceLoads(uses: TreeUses, context: EmitContext): readonly Load[] {
  const oids = new Set(uses.relations.map(({ relid }) => relid))
  return [...oids].flatMap((oid) => {
    const sequence = context.schema.sequences.get(oid)
    return sequence === undefined ? [] : [sequenceLoad(sequence, context)]
  })
}

interface Readings {
  readonly reads: readonly TableRead[]
  readonly results: ResultsTaken | undefined
}

/** Where tables are read, and what results are loaded instead. Without a text none are. */
function readsAndResults(
  { query, uses, text }: Pick<Refused, 'query' | 'text'> & { readonly uses: TreeUses },
  context: EmitContext,
): Readings {
  const readWith = (results?: ResultLoads) =>
    tableReads(query, uses, (entries, where) => canTest(entries, where, context), results)
  const taker = text === undefined ? undefined : ResultLoads.of(text, query, context)
  const reads = readWith(taker)
  const taken = taker?.finish()
  const isPlain = taken === undefined && taker?.hasTaken === true
  return { reads: isPlain ? readWith() : reads, results: taken }
}

/** The tables that are read, by OID; undefined where something is whose rows are neither there nor in the companion. */
function tablesOf(
  uses: TreeUses,
  { beside, place }: { readonly beside: Beside; readonly place: EmulateRoute['place'] | undefined },
  { schema }: EmitContext,
): ReadonlyMap<number, Table> | undefined {
  const tables = new Map<number, Table>()
  for (const use of uses.relations) {
    const relation = schema.relations.get(use.relid)
    if (relation?.kind === 'table') tables.set(use.relid, relation)
    // Elsewhere it is a sequence of the companion's, which nobody draws from.
    else if (place === 'scratch' && schema.sequences.has(use.relid)) continue
    else if (!isCompanions(use, beside) || schema.sequences.has(use.relid)) return undefined
  }
  return tables
}

/** Catalogs, temporary tables, tables that the transaction made (they have no rows yet), and its sequences, from which nobody draws. */
function isCompanions({ relid, relkind }: RelationUse, beside: Beside): boolean {
  if (relid < FIRST_USER_OID || beside === 'temporary tables') return true
  return beside === 'uncommitted DDL' && (relkind === 'r' || relkind === 'S')
}

/** What must be there under its name, with rows or without. */
function relationsOf(uses: TreeUses, { schema }: EmitContext): EmulateRoute['relations'] {
  const oids = new Set([
    ...uses.relations.map(({ relid }) => relid),
    ...uses.views,
    ...uses.regclasses,
  ])
  return [...oids].flatMap((oid) => {
    const relation = schema.relations.get(oid) ?? schema.sequences.get(oid)
    return relation === undefined ? [] : [{ schema: relation.schema, name: relation.name }]
  })
}

interface TableUses {
  readonly table: Table
  readonly place: EmulateRoute['place']
  readonly uses: readonly RelationUse[]
  readonly reads: readonly TableRead[]
  /** Some place that reads it lies inside of a node without a typed form. */
  readonly isHidden: boolean
  /** What ORDER BY and LIMIT leave of the rows that all conditions are true of. */
  readonly first: FirstRows | undefined
  /** What the open transaction has made of it. */
  readonly changed: ChangedTable | undefined
}

function usesOf(uses: TreeUses, table: Table): readonly RelationUse[] {
  return uses.relations.filter(({ relid }) => relid === table.oid)
}

function readsOf(reads: readonly TableRead[], table: Table): readonly TableRead[] {
  return reads.filter(({ relid }) => relid === table.oid)
}

function loadOf(parts: TableUses, context: EmitContext): Load {
  const { table, reads, first, changed } = parts
  const request: LoadRequest = {
    table,
    columns: neededColumns(parts),
    where: commonCondition(parts, context),
    isLocked: reads.some((read) => read.isLocked),
  }
  if (changed !== undefined) {
    const { loaded, stored } = changed
    const load = emitLoad({ ...request, table: stored, columns: loaded }, asStored(context, stored))
    return changed.convert(load, new Set(parts.uses.flatMap(({ attributes }) => attributes)))
  }
  const conditions = reads.flatMap((read) => read.conditions)
  if (first !== undefined && conditions.every((where) => canFilter(table, where, context))) {
    const load = findLoad({ ...request, first }, context)
    if (load !== undefined) return load
  }
  return emitLoad(request, context)
}

/** The context of a read that takes a table as Spanner has it. */
function asStored(context: EmitContext, table: Table): EmitContext {
  const relations = new Map(context.schema.relations).set(table.oid, table)
  return { ...context, schema: { ...context.schema, relations } }
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

/** What is read, and what cannot be left out of a row. At least one column. */
function neededColumns({ table, place, uses }: TableUses): readonly Column[] {
  const needed = new Set(uses.flatMap(({ attributes }) => attributes))
  const isWholeRow = needed.has(0)
  for (const attribute of demandedAttributes(table, place)) needed.add(attribute)
  const columns = table.columns.filter(({ attribute }) => isWholeRow || needed.has(attribute))
  const loaded = place === 'scratch' ? columns : columns.filter(({ generated }) => !generated)
  return loaded.length > 0 ? loaded : table.columns.slice(0, 1)
}

/**
 * What a row must have in the table that it is loaded into: the primary key; in the mirror, where the table is as the client declared it, also what NOT NULL and
 * CHECKs ask for, what would be filled in otherwise, and what generated columns are computed from.
 */
function demandedAttributes(
  { columns, constraints }: Table,
  place: EmulateRoute['place'],
): readonly number[] {
  const inKey = constraints.filter(({ type }) => type === 'primary-key')
  if (place === 'scratch') return inKey.flatMap((key) => key.columns)
  if (columns.some(({ generated }) => generated)) return columns.map(({ attribute }) => attribute)
  const tested = constraints.filter(({ type }) => type !== 'foreign-key')
  return [
    ...tested.flatMap((constraint) => constraint.columns),
    ...columns.filter(isDemanded).map((column) => column.attribute),
  ]
}

function isDemanded({ notNull, domain, defaultText, identity }: Column): boolean {
  return (
    notNull ||
    domain?.notNull === true ||
    domain?.isConstrained === true ||
    defaultText !== undefined ||
    identity !== undefined
  )
}

/** What holds for the rows of one place or another; undefined where some place needs every row. */
function commonCondition(parts: TableUses, context: EmitContext): Expr | undefined {
  if (parts.isHidden) return undefined
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
