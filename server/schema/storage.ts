import type { BackendDatabase, CallOptions, SpannerStatement } from '../backend/backend.ts'
import { Bug, PgError } from '../base/pg-error.ts'
import { SQL_STATE } from '../base/sql-state.ts'
import { isSameDeclaration } from './declared-object.ts'
import { runOwnTransaction } from './own-transaction.ts'
import type { StoredObject } from './physical-schema.ts'
import type { RowChanges } from './schema-types.ts'
import { bigintParam, readTextRows, type TextRow, textParam } from './spanner-query.ts'

/*
 * The logical schema is kept in Spanner, in the named schema `spanwire` of the database itself: one row an object, and one row
 * with the version of them all. The definition is text, not jsonb: it comes back byte for byte, whatever the backend thinks of
 * the order of keys.
 */

/** Makes the schema of all tables of the proxy's own. */
export const SCHEMA_DDL = 'CREATE SCHEMA spanwire'

/** Makes the tables, once the schema is there; among the first statements of the first DDL batch. */
export const STORAGE_DDL: readonly string[] = [
  `CREATE TABLE spanwire.versions (
  id bigint NOT NULL,
  version bigint NOT NULL,
  PRIMARY KEY (id)
)`,
  `CREATE TABLE spanwire.objects (
  id character varying(36) NOT NULL,
  kind character varying NOT NULL,
  schema_name character varying,
  name character varying NOT NULL,
  definition character varying NOT NULL,
  version bigint NOT NULL,
  PRIMARY KEY (id)
)`,
]

/** Bytes of definitions that one ExecuteBatchDml carries at most; Spanner's limit of a request is 10 MiB. */
const MAX_BATCH_BYTES = 4 * 1024 * 1024
/** ExecuteBatchDml's bound on statements (Spanner manual, "Quotas and limits"). */
const MAX_BATCH_STATEMENTS = 500

/** Which tables there are: those of the proxy's own that hold the schema, and any others, or views. */
export async function findTables(
  backend: BackendDatabase,
  options: CallOptions,
): Promise<{ readonly hasStorage: boolean; readonly hasTables: boolean }> {
  const rows = await readTextRows(
    backend,
    `SELECT table_schema, table_name FROM information_schema.tables
     WHERE table_schema NOT IN ('information_schema', 'pg_catalog', 'spanner_sys')`,
    options,
  )
  const isOwn = ([schema]: TextRow) => schema === 'spanwire'
  return {
    hasStorage: rows.some((row) => isOwn(row) && row[1] === 'objects'),
    hasTables: !rows.every(isOwn),
  }
}

/** Whether the schema of the proxy's own tables exists: tables of another subject may have been there first. */
export async function hasOwnSchema(
  backend: BackendDatabase,
  options: CallOptions,
): Promise<boolean> {
  const rows = await readTextRows(
    backend,
    "SELECT schema_name FROM information_schema.schemata WHERE schema_name = 'spanwire'",
    options,
  )
  return rows.length > 0
}

/** The version of the stored rows; 0 where nothing was stored yet. */
export async function readVersion(backend: BackendDatabase, options: CallOptions): Promise<bigint> {
  const rows = await readTextRows(
    backend,
    'SELECT version FROM spanwire.versions WHERE id = 1',
    options,
  )
  return BigInt(rows[0]?.[0] ?? '0')
}

/** What is stored in Spanner, as last read or written. */
export interface Stored {
  readonly version: bigint
  readonly rows: readonly StoredObject[]
}

/** All stored rows and the version that they are of, in one consistent read. */
export async function readStored(backend: BackendDatabase, options: CallOptions): Promise<Stored> {
  const found = await readTextRows(
    backend,
    `SELECT version, NULL FROM spanwire.versions WHERE id = 1 UNION ALL
     SELECT version, definition FROM spanwire.objects`,
    options,
  )
  let version = 0n
  const rows: StoredObject[] = []
  for (const [rowVersion, definition] of found) {
    if (definition === null || definition === undefined) version = BigInt(rowVersion ?? '0')
    else rows.push(JSON.parse(definition) as StoredObject)
  }
  return { version, rows }
}

/** One step of the stored schema. */
export interface StoredChange {
  readonly before: readonly StoredObject[]
  readonly after: readonly StoredObject[]
  /** The version of `before`; 0 where nothing is stored yet, and then `before` is not in the tables either. */
  readonly version: bigint
  /** DML that must take effect with it. */
  readonly updates?: readonly string[]
}

