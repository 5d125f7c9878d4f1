import type {
  BackendDatabase,
  CallOptions,
  SpannerParam,
  SpannerStatement,
} from '../backend/backend.ts'
import { PgError } from '../base/pg-error.ts'
import { SQL_STATE } from '../base/sql-state.ts'
import type { PinnedConnection } from '../companion/companion-types.ts'
import { findColumnStorage } from '../types/storage.ts'
import { type Difference, findDifference } from './difference.ts'
import { emitSpannerDdl, type SpannerDdl } from './emit-spanner-ddl.ts'
import { quotePhysical } from './logical-schema.ts'
import { type MappingResult, mapPhysical } from './physical-mapping.ts'
import { type SequenceKind, type StoredObject, toPhysicalSchema } from './physical-schema.ts'
import { emitPostgresName } from './postgres-text.ts'
import type { SchemaState } from './schema-state.ts'
import type { Snapshot } from './snapshot.ts'
import { readTextRows } from './spanner-query.ts'
import type { AddedValues } from './transaction-tables.ts'
import { unsupported } from './unsupported.ts'

/** What a client's transaction makes of the schema. */
export interface DdlPlan {
  readonly before: SchemaState
  /** The catalogs of the transaction. */
  readonly after: Snapshot
  readonly rows: readonly StoredObject[]
  readonly statements: readonly SpannerDdl[]
  /** Of `statements` those that put sequences back. */
  readonly restarts: readonly SpannerDdl[]
  /** Spanner's table to (new column to the expression that fills rows that are there). */
  readonly backfills: ReadonlyMap<string, ReadonlyMap<string, string>>
  /** What fills new columns of rows that are there, behind `statements`: these need an expansion. */
  readonly fills: readonly TableFill[]
  /** DML that goes with the writing of the rows. */
  readonly updates: readonly string[]
  readonly isEmpty: boolean
  /** Whether it was asked if tables hold rows. */
  readonly dependsOnRows: boolean
}

/** The UPDATE of one table. */
export interface TableFill {
  /** Spanner's name. */
  readonly table: string
  readonly statement: SpannerStatement
}

/** What planning asks outside. */
export interface PlanHost {
  readonly backend: BackendDatabase
  readonly pinned: PinnedConnection
  readonly added: AddedValues
  readonly newId: () => string
  /** Spanner's names of the tables whose rows the transaction has changed. */
  readonly written: ReadonlySet<string>
}

/** The setting that says how new sequences give their values. */
const SEQUENCE_KIND_SETTING = 'spanwire.sequence_kind'
/** Tables that are found to be empty lead to no further questions; this many rounds is a defect. */
const MAX_ROUNDS = 3

/** Plans the way from a state to the schema of the pinned transaction. Refuses (0A000) what Spanner cannot be made to hold. */
export async function planDdl(
  before: SchemaState,
  after: Snapshot,
  host: PlanHost,
  options: CallOptions,
): Promise<DdlPlan> {
  const difference = findDifference(before.snapshot, after)
  if (difference.isEmpty) {
    const nothing = { statements: [], restarts: [], fills: [], updates: [], backfills: new Map() }
    return { before, after, rows: before.rows, ...nothing, isEmpty: true, dependsOnRows: false }
  }
  const sequenceKind = await readSequenceKind(host.pinned)
  const answers = new Map<string, boolean>()
  let result: MappingResult | undefined
  for (let round = 0; result === undefined || result.questions.length > 0; round++) {
    if (round === MAX_ROUNDS)
      throw unsupported('schema change is too complex', 'Change one thing at a time.')
    for (const table of result?.questions ?? []) {
      const isEmpty = !host.written.has(table) && (await isTableEmpty(host.backend, table, options))
      answers.set(table, isEmpty)
    }
    result = mapPhysical({
      difference,
      stored: before.byOid,
      storageOf: findColumnStorage,
      sequenceKind,
      added: host.added,
      newId: host.newId,
      written: host.written,
      isEmpty: (table) => answers.get(table),
    })
  }
  const restarts = await findRestarts(difference, before, host.pinned)
  const statements = emitSpannerDdl(
    toPhysicalSchema(before.rows),
    toPhysicalSchema(result.rows),
    result.backfills,
  )
  return {
    before,
    after,
    rows: result.rows,
    statements: [...statements, ...restarts],
    restarts,
    backfills: result.backfills,
    fills: [...result.fills].filter(([, fills]) => fills.size > 0).map(toTableFill),
    updates: result.updates,
    isEmpty: false,
    dependsOnRows: answers.size > 0,
  }
}

