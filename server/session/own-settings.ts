import { PgError } from '../base/pg-error.ts'
import { SQL_STATE } from '../base/sql-state.ts'
import { notSupported } from './client-error.ts'
import { parseDirectedRead } from './directed-read.ts'
import { PGADAPTER_SETTINGS } from './pgadapter-settings.ts'
import {
  ANYTHING,
  BOOLEAN,
  COUNT,
  MILLISECONDS,
  type OwnSetting,
  oneOf,
  SPANNER_DURATION,
  STALENESS,
  sizeInBytes,
} from './setting-kinds.ts'

/**
 * The settings of Spanwire and, under the names that PGAdapter gave them, those of Spanner. They are set, reset and shown as
 * any other.
 */
export const OWN_SETTINGS: readonly OwnSetting[] = [
  {
    name: 'spanwire.retry_aborts',
    defaultValue: 'on',
    ...BOOLEAN,
    help: 'Transactions that Spanner aborts are run again; off gives the client 40001.',
  },
  {
    name: 'spanwire.read_committed_runs_as',
    defaultValue: 'SERIALIZABLE',
    ...oneOf('SERIALIZABLE', 'REPEATABLE_READ'),
    help: 'Spanner’s isolation level for transactions at READ COMMITTED: SERIALIZABLE, or REPEATABLE_READ (plain reads take no locks) where the backend has it.',
  },
  {
    name: 'transaction_timeout',
    defaultValue: '0',
    ...MILLISECONDS,
    help: 'As in PostgreSQL 17: ends the connection of a transaction that lasts longer, with 25P04.',
  },
  {
    name: 'spanner.keep_transaction_alive',
    defaultValue: 'off',
    ...BOOLEAN,
    help: 'Spanner hears of a read-write transaction every 8 s while its client is idle, so that it keeps the locks. Off lets Spanner abort it, and Spanwire runs it again.',
  },
  {
    name: 'spanwire.emulation',
    defaultValue: 'notice',
    ...oneOf('on', 'notice', 'off'),
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
    ...BOOLEAN,
    help: 'A SELECT that Spanner refuses although Spanwire took it for one that it runs is emulated, and the log says so; off gives the client the refusal.',
  },
  {
    name: 'spanwire.sequence_kind',
    defaultValue: 'bit_reversed',
    ...oneOf('bit_reversed', 'ascending'),
    help: 'How sequences that are made from now on give their values: bit_reversed spreads them, as Spanner likes it, ascending counts.',
  },
  {
    name: 'spanner.read_only_staleness',
    defaultValue: 'STRONG',
    ...STALENESS,
    help: 'When reads outside read-write transactions see the database: STRONG, EXACT_STALENESS 10s, READ_TIMESTAMP 2026-01-31T10:00:00Z, and for statements outside a block MAX_STALENESS 10s, MIN_READ_TIMESTAMP 2026-01-31T10:00:00Z.',
  },
  {
    name: 'spanner.autocommit_dml_mode',
    defaultValue: 'TRANSACTIONAL',
    ...oneOf('TRANSACTIONAL', 'PARTITIONED_NON_ATOMIC'),
    help: 'PARTITIONED_NON_ATOMIC runs UPDATE and DELETE outside a block as partitioned DML: without limits, at least once a row. The official emulator runs them in one transaction.',
  },
  {
    name: 'spanner.dml_batch_update_count',
    defaultValue: '0',
    ...COUNT,
    help: 'The row count that a statement is answered with between START BATCH DML and RUN BATCH.',
  },
  {
    name: 'spanner.rpc_priority',
    defaultValue: 'NULL',
    ...oneOf('HIGH', 'MEDIUM', 'LOW', 'NULL'),
    help: 'Priority of calls to Spanner: HIGH, MEDIUM, LOW or NULL.',
  },
  {
    name: 'spanner.directed_read',
    defaultValue: '',
    canonical: (value) =>
      value === '' || parseDirectedRead(value) !== undefined ? value : undefined,
    help: 'Which replicas answer reads outside read-write transactions, as JSON of DirectedReadOptions: {"includeReplicas": {"replicaSelections": [{"location": "us-east4", "type": "READ_ONLY"}]}}.',
  },
  {
    name: 'spanner.optimizer_version',
    defaultValue: '',
    canonical: (value) =>
      /^(latest|[1-9]\d{0,3})?$/i.test(value) ? value.toUpperCase() : undefined,
    help: 'Version of Spanner’s optimizer for the statements from now on: a number, LATEST, or empty for the database’s own.',
  },
  {
    name: 'spanner.optimizer_statistics_package',
    defaultValue: '',
    ...ANYTHING,
    help: 'Package of statistics that Spanner’s optimizer uses; empty for the database’s own.',
  },
  {
    name: 'spanner.read_lock_mode',
    defaultValue: 'UNSPECIFIED',
    ...oneOf('UNSPECIFIED', 'PESSIMISTIC', 'OPTIMISTIC'),
    help: 'Locks of reads in the read-write transactions that begin from now on. UNSPECIFIED is Spanner’s default at SERIALIZABLE, PESSIMISTIC at REPEATABLE READ.',
  },
  {
    name: 'spanner.transaction_tag',
    defaultValue: '',
    ...ANYTHING,
    help: 'Tag of the read-write transactions that begin from now on.',
  },
  {
    name: 'spanner.statement_tag',
    defaultValue: '',
    ...ANYTHING,
    help: 'Tag of the statements from now on.',
  },
  {
    name: 'spanner.exclude_txn_from_change_streams',
    defaultValue: 'off',
    ...BOOLEAN,
    help: 'Change streams that allow it do not see the transaction.',
  },
  {
    name: 'spanner.max_commit_delay',
    defaultValue: 'NULL',
    ...SPANNER_DURATION,
    help: 'How long Spanner may let a Commit wait for others, 0ms to 500ms.',
  },
  {
    name: 'spanner.return_commit_stats',
    defaultValue: 'off',
    ...BOOLEAN,
    help: 'Commits ask Spanner for their number of mutations; SHOW spanner.commit_response has it. The official emulator does not count.',
  },
  {
    name: 'spanner.read_timestamp',
    defaultValue: '',
    ...ANYTHING,
    isReadOnly: true,
    help: 'The moment that the last read outside read-write transactions saw.',
  },
  {
    name: 'spanner.commit_timestamp',
    defaultValue: '',
    ...ANYTHING,
    isReadOnly: true,
    help: 'When the last transaction that wrote was committed.',
  },
  {
    name: 'spanner.commit_response',
    defaultValue: '',
    ...ANYTHING,
    isReadOnly: true,
    help: 'Commit timestamp and number of mutations of the last transaction that wrote.',
  },
]

