import type { PgError, PgNotice } from '../base/pg-error.ts'
import type { CopyFormats, FieldDescription, Format } from '../wire/field-description.ts'

export type { CopyFormats } from '../wire/field-description.ts'

/**
 * What the rooms above ask of the companion. Errors of PostgreSQL arrive as PgError with all fields; loss of the companion is
 * PgError 57P01 for whoever was pinned, and invisible (the call is made again once the companion is back) for everybody else.
 */
export interface Companion {
  /** `server_version`, as the companion reports it. */
  readonly serverVersion: string
  listDatabases(): Promise<readonly string[]>
  /** Creates an empty mirror, which the catalogs show as the user's (of nobody in particular: the superuser's). Harmless where it exists. */
  createDatabase(name: string, user?: string): Promise<void>
  dropDatabase(name: string): Promise<void>
  /** Creates the login role of a client user, free to make objects in every database. Harmless where it exists. */
  ensureRole(user: string): Promise<void>
  database(name: string): CompanionDatabase
  stop(): Promise<void>
}

/** One mirror: the schema of one Spanner database. */
export interface CompanionDatabase {
  readonly name: string
  /** Parse and Describe of one statement on a shared connection; nothing is executed. */
  analyse(request: AnalyseRequest): Promise<Analysis>
  /** Runs one read-only statement on a shared connection, inside BEGIN READ ONLY .. ROLLBACK under the session's settings. */
  read(request: ReadRequest): Promise<ReadAnswer>
  /**
   * As `read`, after rows were put into tables; the tables are as empty as before afterwards. Whoever calls it sees to it that
   * nobody else loads the same tables meanwhile.
   */
  readLoaded(request: LoadedReadRequest): Promise<LoadedAnswer>
  /** Lets PostgreSQL check a `COPY .. FROM STDIN`: what it says before it reads data. Nothing is copied. */
  probeCopy(request: AnalyseRequest): Promise<CopyFormats>
  /** Takes a connection for one client alone, inside BEGIN, until `release`. */
  pin(session: SessionContext, signal: AbortSignal): Promise<PinnedConnection>
  /** Runs service SQL as superuser (never a client's text); text results. */
  service(text: string, params?: readonly (string | null)[]): Promise<readonly ServiceRow[]>
  /** Runs service statements in one transaction; nothing stays where one fails. */
  serviceTransaction(statements: readonly string[]): Promise<void>
  /** The same, with what `read` makes of its questions in the transaction, after the statements. */
  changeAndRead<T>(
    statements: readonly string[],
    read: (query: ServiceQuery) => Promise<T>,
  ): Promise<T>
  /** Changes roles, which all databases share. */
  alterRoles(change: RoleChange): Promise<readonly PgNotice[]>
}

/** Statements about roles, vetted and written by the proxy. */
export interface RoleChange {
  /** They run in one transaction. */
  readonly statements: readonly string[]
  /** The role whose privileges count. */
  readonly actor: string
}

export type ServiceRow = Readonly<Record<string, string | null>>

/** Runs one statement of the proxy's own; text parameters and results. */
export type ServiceQuery = (
  text: string,
  params?: readonly (string | null)[],
  options?: QueryOptions,
) => Promise<readonly ServiceRow[]>

export interface QueryOptions {
  /** The text comes again on the same connection, under the same search path: it is parsed and planned once (1 MB for a large one). */
  readonly isPrepared?: boolean
}

/** What of the client's session statements in the companion must see. */
export interface SessionContext {
  readonly user: string
  /** Every setting that the session changed from the companion's default, under PostgreSQL's names. */
  readonly settings: ReadonlyMap<string, string>
  /** What pg_backend_pid() answers. */
  readonly backendPid: number
  /** What inet_client_addr() and inet_client_port() answer; undefined over a Unix socket. */
  readonly clientEnd?: SocketEnd | undefined
  /** What inet_server_addr() and inet_server_port() answer. */
  readonly serverEnd?: SocketEnd | undefined
  /** What the session views show, as JSON (session-views-sql.ts): of those that the statement reads. */
  readonly views?: ReadonlyMap<SessionView, string> | undefined
}

/** One end of a TCP connection. */
export interface SocketEnd {
  readonly address: string
  readonly port: number
}

/** Catalogs that are about the proxy's sessions: pg_stat_activity, pg_prepared_statements, pg_cursors, pg_settings. */
export type SessionView = 'backends' | 'prepared' | 'cursors' | 'settings'