/**
 * Writes what differs and raises the version by one, in one transaction. Rejects with 40001 where somebody else raised it
 * first; a transaction that Spanner aborts is run again until the deadline.
 */
export async function writeStored(
  backend: BackendDatabase,
  change: StoredChange,
  options: CallOptions,
): Promise<void> {
  await runOwnTransaction(
    backend,
    (transaction) =>
      writeIn(change, async (batch) => {
        const { rowCounts, error } = await transaction.executeBatch(batch, {
          ...options,
          isDml: true,
        })
        if (error !== undefined) throw error
        return rowCounts
      }),
    options,
  )
}

/** The same in the transaction of a client, whose commit makes it last. */
export function writeStoredIn(
  rows: RowChanges,
  change: StoredChange,
  options: CallOptions,
): Promise<void> {
  return writeIn(change, (batch) => rows.write(batch, [], options))
}

async function writeIn(
  change: StoredChange,
  send: (batch: readonly SpannerStatement[]) => Promise<readonly bigint[]>,
): Promise<void> {
  const updates = (change.updates ?? []).map((sql) => ({ sql, params: [] }))
  const batches = splitBatches([raiseVersion(change.version), ...changedRows(change), ...updates])
  for (const [index, batch] of batches.entries()) {
    const rowCounts = await send(batch)
    if (index === 0 && change.version > 0n && rowCounts[0] !== 1n) throw concurrentChange()
  }
}

/** 40001: somebody else changed the schema meanwhile. */
export function concurrentChange(): PgError {
  return new PgError(
    SQL_STATE.serializationFailure,
    'could not serialize access due to concurrent update',
    {
      detail: 'The schema was changed by another client.',
      hint: 'The transaction might succeed if retried.',
    },
  )
}

function raiseVersion(version: bigint): SpannerStatement {
  if (version === 0n) {
    return { sql: 'INSERT INTO spanwire.versions (id, version) VALUES (1, 1)', params: [] }
  }
  return {
    sql: 'UPDATE spanwire.versions SET version = $1 WHERE id = 1 AND version = $2',
    params: [bigintParam(version + 1n), bigintParam(version)],
  }
}

function changedRows({ before, after, version }: StoredChange): SpannerStatement[] {
  const stored = new Map(version === 0n ? [] : before.map((row) => [row.id, row]))
  const left = new Set(after.map((row) => row.id))
  const statements: SpannerStatement[] = []
  for (const row of after) {
    const old = stored.get(row.id)
    if (old !== undefined && isSameDeclaration(old, row)) continue
    statements.push(old === undefined ? insertRow(row, version + 1n) : updateRow(row, version + 1n))
  }
  for (const id of stored.keys()) {
    if (!left.has(id)) {
      statements.push({
        sql: 'DELETE FROM spanwire.objects WHERE id = $1',
        params: [textParam(id)],
      })
    }
  }
  return statements
}

function rowParams(row: StoredObject, version: bigint) {
  const { declared } = row
  return [
    textParam(row.id),
    textParam(row.kind),
    textParam(declared.kind === 'schema' ? undefined : declared.schema),
    textParam(declared.name),
    textParam(JSON.stringify(row)),
    bigintParam(version),
  ]
}

function insertRow(row: StoredObject, version: bigint): SpannerStatement {
  return {
    sql: `INSERT INTO spanwire.objects (id, kind, schema_name, name, definition, version) VALUES ($1, $2, $3, $4, $5, $6)`,
    params: rowParams(row, version),
  }
}

function updateRow(row: StoredObject, version: bigint): SpannerStatement {
  return {
    sql: 'UPDATE spanwire.objects SET kind = $2, schema_name = $3, name = $4, definition = $5, version = $6 WHERE id = $1',
    params: rowParams(row, version),
  }
}

function splitBatches(statements: readonly SpannerStatement[]): SpannerStatement[][] {
  const batches: SpannerStatement[][] = [[]]
  let sizeBytes = 0
  for (const statement of statements) {
    const size = statement.params.reduce(
      (sum, param) => sum + param.value.length,
      statement.sql.length,
    )
    const current = batches.at(-1)
    if (current === undefined) throw new Bug('storage: no batch')
    if (
      current.length > 0 &&
      (sizeBytes + size > MAX_BATCH_BYTES || current.length === MAX_BATCH_STATEMENTS)
    ) {
      batches.push([statement])
      sizeBytes = size
    } else {
      current.push(statement)
      sizeBytes += size
    }
  }
  return batches
}
