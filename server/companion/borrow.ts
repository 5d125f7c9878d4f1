import { Bug, PgError } from '../base/pg-error.ts'
import { SQL_STATE } from '../base/sql-state.ts'
import { BACKEND_TYPE } from '../wire/backend-decoder.ts'
import type { CopyFormats } from '../wire/field-description.ts'
import { AnswerCollector } from './answer-collector.ts'
import type {
  AnalyseRequest,
  Analysis,
  LoadedAnswer,
  LoadedReadRequest,
  ReadAnswer,
  ReadRequest,
} from './companion-types.ts'
import { FrontendWriter } from './frontend-messages.ts'
import type { ServerConnection } from './server-connection.ts'
import { decodeTextRow, throwFirstError } from './service-rows.ts'
import { isWanted, type Purpose, packSettings, settingsFor } from './session-settings.ts'
import { SESSION_SETTINGS } from './session-views-sql.ts'
import { LOADER_ROLE } from './shared-catalogs-sql.ts'
import { mayNameRelation } from './statement-text.ts'

/**
 * The borrow protocol. A shared connection serves one statement of one client in one write: BEGIN READ ONLY, every setting of the session for this
 * transaction only, the client's statement, the guard's question, Sync; ROLLBACK, Sync. The second Sync makes the ROLLBACK run after an error, too, so
 * that nothing of a client can stay on the connection. On a pinned connection a savepoint takes the place of the transaction.
 *
 * The guard: the companion's tables are empty, so that an answer made from their rows means nothing. What a statement names itself its query tree
 * shows; but functions of the user may read tables as well. Relations that a statement has read are locked until its transaction ends, and PostgreSQL
 * counts their scans (pg_stat_get_xact_numscans): the question is which locked user relations have been scanned. Reading pg_locks takes 0.2 ms: it is
 * left out where neither the statement nor any function of the database could name a table. The counts are forced out at the end of every borrowing
 * (pg_stat_force_next_flush), so that each begins with none.
 */

/** Statements that borrowing uses, prepared once a connection; their names are hidden from pg_prepared_statements. */
const PREPARED = {
  begin: 'begin read only',
  beginWrite: 'begin read write',
  rollback: 'rollback',
  mark: 'savepoint spanwire_mark',
  readOnly: 'set local transaction_read_only = on',
  back: 'rollback to savepoint spanwire_mark',
  forget: 'release savepoint spanwire_mark',
  // Qualified throughout: on a pinned connection they are analysed again under the client's search_path.
  set: `select pg_catalog.count(pg_catalog.set_config(s.name, s.value, true)), pg_catalog.pg_stat_force_next_flush()
    from rows from (pg_catalog.unnest($1::pg_catalog.text[]), pg_catalog.unnest($2::pg_catalog.text[])) as s(name, value)`,
  beginLoad: `select pg_catalog.set_config('role', '${LOADER_ROLE}', true),
    pg_catalog.set_config('session_replication_role', 'replica', true)`,
  endLoad: `select pg_catalog.set_config('session_replication_role', 'origin', true), pg_catalog.set_config('role', $1, true)`,
  home: `select pg_catalog.set_config('search_path', 'pg_catalog', true)`,
  guard: `select l.relation, pg_catalog.pg_stat_get_xact_numscans(l.relation)
    from pg_catalog.pg_locks l join pg_catalog.pg_class c on c.oid = l.relation
    where ($2::boolean or exists (select from pg_catalog.pg_proc p where p.oid >= 16384 and p.prolang not in (12, 13)))
      and l.locktype = 'relation' and l.pid = $1::integer and l.relation >= 16384 and c.relpersistence <> 't'
      and pg_catalog.pg_stat_get_xact_numscans(l.relation) > 0`,
  allScans: `select c.oid, pg_catalog.pg_stat_get_xact_numscans(c.oid) from pg_catalog.pg_class c
    where c.oid >= 16384 and c.relkind in ('r', 'i', 'm') and pg_catalog.pg_stat_get_xact_numscans(c.oid) > 0`,
} as const

type PreparedName = keyof typeof PREPARED

const statementName = (name: PreparedName) => `spanwire:${name}`

/** Prepares a fresh connection for borrowing. It must have been opened with {@link BORROW_SETTINGS}. */
export async function prepareForBorrowing(
  connection: ServerConnection,
  signal: AbortSignal,
): Promise<void> {
  const writer = new FrontendWriter()
  for (const [name, text] of Object.entries(PREPARED)) {
    writer.parse(text, [], statementName(name as PreparedName))
  }
  throwFirstError(await connection.converse(writer.sync(), signal))
}

/** Settings of the startup packet of every connection that is borrowed. */
export const BORROW_SETTINGS = {
  search_path: 'pg_catalog',
  // pg_postmaster_start_time() is the start of this process.
  [SESSION_SETTINGS.started]: new Date(performance.timeOrigin).toISOString(),
} as const

