import { randomUUID } from 'node:crypto'
import type { BackendDatabase, CallOptions } from '../backend/backend.ts'
import { BackendError } from '../backend/backend-error.ts'
import type { PinnedConnection } from '../companion/companion-types.ts'
import { inPostgresWords } from './backend-words.ts'
import { applyDdl, updateWhenFree } from './ddl-apply.ts'
import { toDdlPgError } from './ddl-errors.ts'
import { type DdlPlan, planDdl } from './ddl-plan.ts'
import type { SpannerDdl } from './emit-spanner-ddl.ts'
import {
  contraction,
  demandAtOnce,
  demandOfRows,
  type Expansion,
  expand,
  isOutcomeUnknown,
  plannedState,
  takeBackExpansion,
} from './expansion.ts'
import type { LogicalSchema } from './logical-schema.ts'
import type { StoredObject } from './physical-schema.ts'
import type { DdlHost, OpenDdl } from './pinned-ddl.ts'
import type { SchemaState } from './schema-state.ts'
import type { CatalogQuery } from './snapshot.ts'
import {
  concurrentChange,
  type Stored,
  type StoredChange,
  writeStored,
  writeStoredIn,
} from './storage.ts'
import { readTransactionSnapshot } from './transaction-snapshot.ts'

const TAKE_BACK_TIMEOUT_MS = 60_000

/** What keeps the schema that is changed. */
export interface SchemaKeeper {
  readonly backend: BackendDatabase
  /** Runs work while no other change of the schema is made, and nobody reads it anew. */
  oneAtATime<T>(work: () => Promise<T>): Promise<T>
  /** Runs work while the mirror and the state that describes it stay as they are. */
  read<T>(work: (state: SchemaState) => Promise<T>): Promise<T>
  state(): SchemaState
  stored(): Stored
  nextRevision(): bigint
  /** What goes before a change that is to be stored. */
  storageDdl(options: CallOptions): Promise<readonly SpannerDdl[]>
  /** The transactions for which Spanner holds what nobody else has declared. */
  readonly expanding: Set<PinnedConnection>
  /** The rows were stored, and Spanner holds what they say. */
  changed(rows: readonly StoredObject[]): Promise<void>
  /** A change failed half-way: whatever Spanner has now is what there is. Never rejects. */
  recover(options: CallOptions): Promise<void>
}

/** Makes the changes of clients' transactions, alone or together with their rows. */
export class DdlChanges implements DdlHost {
  readonly #keeper: SchemaKeeper

  constructor(keeper: SchemaKeeper) {
    this.#keeper = keeper
  }

