import { PgError } from '../base/pg-error.ts'
import { SQL_STATE } from '../base/sql-state.ts'
import { durationMs } from './session-defaults.ts'

/** A setting that PostgreSQL 15 does not have. */
export interface OwnSetting {
  readonly name: string
  readonly defaultValue: string
  /** What SHOW gives for a value as it was set; undefined where there is no such value. */
  readonly canonical: (value: string) => string | undefined
  /** Told to the client, not set by it. */
  readonly isReadOnly?: boolean
  /** One sentence for docs/settings.md. */
  readonly help: string
}

const DURATION = String.raw`\d+(?:s|ms|us|ns)`
const TIMESTAMP = String.raw`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)`

const boolean = (value: string): string | undefined => {
  if (/^(on|t|tr|tru|true|y|ye|yes|1)$/i.test(value)) return 'on'
  return /^(off|of|f|fa|fal|fals|false|n|no|0)$/i.test(value) ? 'off' : undefined
}

const word =
  (...words: readonly string[]) =>
  (value: string): string | undefined =>
    words.find((candidate) => candidate === value.toUpperCase())

const pattern =
  (source: string) =>
  (value: string): string | undefined =>
    new RegExp(`^(?:${source})$`, 'i').test(value.trim()) ? value.trim().toUpperCase() : undefined

/** Where upper case would change a unit, the text stays as it was set. */
const duration = (value: string): string | undefined => {
  if (value.toUpperCase() === 'NULL') return 'NULL'
  return new RegExp(`^${DURATION}$`).test(value) ? value : undefined
}

/** As PostgreSQL takes and shows a time whose unit is ms (src/backend/utils/misc/guc.c, parse_int and convert_int_from_base_unit). */
const milliseconds = (value: string): string | undefined => {
  const text = value.trim()
  if (!/^\d{1,10}(?:\.\d+)?\s*(?:us|ms|s|min|h|d)?$/.test(text)) return undefined
  const ms = Math.round(durationMs(text.replace(/\s/, '')))
  if (ms > 2_147_483_647) return undefined
  const unit = SHOWN_UNITS.find(([, size]) => ms % size === 0)
  return ms === 0 || unit === undefined ? String(ms) : `${ms / unit[1]}${unit[0]}`
}

const SHOWN_UNITS = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['min', 60_000],
  ['s', 1000],
  ['ms', 1],
] as const

const SIZE_UNITS: Readonly<Record<string, number>> = {
  B: 1,
  kB: 1024,
  MB: 1024 ** 2,
  GB: 1024 ** 3,
}

/** Of `16MB`; undefined for what is no size (src/backend/utils/misc/guc.c, parse_int). */
export function sizeInBytes(value: string): number | undefined {
  const match = /^(\d{1,9})(B|kB|MB|GB)$/.exec(value)
  return match === null ? undefined : Number(match[1]) * (SIZE_UNITS[match[2] ?? 'B'] ?? 1)
}

const anything = (value: string): string => value

/**
 * The settings of Spanwire and, under the names that PGAdapter gave them, those of Spanner. They are set, reset and shown as
 * any other.
 */