/** Those of the analysis pool: the tree comes with every Parse, at no cost in messages. */
export const ANALYSIS_SETTINGS = {
  ...BORROW_SETTINGS,
  client_min_messages: 'log',
  debug_print_rewritten: 'on',
  debug_pretty_print: 'off',
} as const

/** What stands around the client's statement. */
export interface Bracket {
  readonly open: readonly PreparedName[]
  readonly close: readonly PreparedName[]
  readonly lane: 'fast' | 'slow'
}

/** A transaction of its own, on a shared connection. In the fast lane it gives up after 50 ms of waiting for a lock (55P03). */
export function sharedBracket(lane: 'fast' | 'slow', locksRows = false): Bracket {
  return { open: [locksRows ? 'beginWrite' : 'begin'], close: ['rollback'], lane }
}

/** A savepoint in the client's own transaction, on a pinned connection; read-only but where rows are to be locked. */
export function savepointBracket(locksRows = false): Bracket {
  return {
    open: locksRows ? ['mark'] : ['mark', 'readOnly'],
    close: ['back', 'forget'],
    lane: 'slow',
  }
}

/** Nothing: the statement takes effect in the client's own transaction, on a pinned connection. */
export const OPEN_BRACKET: Bracket = { open: [], close: [], lane: 'slow' }

/** Parse and Describe of one statement. Throws the statement's error as PostgreSQL reports it. */
export async function analyseOn(
  connection: ServerConnection,
  request: AnalyseRequest,
  bracket: Bracket,
  purpose: 'analyse' | 'analyse-pinned',
): Promise<Analysis> {
  const writer = begin(request, bracket, purpose)
  writer.parse(request.text, request.paramTypes).describeStatement().sync()
  const answer = await collect(connection, { request, bracket, writer })
  return {
    paramTypes: answer.paramTypes,
    fields: answer.fields,
    tree: isUtility(answer.tree) ? undefined : answer.tree,
    notices: answer.notices.filter((notice) => isWanted(notice, request.session)),
  }
}

/** A read's answer, with what the guard saw: relation OID -> scans so far in this transaction. */
export interface GuardedAnswer extends ReadAnswer {
  readonly scans: ReadonlyMap<string, number>
}

/** Runs one statement. `touchedUserTables` counts every scan that the guard saw as one of this statement. */
export async function executeOn(
  connection: ServerConnection,
  request: ReadRequest,
  bracket: Bracket,
): Promise<GuardedAnswer> {
  const inFailedBlock = connection.transactionStatus === 'E'
  // In a failed transaction only ROLLBACK TO is possible, and it needs no settings.
  const writer = inFailedBlock ? new FrontendWriter() : begin(request, bracket, 'execute')
  const loads = bracket.open.length === 0 ? 0 : writeStandIns(writer, request)
  writer.parse(request.text, request.paramTypes).bind('', request).describePortal().execute()
  if (!inFailedBlock) {
    const mayRead = bracket.open.length === 0 || mayNameRelation(request.text)
    goHome(writer).call(statementName('guard'), [String(connection.processId), String(mayRead)])
  }
  writer.sync()
  const { fields, rows, copy, tag, notices, scans } = await collect(connection, {
    request,
    bracket,
    writer,
    loads,
  })
  return { fields, rows, copy, tag, notices, scans, touchedUserTables: scans.size > 0 }
}

/** Defines the stand-ins, after which the statement may not write; returns how many commands that takes. */
function writeStandIns(
  writer: FrontendWriter,
  { standIns, locksRows = false }: Pick<ReadRequest, 'standIns' | 'locksRows'>,
): number {
  if (standIns === undefined) return 0
  for (const statement of standIns.define) writer.run(statement)
  if (!locksRows) writer.call(statementName('readOnly'))
  return standIns.define.length + Number(!locksRows)
}

/** Whether a statement may not begin in a read-only transaction. */
export function mustBeginWriting({ locksRows = false, standIns }: ReadRequest): boolean {
  return locksRows || standIns !== undefined
}

/** A transaction of its own that may write until the rows are loaded. */
export const LOADING_BRACKET: Bracket = sharedBracket('slow', true)

/** The same as a savepoint in the client's own transaction, on a pinned connection. */
export const LOADING_SAVEPOINT: Bracket = savepointBracket(true)

