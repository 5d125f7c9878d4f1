import { PgError, type PgNotice } from '../base/pg-error.ts'
import { SQL_STATE } from '../base/sql-state.ts'
import { BACKEND_TYPE } from '../wire/backend-decoder.ts'
import { parseNoticeResponse } from '../wire/error-fields.ts'
import { ANALYST_ROLE, SUPERUSER } from './bootstrap-sql.ts'
import {
  ANALYSIS_SETTINGS,
  analyseOn,
  BORROW_SETTINGS,
  executeLoadedOn,
  executeOn,
  isLockTimeout,
  LOADING_BRACKET,
  mustBeginWriting,
  prepareForBorrowing,
  probeCopyOn,
  sharedBracket,
} from './borrow.ts'
import type {
  AnalyseRequest,
  Analysis,
  CompanionDatabase,
  CopyFormats,
  LoadedAnswer,
  LoadedReadRequest,
  PinnedConnection,
  ReadAnswer,
  ReadRequest,
  RoleChange,
  ServiceQuery,
  ServiceRow,
  SessionContext,
} from './companion-types.ts'
import { ConnectionPool } from './connection-pool.ts'
import { FrontendWriter } from './frontend-messages.ts'
import { PinnedSession } from './pinned-connection.ts'
import { quoteIdentifier } from './quote-identifier.ts'
import { ConnectionLostError, type ServerConnection } from './server-connection.ts'
import { decodeRows, throwFirstError } from './service-rows.ts'
import { StandInLitter } from './stand-in-litter.ts'
import { demandReadable } from './statement-text.ts'

/** What a mirror needs of the companion that it belongs to. */
export interface MirrorHost {
  /** Opens a connection; makes room where the server has no place left. */
  connect(options: {
    user: string
    database: string
    settings?: Readonly<Record<string, string>>
    signal: AbortSignal
  }): Promise<ServerConnection>
  ensureRole(user: string): Promise<void>
  /** Roles were changed: what is known of them is out of date. */
  rolesChanged(): Promise<void>
  /** Resolves when the server runs. */
  whenRunning(signal: AbortSignal): Promise<void>
  /** Takes a place for a pinned connection, or throws 53300; returns what gives it back. */
  takePinPlace(): () => void
}

type Lane = 'fast' | 'slow'

const MAX_AGE_MS = 600_000
const MAX_PRIVATE_KIB = 24 * 1024
const POOL_DEFAULTS = {
  min: 0,
  waitMs: 10_000,
  maxAgeMs: MAX_AGE_MS,
  idleMs: 60_000,
  maxPrivateKiB: MAX_PRIVATE_KIB,
}
/** In the slow lane a statement waits as long as its client wants to. */
const SLOW_WAIT_MS = 600_000
const PIN_LIMIT = 50
const ATTEMPTS = 3
const SERVICE_DEADLINE_MS = 600_000

/** One mirror and the connections to it. All of them are opened when they are first needed. */
export class MirrorDatabase implements CompanionDatabase {
  readonly name: string
  readonly #host: MirrorHost
  readonly #pools = new Map<string, ConnectionPool>()
  readonly #litter = new StandInLitter((statement) => this.service(statement))

  constructor(name: string, host: MirrorHost) {
    this.name = name
    this.#host = host
  }

