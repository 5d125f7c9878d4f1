import type {
  BackendDatabase,
  BackendTransaction,
  CallOptions,
  SpannerStatement,
} from '../backend/backend.ts'
import { updateWhenFree } from './ddl-apply.ts'
import { runOwnTransaction } from './own-transaction.ts'
import { readTextRows, textParam, textRows } from './spanner-query.ts'
import { hasOwnSchema, SCHEMA_DDL } from './storage.ts'

/*
 * Advisory locks as several proxies see them, in the named schema `spanwire` of the database: one row a proxy that holds any, with
 * the moment that its lease ends, and one row a key and proxy. What belongs to a proxy whose lease has ended is nobody's. All
 * moments are the server's: the clocks of the proxies are never compared.
 */

const TABLES: ReadonlyMap<string, string> = new Map([
  [
    'lock_holders',
    `CREATE TABLE spanwire.lock_holders (
  holder character varying(36) NOT NULL,
  lease_until timestamp with time zone NOT NULL,
  PRIMARY KEY (holder)
)`,
  ],
  [
    'advisory_locks',
    `CREATE TABLE spanwire.advisory_locks (
  lock_key character varying(64) NOT NULL,
  holder character varying(36) NOT NULL,
  mode character varying(9) NOT NULL,
  PRIMARY KEY (lock_key, holder)
)`,
  ],
])

/** A proxy's wish for a key. */
export interface LockRow {
  /** One bigint, or two integers with a comma between. */
  readonly key: string
  readonly holder: string
  readonly mode: 'shared' | 'exclusive'
}

/** What became of an attempt; `lost`: the holder's own lease has ended. */
export type LockAttempt = 'taken' | 'in-use' | 'lost'

/** Makes the tables where they are missing, even where another proxy does so at the same time. */
export async function ensureLockTables(
  backend: BackendDatabase,
  options: CallOptions,
): Promise<void> {
  const missing = await missingTables(backend, options)
  if (missing.length === 0) return
  const schema = (await hasOwnSchema(backend, options)) ? [] : [SCHEMA_DDL]
  try {
    await updateWhenFree(backend, [...schema, ...missing], options)
  } catch (error) {
    if ((await missingTables(backend, options)).length > 0) throw error
  }
}

async function missingTables(
  backend: BackendDatabase,
  options: CallOptions,
): Promise<readonly string[]> {
  const rows = await readTextRows(
    backend,
    "SELECT table_name FROM information_schema.tables WHERE table_schema = 'spanwire'",
    options,
  )
  const present = new Set(rows.map(([name]) => name))
  return [...TABLES].flatMap(([name, sql]) => (present.has(name) ? [] : sql))
}

/** Gives a proxy its lease, and clears away what proxies left behind whose leases have ended. */
export function registerHolder(
  backend: BackendDatabase,
  lease: { readonly holder: string; readonly leaseMs: number },
  options: CallOptions,
): Promise<void> {
  const { holder, leaseMs } = lease
  return runOwnTransaction(
    backend,
    async (transaction) => {
      await runBatch(
        transaction,
        [
          { sql: `DELETE FROM spanwire.lock_holders WHERE NOT (${LIVE})`, params: [] },
          {
            sql: 'DELETE FROM spanwire.advisory_locks WHERE holder NOT IN (SELECT holder FROM spanwire.lock_holders)',
            params: [],
          },
          {
            sql: `INSERT INTO spanwire.lock_holders (holder, lease_until) VALUES ($1, ${LEASE_END})`,
            params: [textParam(holder), leaseParam(leaseMs)],
          },
        ],
        options,
      )
    },
    options,
  )
}

/** Prolongs a lease that has not ended; false where it has. */
export function renewLease(
  backend: BackendDatabase,
  lease: { readonly holder: string; readonly leaseMs: number },
  options: CallOptions,
): Promise<boolean> {
  return runOwnTransaction(
    backend,
    async (transaction) => {
      const [count] = await runBatch(
        transaction,
        [
          {
            sql: `UPDATE spanwire.lock_holders SET lease_until = ${LEASE_END} WHERE holder = $1 AND ${LIVE}`,
            params: [textParam(lease.holder), leaseParam(lease.leaseMs)],
          },
        ],
        options,
      )
      return count === 1n
    },
    options,
  )
}