/** Loads rows and runs one statement over them, which may not write. No guard: rows of tables are what it is about. */
export async function executeLoadedOn(
  connection: ServerConnection,
  request: LoadedReadRequest,
  bracket: Bracket,
): Promise<LoadedAnswer> {
  const { tables, session, areDeclared = false, locksRows = false } = request
  const writer = begin(request, bracket, 'execute')
  if (areDeclared) writer.call(statementName('beginLoad'))
  for (const { before = [], copy, data, after = [] } of tables) {
    for (const statement of before) writer.run(statement)
    writer.copy(copy, data)
    for (const statement of after) writer.run(statement)
  }
  if (areDeclared) writer.call(statementName('endLoad'), [session.settings.get('role') ?? 'none'])
  const standIns = writeStandIns(writer, request)
  if (!locksRows && standIns === 0) writer.call(statementName('readOnly'))
  writer.parse(request.text, request.paramTypes).bind('', request).execute().sync()
  const loads = tables.reduce(
    (count, { before = [], after = [] }) => count + before.length + 1 + after.length,
    2 * Number(areDeclared) + (standIns === 0 ? Number(!locksRows) : standIns),
  )
  const hasCopyData = tables.length > 0
  const conversation = { request, bracket, writer, loads, hasCopyData }
  const { rows, tag, notices, error } = await converse(connection, conversation)
  if (error !== undefined && rows.length === 0) throw error
  return { rows, tag, notices, error }
}

/** Asks for a COPY FROM STDIN and breaks it off before any data. Throws what PostgreSQL has against the statement itself. */
export async function probeCopyOn(
  connection: ServerConnection,
  request: AnalyseRequest,
): Promise<CopyFormats> {
  const writer = begin(request, LOADING_BRACKET, 'execute')
  writer.run(request.text).copyFail('probed').sync()
  const conversation = { request, bracket: LOADING_BRACKET, writer, hasCopyData: true }
  const { copy, error } = await converse(connection, conversation)
  if (copy !== undefined) return copy
  throw error ?? new Bug('COPY FROM STDIN was over before it began')
}

/** Every user relation that this transaction has scanned, and how often: 4 us a relation that exists. */
export async function readAllScans(
  connection: ServerConnection,
  signal?: AbortSignal,
): Promise<ReadonlyMap<string, number>> {
  const frames = await connection.converse(
    new FrontendWriter().call(statementName('allScans')).sync(),
    signal,
  )
  throwFirstError(frames)
  const rows = frames.filter((frame) => frame.type === BACKEND_TYPE.dataRow).map(decodeTextRow)
  return new Map(rows.map(([relation, scans]) => [relation ?? '', Number(scans)]))
}

/** Sets the search path to pg_catalog for the rest of the transaction. */
export function goHome(writer: FrontendWriter): FrontendWriter {
  return writer.call(statementName('home'))
}

function begin(request: AnalyseRequest, bracket: Bracket, purpose: Purpose): FrontendWriter {
  const writer = new FrontendWriter()
  for (const name of bracket.open) writer.call(statementName(name))
  const { names, values } = packSettings(settingsFor(request.session, purpose, bracket.lane))
  return writer.call(statementName('set'), [names, values])
}

/** What is said on a borrowed connection. */
interface Conversation {
  readonly request: AnalyseRequest & Pick<ReadRequest, 'standIns'>
  readonly bracket: Bracket
  readonly writer: FrontendWriter
  /** Commands between the settings and the client's statement. */
  readonly loads?: number
  /** Whether the data of COPY are among what is sent. */
  readonly hasCopyData?: boolean
}

/** As {@link converse}, but throws the first error. */
async function collect(
  connection: ServerConnection,
  conversation: Conversation,
): Promise<AnswerCollector> {
  const answer = await converse(connection, conversation)
  const error = answer.error ?? answer.endError
  if (error !== undefined) throw error
  return answer
}

/** Sends the conversation with what closes the bracket, and reads the answer. */
async function converse(
  connection: ServerConnection,
  { request, bracket, writer, loads = 0, hasCopyData = false }: Conversation,
): Promise<AnswerCollector> {
  for (const name of bracket.close) writer.call(statementName(name))
  if (bracket.close.length > 0) writer.sync()
  const setup = connection.transactionStatus === 'E' ? 0 : bracket.open.length + 1 + loads
  const stop = new AbortController()
  const answer = new AnswerCollector(setup, (reason) => stop.abort(reason), request.standIns)
  const forward = () => stop.abort(request.signal.reason)
  request.signal.throwIfAborted()
  request.signal.addEventListener('abort', forward, { once: true })
  try {
    const syncs = writer.syncs
    const conversation = {
      bytes: writer.take(),
      syncs,
      signal: stop.signal,
      hasCopyData,
    }
    await connection.stream(conversation, (frame) => answer.receive(frame))
  } finally {
    request.signal.removeEventListener('abort', forward)
  }
  if (answer.endError !== undefined && answer.error === undefined) connection.destroy()
  return answer
}

/** CMD_UTILITY in PostgreSQL 15 and later (src/include/nodes/nodes.h): there is nothing in the tree that anybody could use. */
function isUtility(tree: string | undefined): boolean {
  return tree !== undefined && /^\(\{QUERY\s+:commandType\s+6\b/.test(tree)
}

/** Whether an error says that somebody's open DDL stands in the way. */
export function isLockTimeout(error: unknown): boolean {
  return error instanceof PgError && error.code === SQL_STATE.lockNotAvailable
}
