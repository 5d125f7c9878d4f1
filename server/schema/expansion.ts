import type { BackendDatabase, CallOptions } from '../backend/backend.ts'
import { BackendError } from '../backend/backend-error.ts'
import { applyDdl, updateWhenFree } from './ddl-apply.ts'
import { toDdlPgError } from './ddl-errors.ts'
import type { DdlPlan } from './ddl-plan.ts'
import { emitSpannerDdl, type SpannerDdl } from './emit-spanner-ddl.ts'
import { expandedSchema, tablesWithWaitingDefaults } from './expanded-schema.ts'
import { buildLogicalSchema } from './logical-schema-builder.ts'
import {
  missingFrom,
  type PhysicalSchema,
  type PhysicalTable,
  type StoredObject,
  toPhysicalSchema,
} from './physical-schema.ts'
import { bindRows, type SchemaState } from './schema-state.ts'
import type { RowChanges } from './schema-types.ts'
import { unsupported } from './unsupported.ts'
import { toBackendError, type WaitingDemand, waitingDemands } from './waiting-demands.ts'

/** What Spanner holds for an open transaction that declares and changes rows, beside what it holds for everybody. */
export interface Expansion {
  /** The schema that the transaction began on. */
  readonly before: SchemaState
  /** What the transaction had declared by then. */
  readonly state: SchemaState
  readonly held: PhysicalSchema
}

/** The state that a plan leads to, seen by its transaction alone. */
export function plannedState(plan: DdlPlan, revision: bigint): SchemaState {
  const byOid = bindRows(plan.after, plan.rows)
  const logical = buildLogicalSchema(revision, plan.after, byOid)
  return { logical, rows: plan.rows, snapshot: plan.after, byOid }
}

/** What a plan is to be made true of. */
export interface ExpansionStart {
  readonly plan: DdlPlan
  /** The expansion before this one. */
  readonly expansion: Expansion | undefined
  readonly rows: RowChanges
  /** What goes before all else, and stays. */
  readonly first: readonly SpannerDdl[]
  readonly revision: bigint
  /** More rows will be changed. */
  readonly goesOn: boolean
}

/**
 * Makes Spanner hold what the transaction has declared, as far as its rows and those of others go along with that. The transaction's attempt
 * at Spanner ends for it, where there is anything to do. Where it fails, nothing of it stays.
 */
export async function expand(
  backend: BackendDatabase,
  { plan, expansion, rows, first, revision, goesOn }: ExpansionStart,
  options: CallOptions,
): Promise<Expansion> {
  const before = expansion?.before ?? plan.before
  const held = expansion?.held ?? toPhysicalSchema(before.rows)
  if (expansion !== undefined) refuseNamesAgain(expansion, plan.rows)
  const written = new Set([...rows.written, ...plan.fills.map(({ table }) => table)])
  const next = expandedSchema(held, toPhysicalSchema(plan.rows), written)
  refuseFilledColumns(plan, rows.written)
  if (goesOn) refuseWaitingDefaults(next, plan)
  const statements = [...first, ...emitSpannerDdl(held, next, plan.backfills)]
  if (statements.length > 0) {
    await rows.rest()
    await applyDdl(backend, statements, plan.rows, { options, record: async () => {} })
  }
  return { before, state: plannedState(plan, revision), held: next }
}

/** Brings Spanner back to what it held before: by an earlier expansion, or for everybody. Where that fails, some of it may be done. */
export async function takeBackExpansion(
  backend: BackendDatabase,
  { from, to }: { readonly from: Expansion; readonly to: Expansion | undefined },
  options: CallOptions,
): Promise<void> {
  const target = to?.held ?? toPhysicalSchema(from.before.rows)
  const statements = emitSpannerDdl(from.held, target, new Map())
  await updateWhenFree(
    backend,
    statements.map(({ sql }) => sql),
    options,
  )
}

/** What is left to do when the rows are committed. */
export function contraction({ held }: Expansion, plan: DdlPlan): readonly SpannerDdl[] {
  const after = toPhysicalSchema(plan.rows)
  return [...emitSpannerDdl(held, after, new Map()), ...plan.restarts]
}

interface Asked {
  readonly rows: RowChanges
  readonly options: CallOptions
}