  analyse(request: AnalyseRequest): Promise<Analysis> {
    return this.#inLanes(request.signal, (lane) =>
      this.#analysisPool(lane).use(request.signal, (connection) =>
        analyseOn(connection, request, sharedBracket(lane), 'analyse'),
      ),
    )
  }

  read(request: ReadRequest): Promise<ReadAnswer> {
    demandReadable(request.text)
    return this.#inLanes(request.signal, async (lane) => {
      const pool = this.#readPool(request.session.user, lane)
      const { scans: _, ...answer } = await pool.use(request.signal, (connection) =>
        executeOn(connection, request, sharedBracket(lane, mustBeginWriting(request))),
      )
      return answer
    }).finally(() => this.#litter.note(request))
  }

  readLoaded(request: LoadedReadRequest): Promise<LoadedAnswer> {
    demandReadable(request.text)
    const pool = this.#readPool(request.session.user, 'slow')
    return this.#again(request.signal, () =>
      pool.use(request.signal, (connection) =>
        executeLoadedOn(connection, request, LOADING_BRACKET),
      ),
    ).finally(() => this.#litter.note(request))
  }

  probeCopy(request: AnalyseRequest): Promise<CopyFormats> {
    const pool = this.#readPool(request.session.user, 'slow')
    return this.#again(request.signal, () =>
      pool.use(request.signal, (connection) => probeCopyOn(connection, request)),
    )
  }

  async pin(session: SessionContext, signal: AbortSignal): Promise<PinnedConnection> {
    const leavePlace = this.#host.takePinPlace()
    const pool = this.#pool(`pinned ${session.user}`, { max: PIN_LIMIT }, (open) =>
      this.#openForUser(session.user, open),
    )
    try {
      return await this.#again(signal, async () => {
        const connection = await pool.acquire(signal)
        const giveBack = (returned: ServerConnection) => pool.release(returned)
        const pinned = await PinnedSession.begin(connection, giveBack, signal)
        return withPlace(pinned, { leavePlace, litter: this.#litter })
      })
    } catch (error) {
      leavePlace()
      throw error
    }
  }

  service(text: string, params: readonly (string | null)[] = []): Promise<readonly ServiceRow[]> {
    const signal = AbortSignal.timeout(SERVICE_DEADLINE_MS)
    return this.#again(signal, () =>
      this.#servicePool().use(signal, (connection) => connection.query(text, params, signal)),
    )
  }

  serviceTransaction(statements: readonly string[]): Promise<void> {
    return this.changeAndRead(statements, () => Promise.resolve())
  }

  /** The transaction's id is read before COMMIT, so that a loss of the connection there leaves no doubt: pg_xact_status knows. */
  changeAndRead<T>(
    statements: readonly string[],
    read: (query: ServiceQuery) => Promise<T>,
  ): Promise<T> {
    const signal = AbortSignal.timeout(SERVICE_DEADLINE_MS)
    let made: { readonly id: string; readonly result: T } | undefined
    return this.#again(signal, () =>
      this.#servicePool().use(signal, async (connection) => {
        if (made !== undefined && (await hasCommitted(connection, made.id))) return made.result
        try {
          const id = await runInTransaction(connection, statements, signal)
          const query: ServiceQuery = (text, params, options) =>
            connection.ask(new FrontendWriter(), { text, params, signal, ...options })
          made = { id, result: await read(query) }
        } catch (error) {
          if (!connection.isLost) await connection.script('rollback')
          throw error
        }
        throwFirstError(
          await connection.converse(
            new FrontendWriter().run('commit').sync().run('rollback').sync(),
            signal,
          ),
        )
        return made.result
      }),
    )
  }

  /** Nothing is made again when the connection is lost: nobody knows whether it took effect. */
  async alterRoles({ statements, actor }: RoleChange): Promise<readonly PgNotice[]> {
    const signal = AbortSignal.timeout(SERVICE_DEADLINE_MS)
    const frames = await this.#servicePool().use(signal, (connection) => {
      const writer = new FrontendWriter()
      for (const text of ['begin', `set local role ${quoteIdentifier(actor)}`, ...statements])
        writer.run(text)
      return connection.converse(writer.run('commit').sync().run('rollback').sync(), signal)
    })
    const notices = frames
      .slice(
        0,
        frames.findIndex((frame) => frame.type === BACKEND_TYPE.readyForQuery),
      )
      .filter((frame) => frame.type === BACKEND_TYPE.noticeResponse)
    throwFirstError(frames)
    await this.#host.rolesChanged()
    return notices.map((frame) => parseNoticeResponse(frame.body))
  }

  /** Closes every connection; pinned ones when they come back. */
  async close(): Promise<void> {
    await Promise.all([...this.#pools.values()].map((pool) => pool.close()))
  }

  /** Closes idle connections. Returns how many. */
  trim(): number {
    let count = 0
    for (const pool of this.#pools.values()) count += pool.trim()
    return count
  }

  #analysisPool(lane: Lane): ConnectionPool {
    const options = lane === 'fast' ? { max: 2, min: 1 } : { max: 4, waitMs: SLOW_WAIT_MS }
    return this.#pool(`analysis ${lane}`, options, (signal) =>
      this.#openBorrowed(ANALYST_ROLE, ANALYSIS_SETTINGS, signal),
    )
  }

  #readPool(user: string, lane: Lane): ConnectionPool {
    const options = lane === 'fast' ? { max: 4 } : { max: 4, waitMs: SLOW_WAIT_MS }
    return this.#pool(`read ${lane} ${user}`, options, (signal) => this.#openForUser(user, signal))
  }

  #servicePool(): ConnectionPool {
    return this.#pool('service', { max: 2, waitMs: 60_000 }, async (signal) => {
      const connection = await this.#host.connect({ user: SUPERUSER, database: this.name, signal })
      // pg_backend_pid() tells what this setting says: for service statements, the truth.
      await connection.query(
        `select set_config('spanwire.backend_pid', $1, false)`,
        [String(connection.processId)],
        signal,
      )
      return connection
    })
  }

  #pool(
    key: string,
    options: { max: number; min?: number; waitMs?: number },
    open: (signal: AbortSignal) => Promise<ServerConnection>,
  ): ConnectionPool {
    const known = this.#pools.get(key)
    if (known !== undefined) return known
    const pool = new ConnectionPool({ ...POOL_DEFAULTS, ...options, open })
    this.#pools.set(key, pool)
    return pool
  }

  async #openForUser(user: string, signal: AbortSignal): Promise<ServerConnection> {
    await this.#host.ensureRole(user)
    return this.#openBorrowed(user, BORROW_SETTINGS, signal)
  }

  async #openBorrowed(
    user: string,
    settings: Readonly<Record<string, string>>,
    signal: AbortSignal,
  ): Promise<ServerConnection> {
    const connection = await this.#host.connect({ user, database: this.name, settings, signal })
    try {
      await prepareForBorrowing(connection, signal)
      return connection
    } catch (error) {
      connection.destroy()
      throw error
    }
  }

  /** The fast lane first; where somebody's open DDL is in the way, the slow one under the client's own timeouts. */
  #inLanes<T>(signal: AbortSignal, work: (lane: Lane) => Promise<T>): Promise<T> {
    return this.#again(signal, async () => {
      try {
        return await work('fast')
      } catch (error) {
        if (!isLockTimeout(error)) throw error
        return work('slow')
      }
    })
  }

  /** Calls again when the server was lost meanwhile. What is lost again and again is taken for the cause. */
  async #again<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await work()
      } catch (error) {
        if (!(error instanceof ConnectionLostError)) throw error
        if (attempt === ATTEMPTS) throw lostForGood(error)
      }
      await this.#host.whenRunning(signal)
    }
  }
}

