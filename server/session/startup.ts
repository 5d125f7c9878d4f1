import { PgError, type ReportFields } from '../base/pg-error.ts'
import { SQL_STATE } from '../base/sql-state.ts'
import { writeAuthenticationOk, writeBackendKeyData } from '../wire/backend-messages.ts'
import type { ClientIo } from '../wire/client-io.ts'
import { withFields } from './client-error.ts'
import { CommandScope } from './command-scope.ts'
import type { NotificationListener } from './notifications.ts'
import { canonicalValue, demandKnownName, findOwnSetting, withoutAlias } from './own-settings.ts'
import { ParameterStatusReporter } from './parameter-status.ts'
import type { DatabaseDirectory, ServedDatabase } from './served-database.ts'
import { SessionState } from './session-state.ts'
import { canonicalName, Settings } from './settings.ts'
import { textCells } from './text-answer.ts'
import { textQuery } from './text-request.ts'

export interface StartupRequest {
  readonly io: ClientIo
  readonly directory: DatabaseDirectory
  readonly parameters: ReadonlyMap<string, string>
  readonly reporter: ParameterStatusReporter
  readonly listener: NotificationListener
}

/** Names of the startup packet that are no settings (src/backend/postmaster/postmaster.c, ProcessStartupPacket). */
const NOT_SETTINGS = new Set(['user', 'database', 'options', 'replication'])

/** From the StartupMessage to just before the first ReadyForQuery: user, database, settings. Errors are FATAL. */
export async function startSession(request: StartupRequest): Promise<SessionState> {
  const { io, parameters, reporter } = request
  const user = parameters.get('user')
  if (user === undefined || user === '') {
    throw new PgError(
      SQL_STATE.invalidAuthorizationSpecification,
      'no PostgreSQL user name specified in startup packet',
      { severity: 'FATAL' },
    )
  }
  if (!['', 'false', 'off', 'no', '0', undefined].includes(parameters.get('replication'))) {
    throw new PgError(SQL_STATE.featureNotSupported, 'replication connections are not supported', {
      severity: 'FATAL',
      hint: 'Spanner has change streams instead.',
    })
  }
  const database = await request.directory.open(parameters.get('database') || user, io.gone)
  const asked = requestedSettings(parameters)
  const { settings, server } = await settle(database, { user, asked, io })
  writeAuthenticationOk(io.output)
  reporter.start(server)
  writeBackendKeyData(io.output, io.processId, io.secretKey)
  const state = new SessionState({
    io,
    user,
    database,
    directory: request.directory,
    settings,
    scope: new CommandScope(io.gone),
    listener: request.listener,
  })
  return state
}

/** Settings of `options`, then those of the packet itself, which win (src/backend/utils/init/postinit.c, process_startup_options). */
function requestedSettings(parameters: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  const ofPacket = [...parameters].filter(
    ([name]) => !NOT_SETTINGS.has(name) && !name.startsWith('_pq_.'),
  )
  const all = [...commandLineOptions(parameters.get('options') ?? ''), ...ofPacket]
  return new Map(all.map(([name, value]) => [canonicalName(withoutAlias(name)), value]))
}

function* ownSettings(asked: ReadonlyMap<string, string>): Generator<readonly [string, string]> {
  for (const [name, value] of asked) {
    demandKnownName(name)
    const own = findOwnSetting(name)
    if (own !== undefined) yield [name, canonicalValue(own, value)]
  }
}

