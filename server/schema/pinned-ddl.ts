import type { CallOptions } from '../backend/backend.ts'
import { Bug } from '../base/pg-error.ts'
import type { PinnedConnection } from '../companion/companion-types.ts'
import type { DdlPlan } from './ddl-plan.ts'
import type { Expansion } from './expansion.ts'
import type { LogicalSchema } from './logical-schema.ts'
import type { DdlTransaction, RowChanges, SchemaVersion } from './schema-types.ts'
import type { AddedValues } from './transaction-tables.ts'

/** An open transaction that declares, and what it has come to. */
export interface OpenDdl {
  readonly pinned: PinnedConnection
  readonly rows: RowChanges
  /** The plan for all that was declared, where one was made. */
  readonly checked: DdlPlan | undefined
  /** What rows are to have in the columns that it added. */
  readonly added: AddedValues
  /** What Spanner was made to hold for it so far. */
  readonly expansion: Expansion | undefined
}

/** What a DDL transaction asks of the schema. */
export interface DdlHost {
  check(ddl: OpenDdl, options: CallOptions): Promise<DdlPlan>
  logicalOf(plan: DdlPlan): LogicalSchema
  expand(ddl: OpenDdl, options: CallOptions): Promise<Expansion>
  commit(ddl: OpenDdl, options: CallOptions): Promise<void>
  /** Brings Spanner back to what it held for the transaction before. */
  takeBack(ddl: OpenDdl, to: Expansion | undefined): Promise<void>
}

/** A transaction that keeps the plan of its last check for its end. */
export class PinnedDdl implements DdlTransaction {
  readonly #host: DdlHost
  #open: OpenDdl
  /** Of the plan. */
  #declared: LogicalSchema | undefined
  /** Whether Spanner holds all that was declared. */
  #isExpanded = false
  /** What Spanner held, by the level of the savepoint. */
  readonly #heldAt = new Map<number, Expansion | undefined>()

  constructor(host: DdlHost, pinned: PinnedConnection, rows: RowChanges) {
    this.#host = host
    this.#open = { pinned, rows, checked: undefined, added: new Map(), expansion: undefined }
  }

  get inSpanner(): SchemaVersion | undefined {
    const { state } = this.#open.expansion ?? {}
    return state && { logical: state.logical, declared: state.rows.map((row) => row.declared) }
  }

  async check(options: CallOptions): Promise<void> {
    this.changed()
    const checked = await this.#host.check(this.#open, options)
    this.#open = { ...this.#open, checked }
  }

  changed(): void {
    this.#open = { ...this.#open, checked: undefined }
    this.#declared = undefined
    this.#isExpanded = false
  }

  noteAdded(added: AddedValues): void {
    this.#open = { ...this.#open, added }
  }

  async declared(options: CallOptions): Promise<LogicalSchema> {
    const held = this.#open.expansion?.state.logical
    if (this.#isExpanded && held !== undefined) return held
    if (this.#open.checked === undefined) await this.check(options)
    const { checked } = this.#open
    if (checked === undefined) throw new Bug('a schema was checked and has no plan')
    this.#declared ??= this.#host.logicalOf(checked)
    return this.#declared
  }

  async expand(options: CallOptions): Promise<boolean> {
    if (this.#isExpanded || this.#open.checked?.isEmpty === true) return false
    const expansion = await this.#host.expand(this.#open, options)
    this.#open = { ...this.#open, expansion }
    this.changed()
    this.#isExpanded = true
    return true
  }

  async commit(options: CallOptions): Promise<void> {
    const open = this.#open
    this.#open = { ...open, expansion: undefined }
    await this.#host.commit(open, options)
  }

  savepoint(level: number): void {
    this.#heldAt.set(level, this.#open.expansion)
  }

  async rollbackTo(level: number): Promise<void> {
    this.changed()
    await this.#takeBack(this.#heldAt.get(level))
  }

  rollback(): Promise<void> {
    return this.#takeBack(undefined)
  }

  async #takeBack(expansion: Expansion | undefined): Promise<void> {
    if (this.#open.expansion === expansion) return
    await this.#host.takeBack(this.#open, expansion)
    this.#open = { ...this.#open, expansion }
  }
}
