import type {
  BackendDatabase,
  BackendTransaction,
  CallOptions,
  PartitionedDmlOptions,
  ReadOnlyOptions,
  ReadWriteOptions,
  RowStream,
  SingleUseOptions,
  SpannerStatement,
} from '../backend/backend.ts'
import type { Capabilities } from '../backend/capabilities.ts'
import type { AdminClient } from './admin.ts'
import { runPartitionedDml } from './partitioned-dml.ts'
import { ReadOnlyTransaction, singleUseRead } from './read-only-transaction.ts'
import { ReadWriteTransaction } from './read-write-transaction.ts'
import type { SessionStats } from './session.ts'
import type { TransactionHost } from './transaction-host.ts'

/** One database of the PostgreSQL dialect: its sessions, and what runs in them. */
export class SpannerDatabase implements BackendDatabase {
  readonly id: string
  readonly capabilities: Capabilities
  readonly #host: TransactionHost
  readonly #admin: AdminClient

  constructor(id: string, capabilities: Capabilities, host: TransactionHost, admin: AdminClient) {
    this.id = id
    this.capabilities = capabilities
    this.#host = host
    this.#admin = admin
  }

  get sessionStats(): SessionStats {
    return this.#host.sessions.stats
  }

  singleUse(statement: SpannerStatement, options: SingleUseOptions): RowStream {
    return singleUseRead(this.#host, statement, options)
  }

  beginReadOnly(options: ReadOnlyOptions = {}): BackendTransaction {
    return new ReadOnlyTransaction(this.#host, options)
  }

  beginReadWrite(options: ReadWriteOptions): BackendTransaction {
    return new ReadWriteTransaction(this.#host, options)
  }

  executePartitionedDml(
    statement: SpannerStatement,
    options: PartitionedDmlOptions,
  ): Promise<bigint> {
    return runPartitionedDml(this.#host, statement, options)
  }

  updateDdl(statements: readonly string[], options: CallOptions): Promise<void> {
    return this.#admin.updateDdl(this.id, statements, options)
  }

  getDdl(options: CallOptions): Promise<readonly string[]> {
    return this.#admin.getDdl(this.id, options)
  }

  close(): Promise<void> {
    return this.#host.sessions.close()
  }
}