  async check(ddl: OpenDdl, options: CallOptions): Promise<DdlPlan> {
    const { rows, expansion } = ddl
    const plan = await inPostgresWords(() => this.#plan(ddl, options))
    if (rows.hasWritten) await demandAtOnce(expansion, plan, { rows, options })
    return plan
  }

  logicalOf(plan: DdlPlan): LogicalSchema {
    return plannedState(plan, this.#keeper.nextRevision()).logical
  }

  expand(ddl: OpenDdl, options: CallOptions): Promise<Expansion> {
    return this.#keeper.oneAtATime(async () =>
      this.#expand(await this.#planInForce(ddl, options), ddl, { options, goesOn: true }),
    )
  }

  async commit(ddl: OpenDdl, options: CallOptions): Promise<void> {
    const { rows, expansion } = ddl
    const { fills } = ddl.checked ?? (await this.check(ddl, options))
    if (rows.hasWritten || expansion !== undefined || fills.length > 0)
      return this.#keeper.oneAtATime(() => this.#commitWithRows(ddl, options))
    await rows.commit(options)
    await this.#keeper.oneAtATime(() => this.#commitAlone(ddl, options))
  }

  takeBack(ddl: OpenDdl, to: Expansion | undefined): Promise<void> {
    return this.#keeper.oneAtATime(() => this.#takeBack(ddl, to))
  }

  async #plan({ pinned, rows, added, expansion }: OpenDdl, options: CallOptions): Promise<DdlPlan> {
    const query: CatalogQuery = (...question) => pinned.query(...question)
    const { state, snapshot } = await this.#keeper.read(async (current) => {
      if (expansion !== undefined && expansion.before !== current) throw concurrentChange()
      return { state: current, snapshot: await readTransactionSnapshot(query, current.snapshot) }
    })
    const { backend } = this.#keeper
    const host = { backend, pinned, added, newId: randomUUID, written: rows.written }
    return planDdl(expansion?.state ?? state, snapshot, host, options)
  }

  /** The plan for all that a transaction has declared. */
  async #planInForce(ddl: OpenDdl, options: CallOptions): Promise<DdlPlan> {
    const { checked, expansion } = ddl
    if (checked !== undefined && this.#isInForce(checked, expansion)) return checked
    return inPostgresWords(() => this.#plan(ddl, options))
  }

  /** Whether planning again could tell nothing else: rows that made a table empty or not may have come or gone. */
  #isInForce(plan: DdlPlan, expansion: Expansion | undefined): boolean {
    const current = this.#keeper.state()
    const isCurrent = expansion === undefined || expansion.before === current
    return isCurrent && plan.before === (expansion?.state ?? current) && !plan.dependsOnRows
  }

  async #expand(
    plan: DdlPlan,
    ddl: OpenDdl,
    { options, goesOn }: { readonly options: CallOptions; readonly goesOn: boolean },
  ): Promise<Expansion> {
    const { pinned, rows, expansion } = ddl
    const { backend, expanding } = this.#keeper
    const first = plan.isEmpty ? [] : await this.#keeper.storageDdl(options)
    const revision = this.#keeper.nextRevision()
    const start = { plan, expansion, rows, first, revision, goesOn }
    const expanded = await expand(backend, start, options)
    expanding.add(pinned)
    try {
      for (const { table, statement } of plan.fills) await rows.write([statement], [table], options)
    } catch (error) {
      await this.#takeBack({ ...ddl, expansion: expanded }, expansion)
      throw error
    }
    return expanded
  }

  /** Spanner gets one batch, and then the rows that say what was declared. */
  async #commitAlone(ddl: OpenDdl, options: CallOptions): Promise<void> {
    const { backend } = this.#keeper
    let plan: DdlPlan
    try {
      plan = await this.#planInForce(ddl, options)
    } finally {
      await ddl.pinned.release()
    }
    if (plan.isEmpty) return
    try {
      const first = await this.#keeper.storageDdl(options)
      await applyDdl(backend, [...first, ...plan.statements], plan.rows, {
        options,
        record: () => writeStored(backend, this.#changeOf(plan), options),
      })
    } catch (error) {
      await this.#keeper.recover(options)
      throw error
    }
    await this.#keeper.changed(plan.rows)
  }

  /** The client's rows are committed in one transaction with those that say what was declared; what Spanner holds too much goes after that. */
  async #commitWithRows(ddl: OpenDdl, options: CallOptions): Promise<void> {
    const { pinned, rows } = ddl
    let { expansion } = ddl
    let plan: DdlPlan
    try {
      plan = await this.#planInForce(ddl, options)
      await pinned.release()
      if (plan.isEmpty && expansion === undefined) return await rows.commit(options)
      expansion = await this.#expand(plan, ddl, { options, goesOn: false })
      await demandOfRows(expansion, plan, { rows, options })
      await writeStoredIn(rows, this.#changeOf(plan), options)
      await rows.commit(options)
    } catch (error) {
      if (isOutcomeUnknown(error)) await this.#keeper.recover(options)
      else await this.#takeBack({ ...ddl, expansion }, undefined)
      throw error
    } finally {
      this.#keeper.expanding.delete(pinned)
      await pinned.release()
    }
    await this.#contract(expansion, plan, options)
    await this.#keeper.changed(plan.rows)
  }

  async #contract(expansion: Expansion, plan: DdlPlan, options: CallOptions): Promise<void> {
    const statements = contraction(expansion, plan).map(({ sql }) => sql)
    try {
      await updateWhenFree(this.#keeper.backend, statements, options)
    } catch (error) {
      await this.#keeper.recover(options)
      throw error instanceof BackendError ? toDdlPgError(error, plan.rows, undefined) : error
    }
  }

  /** Never rejects: what cannot be taken back is what there is. */
  async #takeBack({ pinned, rows, expansion }: OpenDdl, to: Expansion | undefined): Promise<void> {
    if (to === undefined) this.#keeper.expanding.delete(pinned)
    if (expansion === undefined) return
    const options = { timeoutMs: TAKE_BACK_TIMEOUT_MS }
    try {
      await rows.rest()
      await takeBackExpansion(this.#keeper.backend, { from: expansion, to }, options)
    } catch {
      await this.#keeper.recover(options)
    }
  }

  #changeOf({ rows, updates }: DdlPlan): StoredChange {
    const { version, rows: before } = this.#keeper.stored()
    return { before, after: rows, version, updates }
  }
}
