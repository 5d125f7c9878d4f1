import type { CallOptions } from '../backend/backend.ts'
import { LruCache } from '../base/lru-cache.ts'
import type {
  PinnedConnection,
  ReadAnswer,
  ReadRequest,
  ServiceQuery,
} from '../companion/companion-types.ts'
import type { Plan } from '../plan/plan.ts'
import type { LogicalSchema } from '../schema/logical-schema.ts'
import type {
  DatabaseSchema,
  DdlTransaction,
  RowChanges,
  SchemaVersion,
} from '../schema/schema-types.ts'
import {
  type AddedValues,
  addedKey,
  type Evaluate,
  readAddedValues,
  withLabelRenamed,
} from '../schema/transaction-tables.ts'
import type { TransactionParticipant } from '../transaction/transaction-block.ts'

/** Plans that one transaction keeps. */
const MAX_PLANS = 256

export interface DdlParts {
  readonly schema: DatabaseSchema
  readonly pinned: PinnedConnection
  readonly rows: RowChanges
}

/** The DDL of one transaction: it runs in the pinned companion connection, and takes effect when the transaction commits. */
export class DdlParticipant implements TransactionParticipant {
  readonly pinned: PinnedConnection
  /** Plans of the transaction's statements, over the schema as it stands. */
  readonly plans = new LruCache<string, Plan>(MAX_PLANS)
  readonly #transaction: DdlTransaction
  readonly #schema: DatabaseSchema
  readonly #onLost: () => void
  #added: AddedValues = new Map()
  /** What {@link added} was, by the level of the savepoint. */
  readonly #addedBefore = new Map<number, AddedValues>()

  private constructor(
    pinned: PinnedConnection,
    {
      schema,
      transaction,
    }: { readonly schema: DatabaseSchema; readonly transaction: DdlTransaction },
    onLost: () => void,
  ) {
    this.pinned = pinned
    this.#schema = schema
    this.#transaction = transaction
    this.#onLost = onLost
    pinned.lost.addEventListener('abort', onLost, { once: true })
  }

  /** `onLost` is called when the companion loses the transaction, and with it what the client has declared, before its end. */
  static async begin(
    { schema, pinned, rows }: DdlParts,
    onLost: () => void,
  ): Promise<DdlParticipant> {
    try {
      const transaction = await schema.begin(pinned, rows)
      return new DdlParticipant(pinned, { schema, transaction }, onLost)
    } catch (error) {
      await pinned.release()
      throw error
    }
  }

  /** What rows have in the columns that were added to tables. */
  get added(): AddedValues {
    return this.#added
  }

  /** Runs one statement. */
  execute(request: ReadRequest): Promise<ReadAnswer> {
    this.plans.clear()
    this.#transaction.changed()
    return this.pinned.execute(request)
  }

  /** Keeps what the last statement filled new columns with; `evaluate` gives the text of a default. */
  async noteAdded(evaluate: Evaluate): Promise<void> {
    const { relations } = this.inSpanner?.logical ?? this.#schema.current
    const isKnown = (relid: number, attribute: number): boolean => {
      const relation = relations.get(relid)
      return (
        relation?.kind !== 'table' ||
        relation.columns.some((column) => column.attribute === attribute) ||
        this.#added.has(addedKey(relid, attribute))
      )
    }
    const query: ServiceQuery = (...question) => this.pinned.query(...question)
    const found = await readAddedValues(query, { isKnown, evaluate })
    if (found.size > 0) this.#setAdded(new Map([...this.#added, ...found]))
  }

  /** After ALTER TYPE .. RENAME VALUE. */
  noteLabelRenamed(rename: Parameters<typeof withLabelRenamed>[1]): void {
    this.#setAdded(withLabelRenamed(this.#added, rename))
  }

  /** Refuses what cannot be made in Spanner. */
  check(options: CallOptions): Promise<void> {
    return this.#transaction.check(options)
  }

  /** What Spanner holds for the transaction; undefined: what it holds for everybody. */
  get inSpanner(): SchemaVersion | undefined {
    return this.#transaction.inSpanner
  }

  /** What the transaction has declared. */
  declared(options: CallOptions): Promise<LogicalSchema> {
    return this.#transaction.declared(options)
  }

  /** Makes Spanner hold what was declared, for changes of rows that follow. */
  async expand(options: CallOptions): Promise<void> {
    if (await this.#transaction.expand(options)) this.plans.clear()
  }

  async commitRows(options: CallOptions): Promise<void> {
    this.#unwatch()
    try {
      await this.#transaction.commit(options)
    } finally {
      await this.pinned.release()
    }
  }

  /** The rows were committed with it. */
  async commit(): Promise<void> {}

  async rollback(): Promise<void> {
    this.#unwatch()
    await this.pinned.release()
    await this.#transaction.rollback()
  }

  savepoint(level: number): Promise<void> {
    this.#addedBefore.set(level, this.#added)
    this.#transaction.savepoint(level)
    return this.pinned.savepoint(level)
  }

  release(level: number): Promise<void> {
    return this.pinned.releaseSavepoint(level)
  }

  async rollbackTo(level: number): Promise<void> {
    this.plans.clear()
    this.#setAdded(this.#addedBefore.get(level) ?? new Map())
    await this.pinned.rollbackTo(level)
    await this.#transaction.rollbackTo(level)
  }

  #setAdded(added: AddedValues): void {
    this.#added = added
    this.#transaction.noteAdded(added)
  }

  /** From here on a loss is the answer to what is asked, or of no interest. */
  #unwatch(): void {
    this.pinned.lost.removeEventListener('abort', this.#onLost)
  }
}