/** Gives the place of a pinned connection back with the connection. */
function withPlace(
  pinned: PinnedSession,
  { leavePlace, litter }: { readonly leavePlace: () => void; readonly litter: StandInLitter },
): PinnedConnection {
  return {
    execute: (request) => pinned.execute(request),
    analyse: (request) => pinned.analyse(request),
    read: (request) => pinned.read(request).finally(() => litter.note(request)),
    readLoaded: (request) => pinned.readLoaded(request).finally(() => litter.note(request)),
    query: (text, params, options) => pinned.query(text, params, options),
    savepoint: (level) => pinned.savepoint(level),
    releaseSavepoint: (level) => pinned.releaseSavepoint(level),
    rollbackTo: (level) => pinned.rollbackTo(level),
    release: () => pinned.release().finally(leavePlace),
    lost: pinned.lost,
  }
}

function lostForGood(cause: ConnectionLostError): PgError {
  return new PgError(SQL_STATE.systemError, 'the companion PostgreSQL was lost', { cause })
}

/** Begins a transaction with the statements; returns its id. */
async function runInTransaction(
  connection: ServerConnection,
  statements: readonly string[],
  signal: AbortSignal,
): Promise<string> {
  const writer = new FrontendWriter().run('begin')
  writer.parse('select pg_current_xact_id()::text as id').bindText('', [])
  writer.describePortal().execute()
  for (const statement of statements) writer.run(statement)
  const [row] = decodeRows(await connection.converse(writer.sync(), signal))
  return row?.['id'] ?? ''
}

async function hasCommitted(connection: ServerConnection, transactionId: string): Promise<boolean> {
  try {
    const rows = await connection.query('select pg_xact_status($1::xid8) as status', [
      transactionId,
    ])
    return rows[0]?.['status'] === 'committed'
  } catch (error) {
    // The id was never written to disk: it lies in the new server's future.
    if (error instanceof PgError && error.code === SQL_STATE.invalidParameterValue) return false
    throw error
  }
}