function toTableFill([table, fills]: [string, ReadonlyMap<string, SpannerParam>]): TableFill {
  const set = [...fills.keys()].map((column, i) => `${quotePhysical(column)} = $${i + 1}`)
  const sql = `UPDATE ${quotePhysical(table)} SET ${set.join(', ')} WHERE TRUE`
  return { table, statement: { sql, params: [...fills.values()] } }
}

async function readSequenceKind(pinned: PinnedConnection): Promise<SequenceKind> {
  const [row] = await pinned.query('select pg_catalog.current_setting($1, true) as value', [
    SEQUENCE_KIND_SETTING,
  ])
  const value = row?.['value'] ?? ''
  if (value === '' || value === 'bit_reversed') return 'bit-reversed'
  if (value === 'ascending') return 'ascending'
  throw new PgError(
    SQL_STATE.invalidParameterValue,
    `invalid value for parameter "${SEQUENCE_KIND_SETTING}": "${value}"`,
    { hint: 'Available values: bit_reversed, ascending.' },
  )
}

/** Whether Spanner has no row of a table, by its name there. */
export async function isTableEmpty(
  backend: BackendDatabase,
  physicalName: string,
  options: CallOptions,
): Promise<boolean> {
  const sql = `SELECT 'x' FROM ${quotePhysical(physicalName)} LIMIT 1`
  return (await readTextRows(backend, sql, options)).length === 0
}

/**
 * ALTER SEQUENCE .. RESTART shows as a new file alone. Sequences of a mirror are never drawn from, so that their last value is
 * where they restart; other options write a new file too, and then it says nothing unless it left the old start.
 */
async function findRestarts(
  difference: Difference,
  before: SchemaState,
  pinned: PinnedConnection,
): Promise<SpannerDdl[]> {
  const statements: SpannerDdl[] = []
  for (const change of difference.sequences) {
    if (change.kind !== 'kept' || change.before.file === change.after.file) continue
    const row = before.byOid.get(change.after.oid)
    if (row?.kind !== 'sequence') continue
    const { declared } = change.after
    const [found] = await pinned.query(
      `select last_value::text as value from ${emitPostgresName(declared)}`,
    )
    const value = BigInt(found?.['value'] ?? declared.start)
    const isAltered = JSON.stringify(change.before.declared) !== JSON.stringify(declared)
    if (isAltered && value.toString() === change.before.declared.start) continue
    const isStepping = row.nextvalSql.includes(' - 1) * ')
    const start = row.origin ?? change.before.declared.start
    const counter = counterFor(value, isStepping ? { ...declared, start } : undefined)
    if (counter < 1n) {
      throw unsupported(
        `sequence "${declared.name}" cannot restart with ${value}`,
        'Restart it with a value that it can give.',
      )
    }
    statements.push({
      sql: `ALTER SEQUENCE ${quotePhysical(row.physical.name)} RESTART COUNTER WITH ${counter}`,
    })
  }
  return statements
}

/** The counter that gives a value; 0 where none does. Stepping sequences compute theirs from a counter that begins at one. */
function counterFor(
  value: bigint,
  stepping: { readonly start: string; readonly increment: string } | undefined,
): bigint {
  if (stepping === undefined) return value
  const distance = value - BigInt(stepping.start)
  const increment = BigInt(stepping.increment)
  return distance % increment === 0n ? distance / increment + 1n : 0n
}