/** Gives a lease back, with all locks under it. */
export function removeHolder(
  backend: BackendDatabase,
  holder: string,
  options: CallOptions,
): Promise<void> {
  const params = [textParam(holder)]
  const statements = [
    { sql: 'DELETE FROM spanwire.lock_holders WHERE holder = $1', params },
    { sql: 'DELETE FROM spanwire.advisory_locks WHERE holder = $1', params },
  ]
  return runOwnTransaction(
    backend,
    async (transaction) => {
      await runBatch(transaction, statements, options)
    },
    options,
  )
}

/** Takes a lock, or raises one that is held, unless another proxy with a live lease is in the way. */
export function takeLock(
  backend: BackendDatabase,
  wanted: LockRow,
  options: CallOptions,
): Promise<LockAttempt> {
  return runOwnTransaction(
    backend,
    (transaction) => takeOnce(transaction, wanted, options),
    options,
  )
}

async function takeOnce(
  transaction: BackendTransaction,
  { key, holder, mode }: LockRow,
  options: CallOptions,
): Promise<LockAttempt> {
  const rows = await textRows(
    transaction.execute(
      { sql: HOLDERS, params: [textParam(key), textParam(holder)] },
      { ...options, isDml: false },
    ),
  )
  const live = rows.filter(([, , isLive]) => isLive === 'true')
  if (!live.some(([name]) => name === holder)) return 'lost'
  const others = live.filter(([name]) => name !== holder)
  if (others.some(([, held]) => held === 'exclusive' || mode === 'exclusive')) return 'in-use'
  const dead = rows.filter(([, , isLive]) => isLive !== 'true')
  await runBatch(
    transaction,
    [...dead.map(([name]) => deleteRow(key, name ?? '')), ...writeRow({ key, holder, mode })],
    options,
  )
  return 'taken'
}

/** Lowers a lock to shared, or lets it go. */
export function lowerLock(
  backend: BackendDatabase,
  { key, holder, mode }: { key: string; holder: string; mode: 'shared' | undefined },
  options: CallOptions,
): Promise<void> {
  const statements = mode === undefined ? [deleteRow(key, holder)] : writeRow({ key, holder, mode })
  return runOwnTransaction(
    backend,
    async (transaction) => {
      await runBatch(transaction, statements, options)
    },
    options,
  )
}

/** Both databases of ours and Spanner's tell the same moment throughout a statement. */
const LIVE = 'lease_until > CURRENT_TIMESTAMP'
/** Spanner, "PostgreSQL functions": spanner.timestamptz_add takes the interval as text. */
const LEASE_END = 'spanner.timestamptz_add(CURRENT_TIMESTAMP, $2)'

/** Who holds $1, in which mode and whether still, and the lease of $2 itself with no mode. */
const HOLDERS = `SELECT l.holder, l.mode, h.${LIVE}
 FROM spanwire.advisory_locks l LEFT JOIN spanwire.lock_holders h ON h.holder = l.holder WHERE l.lock_key = $1
 UNION ALL SELECT holder, '', ${LIVE} FROM spanwire.lock_holders WHERE holder = $2`

function leaseParam(leaseMs: number) {
  return textParam(`${leaseMs} milliseconds`)
}

function deleteRow(key: string, holder: string): SpannerStatement {
  return {
    sql: 'DELETE FROM spanwire.advisory_locks WHERE lock_key = $1 AND holder = $2',
    params: [textParam(key), textParam(holder)],
  }
}

function writeRow({ key, holder, mode }: LockRow): readonly SpannerStatement[] {
  return [
    deleteRow(key, holder),
    {
      sql: 'INSERT INTO spanwire.advisory_locks (lock_key, holder, mode) VALUES ($1, $2, $3)',
      params: [textParam(key), textParam(holder), textParam(mode)],
    },
  ]
}

async function runBatch(
  transaction: BackendTransaction,
  statements: readonly SpannerStatement[],
  options: CallOptions,
): Promise<readonly bigint[]> {
  const { error, rowCounts } = await transaction.executeBatch(statements, {
    ...options,
    isDml: true,
  })
  if (error !== undefined) throw error
  return rowCounts
}