export interface AnalyseRequest {
  readonly text: string
  /** OIDs as declared by the client; 0 or absent is unspecified. */
  readonly paramTypes: readonly number[]
  readonly session: SessionContext
  readonly signal: AbortSignal
}

export interface Analysis {
  readonly paramTypes: readonly number[]
  /** undefined: the statement returns no rows (NoData). */
  readonly fields: readonly FieldDescription[] | undefined
  /** The rewritten query tree as nodeToString prints it; undefined for utility statements. */
  readonly tree: string | undefined
  readonly notices: readonly PgNotice[]
}

export interface ReadRequest extends AnalyseRequest {
  readonly paramFormats: readonly Format[]
  readonly params: readonly (Buffer | null)[]
  readonly resultFormats: readonly Format[]
  /** FOR UPDATE and its like, which PostgreSQL refuses in a read-only transaction. */
  readonly locksRows?: boolean
  readonly standIns?: StandIns | undefined
}

/** Functions of the proxy's that are there for one statement, and say when they are called. */
export interface StandIns {
  /** CREATE FUNCTION in the schema pg_temp, and what else comes before the statement; not before one that a pinned connection executes. */
  readonly define: readonly string[]
  /** Begins the statement, once more where the companion was lost meanwhile; what it gives gets each message of INFO under {@link STAND_IN_CODE}. */
  readonly listen: () => (message: string) => void
}

/** The SQLSTATE of what stand-ins say. */
export const STAND_IN_CODE = 'SWCAL'

/** Rows for a table. */
export interface TableRows {
  /** Statements before COPY and after it, to be undone with the rest. */
  readonly before?: readonly string[]
  readonly after?: readonly string[]
  /** `COPY .. FROM STDIN`. */
  readonly copy: string
  /** What COPY reads, in pieces. */
  readonly data: readonly Buffer[]
  readonly rowCount: number
}

export interface LoadedReadRequest extends ReadRequest {
  readonly tables: readonly TableRows[]
  /**
   * The tables are as clients declared them: rows come in whoever owns them, and past their foreign keys (under the loader's role; the
   * statement runs under the session's own). Not for a COPY that a client wrote.
   */
  readonly areDeclared?: boolean
}

export interface ReadAnswer {
  readonly fields: readonly FieldDescription[] | undefined
  /** Whole DataRow messages, type byte and length included, ready for the client. */
  readonly rows: readonly Buffer[]
  /** Of COPY TO STDOUT, whose rows are whole CopyData messages. */
  readonly copy?: CopyFormats | undefined
  /** Command tag of CommandComplete. */
  readonly tag: string
  readonly notices: readonly PgNotice[]
  /** The guard: rows of an (empty) user table were read, so the answer means nothing. */
  readonly touchedUserTables: boolean
}

/** The answer to a statement over loaded rows. */
export interface LoadedAnswer extends Pick<ReadAnswer, 'rows' | 'tag' | 'notices'> {
  /** What ended it after `rows`. */
  readonly error: PgError | undefined
}

/** A connection that one client owns inside an open transaction: uncommitted DDL and temporary tables live here. */
export interface PinnedConnection {
  /** One statement as the client sent it (DDL). Not read-only. */
  execute(request: ReadRequest): Promise<ReadAnswer>
  /** As on the database, but seeing the uncommitted schema; under a savepoint, read-only. */
  analyse(request: AnalyseRequest): Promise<Analysis>
  read(request: ReadRequest): Promise<ReadAnswer>
  readLoaded(request: LoadedReadRequest): Promise<LoadedAnswer>
  /** Service SQL inside the same transaction, as the session's user, for catalog snapshots; text results. */
  readonly query: ServiceQuery
  /** Sets a savepoint; levels count from 1, each one inside the one before. */
  savepoint(level: number): Promise<void>
  /** Releases the savepoint of that level and those inside it. */
  releaseSavepoint(level: number): Promise<void>
  /** Undoes what came after the savepoint of that level, in a failed transaction too. */
  rollbackTo(level: number): Promise<void>
  /** Ends the transaction (ROLLBACK) and gives the connection back, cleaned. Harmless when called twice. */
  release(): Promise<void>
  /** Aborts when the connection is lost: the client gets 57P01. */
  readonly lost: AbortSignal
}