export const OWN_SETTINGS: readonly OwnSetting[] = [
  {
    name: 'spanwire.retry_aborts',
    defaultValue: 'on',
    canonical: boolean,
    help: 'Transactions that Spanner aborts are run again; off gives the client 40001.',
  },
  {
    name: 'spanwire.read_committed_runs_as',
    defaultValue: 'SERIALIZABLE',
    canonical: word('SERIALIZABLE', 'REPEATABLE_READ'),
    help: 'Spanner’s isolation level for transactions at READ COMMITTED: SERIALIZABLE, or REPEATABLE_READ (plain reads take no locks) where the backend has it.',
  },
  {
    name: 'transaction_timeout',
    defaultValue: '0',
    canonical: milliseconds,
    help: 'As in PostgreSQL 17: ends the connection of a transaction that lasts longer, with 25P04.',
  },
  {
    name: 'spanner.keep_transaction_alive',
    defaultValue: 'off',
    canonical: boolean,
    help: 'Spanner hears of a read-write transaction every 8 s while its client is idle, so that it keeps the locks. Off lets Spanner abort it, and Spanwire runs it again.',
  },
  {
    name: 'spanwire.emulation',
    defaultValue: 'notice',
    canonical: (value) => ['on', 'notice', 'off'].find((known) => known === value.toLowerCase()),
    help: 'What happens to SELECT statements that Spanner cannot run: on runs them over rows that are loaded from Spanner, notice does so and tells, off refuses them with 0A000.',
  },
  {
    name: 'spanwire.emulation_max_rows',
    defaultValue: '10000',
    canonical: (value) => (/^[1-9]\d{0,8}$/.test(value) ? value : undefined),
    help: 'Rows that an emulated statement may load; more is 54000.',
  },
  {
    name: 'spanwire.emulation_max_bytes',
    defaultValue: '16MB',
    canonical: (value) => (sizeInBytes(value) === undefined ? undefined : value),
    help: 'Size of the rows that an emulated statement may load, with a unit of B, kB, MB or GB; more is 54000.',
  },
  {
    name: 'spanwire.fallback',
    defaultValue: 'on',
    canonical: boolean,
    help: 'A SELECT that Spanner refuses although Spanwire took it for one that it runs is emulated, and the log says so; off gives the client the refusal.',
  },
  {
    name: 'spanner.read_only_staleness',
    defaultValue: 'STRONG',
    canonical: (value) => staleness(value),
    help: 'When reads outside read-write transactions see the database: STRONG, EXACT_STALENESS 10s, READ_TIMESTAMP 2026-01-31T10:00:00Z, and for statements outside a block MAX_STALENESS 10s, MIN_READ_TIMESTAMP 2026-01-31T10:00:00Z.',
  },
  {
    name: 'spanner.autocommit_dml_mode',
    defaultValue: 'TRANSACTIONAL',
    canonical: word('TRANSACTIONAL', 'PARTITIONED_NON_ATOMIC'),
    help: 'PARTITIONED_NON_ATOMIC runs UPDATE and DELETE outside a block as partitioned DML: without limits, at least once a row.',
  },
  {
    name: 'spanner.dml_batch_update_count',
    defaultValue: '0',
    canonical: (value) => (/^\d{1,9}$/.test(value) ? value : undefined),
    help: 'The row count that a statement is answered with between START BATCH DML and RUN BATCH.',
  },
  {
    name: 'spanner.rpc_priority',
    defaultValue: 'NULL',
    canonical: word('HIGH', 'MEDIUM', 'LOW', 'NULL'),
    help: 'Priority of calls to Spanner: HIGH, MEDIUM, LOW or NULL.',
  },
  {
    name: 'spanner.transaction_tag',
    defaultValue: '',
    canonical: anything,
    help: 'Tag of the read-write transactions that begin from now on.',
  },
  {
    name: 'spanner.statement_tag',
    defaultValue: '',
    canonical: anything,
    help: 'Tag of the statements from now on.',
  },
  {
    name: 'spanner.exclude_txn_from_change_streams',
    defaultValue: 'off',
    canonical: boolean,
    help: 'Change streams that allow it do not see the transaction.',
  },
  {
    name: 'spanner.max_commit_delay',
    defaultValue: 'NULL',
    canonical: duration,
    help: 'How long Spanner may let a Commit wait for others, 0ms to 500ms.',
  },
  {
    name: 'spanner.return_commit_stats',
    defaultValue: 'off',
    canonical: boolean,
    help: 'Commits ask Spanner for their number of mutations; SHOW spanner.commit_response has it.',
  },
  {
    name: 'spanner.read_timestamp',
    defaultValue: '',
    canonical: anything,
    isReadOnly: true,
    help: 'The moment that the last read outside read-write transactions saw.',
  },
  {
    name: 'spanner.commit_timestamp',
    defaultValue: '',
    canonical: anything,
    isReadOnly: true,
    help: 'When the last transaction that wrote was committed.',
  },
  {
    name: 'spanner.commit_response',
    defaultValue: '',
    canonical: anything,
    isReadOnly: true,
    help: 'Commit timestamp and number of mutations of the last transaction that wrote.',
  },
]

/** Other names of settings. */
const ALIASES: ReadonlyMap<string, string> = new Map([
  ['spanner.retry_aborts_internally', 'spanwire.retry_aborts'],
  ['spanner.readonly', 'default_transaction_read_only'],
])

const BY_NAME = new Map(OWN_SETTINGS.map((setting) => [setting.name, setting]))

/** By a name in lower case that is no alias. */
export function findOwnSetting(name: string): OwnSetting | undefined {
  return BY_NAME.get(name)
}

/** The value of one of {@link OWN_SETTINGS} among a session's settings. */
export function ownSetting(
  settings: { get(name: string): string | undefined },
  name: string,
): string {
  return settings.get(name) ?? BY_NAME.get(name)?.defaultValue ?? ''
}

/** Whether PostgreSQL would not know the name, and Spanwire does. */
export function isOwnName(name: string): boolean {
  return BY_NAME.has(name.toLowerCase()) || ALIASES.has(name.toLowerCase())
}

/** The name that a setting is kept under, for one that has several. */
export function withoutAlias(name: string): string {
  return ALIASES.get(name.toLowerCase()) ?? name
}

/** The value as SHOW gives it. Throws 22023; 55P02 for what cannot be set (src/backend/utils/misc/guc.c, set_config_option). */
export function canonicalValue(setting: OwnSetting, value: string): string {
  if (setting.isReadOnly === true) {
    throw new PgError(
      SQL_STATE.cantChangeRuntimeParam,
      `parameter "${setting.name}" cannot be changed`,
    )
  }
  const canonical = setting.canonical(value)
  if (canonical !== undefined) return canonical
  throw new PgError(
    SQL_STATE.invalidParameterValue,
    `invalid value for parameter "${setting.name}": "${value}"`,
    { hint: setting.help },
  )
}

function staleness(value: string): string | undefined {
  const [form = '', argument = ''] = value.trim().split(/\s+/)
  switch (form.toUpperCase()) {
    case 'STRONG':
      return argument === '' ? 'STRONG' : undefined
    case 'EXACT_STALENESS':
    case 'MAX_STALENESS':
      return new RegExp(`^${DURATION}$`).test(argument)
        ? `${form.toUpperCase()} ${argument}`
        : undefined
    default: {
      const timestamp = pattern(`(?:MIN_)?READ_TIMESTAMP\\s+${TIMESTAMP}`)(value)
      return timestamp?.replace(/\s+/, ' ')
    }
  }
}
