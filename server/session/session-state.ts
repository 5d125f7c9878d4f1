import type { PgNotice } from '../base/pg-error.ts'
import type { SessionContext } from '../companion/companion-types.ts'
import type { LogicalSchema } from '../schema/logical-schema.ts'
import { TransactionBlock } from '../transaction/transaction-block.ts'
import type { FormatSettings } from '../types/format-settings.ts'
import { writeNotice } from '../wire/backend-messages.ts'
import type { ClientIo } from '../wire/client-io.ts'
import { Activity } from './activity.ts'
import type { RunnableStatement } from './bound-statement.ts'
import type { CommandScope } from './command-scope.ts'
import type { DdlParticipant } from './ddl-participant.ts'
import { type NotificationListener, SessionNotifications } from './notifications.ts'
import type { Portal } from './portal.ts'
import type { PreparedStatement } from './prepared-statement.ts'
import type { DatabaseDirectory, ServedDatabase } from './served-database.ts'
import {
  defaultCharacteristics,
  durationMs,
  lockTimeoutMs,
  retriesAborts,
} from './session-defaults.ts'
import { SessionLocks } from './session-locks.ts'
import { SessionSequences } from './session-sequences.ts'
import type { Settings } from './settings.ts'
import { spannerOptions } from './spanner-options.ts'
import type { TemporaryTables } from './temporary-tables.ts'
import { TextsTold } from './texts-told.ts'
import { TransactionTimeout } from './transaction-timeout.ts'
import { Truncations } from './truncations.ts'
import { XactId } from './xact-id.ts'

/** Everything that belongs to one client after startup. Its parts know nothing of each other but through it. */
export class SessionState {
  readonly io: ClientIo
  readonly user: string
  readonly database: ServedDatabase
  readonly directory: DatabaseDirectory
  readonly settings: Settings
  readonly scope: CommandScope
  readonly block: TransactionBlock
  readonly prepared = new Map<string, PreparedStatement>()
  readonly portals = new Map<string, Portal>()
  readonly emulationsTold = new TextsTold()
  readonly notifications: SessionNotifications
  readonly locks: SessionLocks
  readonly activity = new Activity()
  readonly sequences = new SessionSequences()
  readonly xactId = new XactId()
  readonly truncations = new Truncations()
  readonly transactionTimeout: TransactionTimeout
  /** What START BATCH DML has gathered; undefined outside a batch. */
  clientBatch: RunnableStatement[] | undefined
  /** DDL of the open transaction, waiting in the companion. */
  ddl: DdlParticipant | undefined
  /** Temporary tables of the session, and the connection to the companion that they live on. */
  temporary: TemporaryTables | undefined

  constructor(parts: {
    readonly io: ClientIo
    readonly user: string
    readonly database: ServedDatabase
    readonly directory: DatabaseDirectory
    readonly settings: Settings
    readonly scope: CommandScope
    readonly listener: NotificationListener
  }) {
    this.io = parts.io
    this.user = parts.user
    this.database = parts.database
    this.directory = parts.directory
    this.settings = parts.settings
    this.scope = parts.scope
    this.notifications = new SessionNotifications(
      parts.database.notificationHub,
      parts.listener,
      parts.io.processId,
    )
    this.transactionTimeout = new TransactionTimeout(
      () => durationMs(parts.settings.get('transaction_timeout')),
      (error) => parts.io.terminate(error),
    )
    this.locks = new SessionLocks(parts.database.advisoryLocks, (error) =>
      parts.io.terminate(error),
    )
    this.block = new TransactionBlock({
      database: parts.database.backend,
      writerQueue: parts.database.writerQueue,
      defaults: () => defaultCharacteristics(parts.settings),
      lockTimeoutMs: () => lockTimeoutMs(parts.settings),
      spannerOptions: () => spannerOptions(parts.settings),
      retriesAborts: () => retriesAborts(parts.settings),
      onStart: () => this.transactionTimeout.start(),
      onEnd: (outcome) => this.#endTransaction(outcome),
      savepointListener: {
        savepoint: () => {
          this.settings.savepoint()
          this.notifications.savepoint()
          this.locks.savepoint()
        },
        release: (level) => this.#releaseSavepoint(level),
        rollbackTo: (level) => this.#rollBackTo(level),
      },
      connId: parts.io.processId,
    })
  }

  /** The logical schema as Spanner holds it for the open transaction. */
  get schema(): LogicalSchema {
    return this.ddl?.inSpanner?.logical ?? this.database.schema.current
  }

  /** What the companion must know to answer for this session. */
  context(): SessionContext {
    return {
      user: this.user,
      settings: this.settings.effective(),
      backendPid: this.io.processId,
      clientEnd: this.io.ends?.client,
      serverEnd: this.io.ends?.server,
    }
  }

  formatSettings(): FormatSettings {
    const digits = Number(this.settings.get('extra_float_digits') ?? '1')
    return {
      dateStyle: this.settings.get('DateStyle') ?? 'ISO, MDY',
      intervalStyle: this.settings.get('IntervalStyle') ?? 'postgres',
      timeZone: this.settings.get('TimeZone') ?? 'UTC',
      byteaOutput: this.settings.get('bytea_output') === 'escape' ? 'escape' : 'hex',
      extraFloatDigits: Number.isNaN(digits) ? 1 : digits,
    }
  }

  /** Sends a notice, unless client_min_messages holds it back. */
  notice(notice: PgNotice): void {
    const least = LEVELS.indexOf(this.settings.get('client_min_messages') ?? 'notice')
    if (LEVELS.indexOf(notice.severity.toLowerCase()) >= least) writeNotice(this.io.output, notice)
  }

  /** Portals opened under a savepoint that is released belong to what surrounds it from now on. */
  #releaseSavepoint(level: number): void {
    this.settings.release(level)
    this.notifications.release(level)
    this.locks.releaseSavepoint(level)
    this.truncations.release(level)
    for (const portal of this.portals.values()) portal.level = Math.min(portal.level, level - 1)
  }

  /** Portals opened since are gone (manual, ROLLBACK TO SAVEPOINT). */
  #rollBackTo(level: number): void {
    this.settings.rollbackTo(level)
    this.notifications.rollbackTo(level)
    this.locks.rollbackTo(level)
    this.truncations.rollbackTo(level)
    for (const [name, portal] of this.portals) {
      if (portal.level < level) continue
      portal.close()
      this.portals.delete(name)
    }
  }

  /** Cursors WITH HOLD stay once their transaction is committed (manual, DECLARE). */
  #outlives({ cursor }: Portal, outcome: 'committed' | 'rolled-back'): boolean {
    if (cursor?.options.hold !== true) return false
    if (outcome === 'committed') cursor.outliveTransaction()
    return cursor.isHeld
  }

  #endTransaction(outcome: 'committed' | 'rolled-back'): void {
    this.transactionTimeout.end()
    this.settings.endTransaction(outcome)
    this.notifications.endTransaction(outcome)
    this.locks.endTransaction()
    this.truncations.endTransaction()
    this.ddl = undefined
    for (const [name, portal] of this.portals) {
      if (this.#outlives(portal, outcome)) continue
      portal.close()
      this.portals.delete(name)
    }
  }
}

/** client_min_messages, from talkative to silent. `info` is always sent. */
const LEVELS = [
  'debug5',
  'debug4',
  'debug3',
  'debug2',
  'debug1',
  'debug',
  'log',
  'notice',
  'warning',
  'error',
  'info',
]