/** Throws the error of PostgreSQL where the transaction's rows do not meet what it declared, as Spanner would find later. */
export async function demandOfRows(
  { held }: Expansion,
  plan: DdlPlan,
  asked: Asked,
): Promise<void> {
  await demand(waitingDemands(held, toPhysicalSchema(plan.rows)), plan, asked)
}

/** The same when it is declared, of tables that have all their columns by then. */
export async function demandAtOnce(
  expansion: Expansion | undefined,
  plan: DdlPlan,
  asked: Asked,
): Promise<void> {
  const held = expansion?.held ?? toPhysicalSchema(plan.before.rows)
  const after = toPhysicalSchema(plan.rows)
  const columns = new Map(held.tables.map((table) => [table.name, table.columns]))
  const isThere = (table: PhysicalTable | undefined) =>
    table !== undefined && missingFrom(table.columns, columns.get(table.name) ?? []).length === 0
  const tables = after.tables.filter(isThere)
  const names = new Set(tables.map(({ name }) => name))
  const asking = tables.map((table) => ({
    ...table,
    foreignKeys: table.foreignKeys.filter(({ referencedTable }) => names.has(referencedTable)),
  }))
  const next = expandedSchema(held, after, asked.rows.written)
  await demand(waitingDemands(next, { ...after, tables: asking }), plan, asked)
}

async function demand(
  demands: readonly WaitingDemand[],
  plan: DdlPlan,
  { rows, options }: Asked,
): Promise<void> {
  for (const asked of demands) {
    const [found] = await rows.read(asked.sql, options)
    if (found === undefined) continue
    throw toDdlPgError(toBackendError(asked, found), plan.rows, undefined)
  }
}

/** Refuses further changes of rows of tables whose new defaults wait for those that were made before. */
function refuseWaitingDefaults(held: PhysicalSchema, plan: DdlPlan): void {
  const [table] = tablesWithWaitingDefaults(held, toPhysicalSchema(plan.rows))
  if (table === undefined) return
  throw unsupported(
    `another default of a column of "${declaredName(plan.rows, table)}" between changes of its rows in one transaction`,
    'Commit the transaction between the two.',
  )
}

/** A column that is filled for the rows that are there, and then no more, would be filled for those that are done again. */
function refuseFilledColumns({ backfills, rows }: DdlPlan, written: ReadonlySet<string>): void {
  const table = [...backfills].find(([name, fills]) => fills.size > 0 && written.has(name))?.[0]
  if (table === undefined) return
  throw unsupported(
    `a new column of "${declaredName(rows, table)}" with a default for its rows, some of which the transaction has written`,
    'Commit the transaction between the two.',
  )
}

/** What was dropped is still there under its name. */
function refuseNamesAgain({ state, held }: Expansion, rows: readonly StoredObject[]): void {
  const known = namesOf(toPhysicalSchema(state.rows))
  const there = namesOf(held)
  const again = [...namesOf(toPhysicalSchema(rows))].find(
    (name) => there.has(name) && !known.has(name),
  )
  if (again === undefined) return
  throw unsupported(
    `"${again.slice(again.lastIndexOf(' ') + 1)}" was dropped and is made again in one transaction that changes rows`,
    'Commit the transaction between the two.',
  )
}

/** All names of tables, and in each of them. */
function namesOf({ sequences, tables }: PhysicalSchema): ReadonlySet<string> {
  return new Set([
    ...sequences.map(({ name }) => `sequence ${name}`),
    ...tables.flatMap(({ name, columns, checks, foreignKeys, indexes }) => [
      `table ${name}`,
      ...columns.map((column) => `column of ${name} ${column.name}`),
      ...[...checks, ...foreignKeys, ...indexes].map((part) => `part of ${name} ${part.name}`),
    ]),
  ])
}

function declaredName(rows: readonly StoredObject[], physical: string): string {
  const row = rows.find((one) => one.kind === 'table' && one.physical.name === physical)
  return row?.declared.name ?? physical
}

/** Whether nobody can tell if the transaction was committed. */
export function isOutcomeUnknown(error: unknown): boolean {
  return error instanceof BackendError && error.failure.kind === 'commit-unknown'
}