/** `-c name=value`, `-cname=value` and `--name=value`; a backslash takes a space along (manual, section 34.1.2). */
export function commandLineOptions(text: string): readonly (readonly [string, string])[] {
  const words = [...text.matchAll(/(?:\\.|[^\s\\])+/gs)].map(([word]) =>
    word.replace(/\\(.)/gs, '$1'),
  )
  const options: (readonly [string, string])[] = []
  for (let index = 0; index < words.length; index++) {
    const word = words[index] ?? ''
    const assignment = word === '-c' ? words[++index] : /^(?:-c|--)(.+)$/s.exec(word)?.[1]
    if (assignment === undefined) {
      throw wrongOption(`invalid command-line argument for server process: ${word}`, {
        hint: 'Try "postgres --help" for more information.',
      })
    }
    const equals = assignment.indexOf('=')
    if (equals < 1) {
      const flag = word.startsWith('-c') ? '-c ' : '--'
      throw wrongOption(`${flag}${assignment} requires a value`)
    }
    options.push([assignment.slice(0, equals).replaceAll('-', '_'), assignment.slice(equals + 1)])
  }
  return options
}

/** src/backend/tcop/postgres.c, process_postgres_switches. */
function wrongOption(message: string, fields: ReportFields = {}): PgError {
  return new PgError(SQL_STATE.syntaxError, message, { ...fields, severity: 'FATAL' })
}

interface Settled {
  readonly settings: Settings
  readonly server: ReadonlyMap<string, string>
}

/** ALTER ROLE .. SET of the user, by name in normal form; those for this database last, which the companion's connections have as well. */
const ROLE_SETTINGS_SQL = `(SELECT pg_catalog.json_agg(pg_catalog.json_build_array(n, v) ORDER BY s.setdatabase)
  FROM pg_catalog.pg_db_role_setting s JOIN pg_catalog.pg_roles r ON r.oid = s.setrole, pg_catalog.unnest(s.setconfig) c,
    pg_catalog.split_part(c, '=', 1) n, pg_catalog.set_config(n, pg_catalog.substr(c, pg_catalog.length(n) + 2), true) v
  WHERE r.rolname = current_user AND s.setdatabase IN (1, (SELECT d.oid FROM pg_catalog.pg_database d WHERE d.datname = pg_catalog.current_database())))`

/** One question to the companion: are the settings right, what is their normal form, and what are those the client is told of. */
async function settle(
  database: ServedDatabase,
  start: {
    readonly user: string
    readonly asked: ReadonlyMap<string, string>
    readonly io: ClientIo
  },
): Promise<Settled> {
  const encoding = start.asked.get('client_encoding')
  if (encoding !== undefined && !/^(utf-?8|unicode|auto)$/i.test(encoding)) {
    throw new PgError(
      SQL_STATE.invalidParameterValue,
      `invalid value for parameter "client_encoding": "${encoding}"`,
      { severity: 'FATAL', hint: 'Spanwire speaks UTF8 only.' },
    )
  }
  const asked = [...start.asked].filter(
    ([name]) => name !== 'client_encoding' && findOwnSetting(name) === undefined,
  )
  // What the client asks for comes on top.
  const columns = [
    ROLE_SETTINGS_SQL,
    ...asked.map((_, index) => `pg_catalog.set_config($${index * 2 + 1}, $${index * 2 + 2}, true)`),
    ...ParameterStatusReporter.names.map((name) => `pg_catalog.current_setting('${name}')`),
  ]
  try {
    const answer = await database.companion.read({
      ...textQuery(`SELECT ${columns.join(', ')}`, asked.flat()),
      session: {
        user: start.user,
        settings: new Map(),
        backendPid: start.io.processId,
      },
      signal: start.io.gone,
    })
    const [row] = answer.rows
    const [ofRole, ...cells] = row === undefined ? [] : textCells(row)
    const settings = new Map([
      ...(JSON.parse(ofRole || '[]') as readonly (readonly [string, string])[]),
      ...ownSettings(start.asked),
      ...asked.map(([name], index) => [name, cells[index] ?? ''] as const),
    ])
    const server = new Map(
      ParameterStatusReporter.names.map((name, index) => [name, cells[asked.length + index] ?? '']),
    )
    return { settings: new Settings(settings), server }
  } catch (error) {
    throw error instanceof PgError ? withFields(error, { severity: 'FATAL' }) : error
  }
}
