import { PgError } from '../base/pg-error.ts'
import {
  analyseOn,
  executeLoadedOn,
  executeOn,
  type GuardedAnswer,
  goHome,
  LOADING_SAVEPOINT,
  mustBeginWriting,
  OPEN_BRACKET,
  readAllScans,
  savepointBracket,
} from './borrow.ts'
import type {
  AnalyseRequest,
  Analysis,
  LoadedAnswer,
  LoadedReadRequest,
  PinnedConnection,
  QueryOptions,
  ReadAnswer,
  ReadRequest,
  ServiceRow,
  SessionContext,
} from './companion-types.ts'
import { FrontendWriter } from './frontend-messages.ts'
import type { ServerConnection } from './server-connection.ts'
import { throwFirstError } from './service-rows.ts'
import { demandReadable, demandWithinTransaction } from './statement-text.ts'

/**
 * One client's own connection, inside BEGIN. Settings of the session are set anew, for the transaction, before every statement: a ROLLBACK TO
 * undoes them as it undoes the rest. Its transaction outlives single statements, so that scans of user tables (DDL scans tables, too) add up:
 * what earlier statements did is subtracted before the guard answers.
 */
export class PinnedSession implements PinnedConnection {
  readonly #connection: ServerConnection
  readonly #giveBack: (connection: ServerConnection) => void
  /** Settings that an earlier statement set for the transaction. */
  readonly #carried = new Set<string>()
  #scans: ReadonlyMap<string, number> = new Map()
  /** A statement failed before the guard could tell what it had scanned. */
  #scansUnknown = false
  #released: Promise<void> | undefined

  private constructor(
    connection: ServerConnection,
    giveBack: (connection: ServerConnection) => void,
  ) {
    this.#connection = connection
    this.#giveBack = giveBack
  }

  /** Begins the transaction. `giveBack` gets the connection when it is idle again, or lost. */
  static async begin(
    connection: ServerConnection,
    giveBack: (connection: ServerConnection) => void,
    signal: AbortSignal,
  ): Promise<PinnedSession> {
    try {
      await connection.script('begin', signal)
    } catch (error) {
      giveBack(connection)
      throw error
    }
    return new PinnedSession(connection, giveBack)
  }

  get lost(): AbortSignal {
    return this.#connection.lost
  }

  async execute(request: ReadRequest): Promise<ReadAnswer> {
    demandWithinTransaction(request.text)
    await this.#dropSettings(request)
    try {
      const answer = await executeOn(this.#connection, request, OPEN_BRACKET)
      return this.#compare(answer)
    } catch (error) {
      this.#scansUnknown = true
      throw error
    } finally {
      for (const name of request.session.settings.keys()) this.#carried.add(name)
    }
  }

  async analyse(request: AnalyseRequest): Promise<Analysis> {
    await this.#dropSettings(request)
    return analyseOn(this.#connection, request, savepointBracket(), 'analyse-pinned')
  }

  async read(request: ReadRequest): Promise<ReadAnswer> {
    demandReadable(request.text)
    await this.#dropSettings(request)
    if (this.#scansUnknown && this.#connection.transactionStatus === 'T') {
      this.#scans = await readAllScans(this.#connection, request.signal)
      this.#scansUnknown = false
    }
    try {
      const bracket = savepointBracket(mustBeginWriting(request))
      return this.#compare(await executeOn(this.#connection, request, bracket))
    } catch (error) {
      this.#scansUnknown = true
      throw error
    }
  }

  async readLoaded(request: LoadedReadRequest): Promise<LoadedAnswer> {
    demandReadable(request.text)
    await this.#dropSettings(request)
    // Its scans are none of the guard's business, and are counted all the same.
    this.#scansUnknown = true
    return executeLoadedOn(this.#connection, request, LOADING_SAVEPOINT)
  }

  /** The search path is pg_catalog, so that every user name in what pg_get_*def prints is qualified. */
  query(
    text: string,
    params?: readonly (string | null)[],
    options?: QueryOptions,
  ): Promise<readonly ServiceRow[]> {
    return this.#connection.ask(goHome(new FrontendWriter()), { text, params, ...options })
  }

  savepoint(level: number): Promise<void> {
    return this.#connection.script(`savepoint spanwire_${level}`)
  }

  releaseSavepoint(level: number): Promise<void> {
    return this.#connection.script(`release savepoint spanwire_${level}`)
  }

  async rollbackTo(level: number): Promise<void> {
    await this.#connection.script(`rollback to savepoint spanwire_${level}`)
    // Settings of statements since are undone with the rest; those of earlier ones are set again with each statement.
    this.#scansUnknown = true
  }

  release(): Promise<void> {
    this.#released ??= this.#release()
    return this.#released
  }

  /** The guard's answer for this statement alone. Locks that a savepoint's end released hide relations, which keep their last count. */
  #compare(answer: GuardedAnswer): ReadAnswer {
    const { scans, ...rest } = answer
    const before = this.#scans
    const rose = [...scans].some(([relation, count]) => count > (before.get(relation) ?? 0))
    if (rose) this.#scans = new Map([...before, ...scans])
    return { ...rest, touchedUserTables: rose }
  }

  /** Takes back what earlier statements set and the session has reset since. */
  async #dropSettings(request: { session: SessionContext; signal: AbortSignal }): Promise<void> {
    request.signal.throwIfAborted()
    if (this.#connection.transactionStatus === 'E') return
    const writer = new FrontendWriter()
    let count = 0
    for (const name of this.#carried) {
      if (request.session.settings.has(name)) continue
      const quoted = name.split('.').map((part) => `"${part.replaceAll('"', '""')}"`)
      writer.run(`set local ${quoted.join('.')} to default`)
      this.#carried.delete(name)
      count++
    }
    if (count > 0) throwFirstError(await this.#connection.converse(writer.sync(), request.signal))
  }

  async #release(): Promise<void> {
    const connection = this.#connection
    try {
      // A statement that is still running would hold its locks: the connection goes with it.
      if (connection.isBusy) connection.destroy()
      if (connection.isLost) return
      const writer = new FrontendWriter().query('rollback')
      writer.query('discard temp; discard sequences; reset all')
      throwFirstError(await connection.converse(writer))
    } catch (error) {
      connection.destroy()
      if (!(error instanceof PgError)) throw error
    } finally {
      this.#giveBack(connection)
    }
  }
}