/** Other names of settings. */
const ALIASES: ReadonlyMap<string, string> = new Map([
  ['spanner.retry_aborts_internally', 'spanwire.retry_aborts'],
  ['spanner.readonly', 'default_transaction_read_only'],
  ['spanner.isolation_level', 'default_transaction_isolation'],
])

const BY_NAME = new Map([...OWN_SETTINGS, ...PGADAPTER_SETTINGS].map((row) => [row.name, row]))

/** Prefixes of the names above: what else begins so is a slip. */
const RESERVED_PREFIX = /^(spanner|spanwire)\./

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

/** Throws 42602 for a name that nobody knows and that has a prefix of ours (src/backend/utils/misc/guc.c, find_option of PostgreSQL 15). */
export function demandKnownName(name: string): void {
  const prefix = RESERVED_PREFIX.exec(name.toLowerCase())?.[1]
  if (prefix === undefined || isOwnName(name)) return
  throw new PgError(SQL_STATE.invalidName, `invalid configuration parameter name "${name}"`, {
    detail: `"${prefix}" is a reserved prefix.`,
  })
}

/** The value as SHOW gives it. Throws 22023, 0A000 for what Spanwire does not have; 55P02 for what cannot be set (src/backend/utils/misc/guc.c, set_config_option). */
export function canonicalValue(setting: OwnSetting, value: string): string {
  if (setting.isReadOnly === true) {
    throw new PgError(
      SQL_STATE.cantChangeRuntimeParam,
      `parameter "${setting.name}" cannot be changed`,
    )
  }
  const canonical = setting.canonical(value)
  if (canonical === undefined) throw invalidValue(setting, value)
  if (setting.only !== undefined && canonical !== setting.only) {
    throw notSupported(`${setting.name} = ${canonical}`, setting.help)
  }
  return canonical
}

function invalidValue({ name, expected, help }: OwnSetting, value: string): PgError {
  if (expected === 'boolean') {
    return new PgError(
      SQL_STATE.invalidParameterValue,
      `parameter "${name}" requires a Boolean value`,
    )
  }
  return new PgError(
    SQL_STATE.invalidParameterValue,
    `invalid value for parameter "${name}": "${value}"`,
    { hint: expected === undefined ? help : `Available values: ${expected.join(', ')}.` },
  )
}
