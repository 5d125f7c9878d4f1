import { randomUUID } from 'node:crypto'
import type { BackendDatabase } from '../backend/backend.ts'
import {
  ensureLockTables,
  registerHolder,
  removeHolder,
  renewLease,
} from '../schema/advisory-lock-storage.ts'
import { Serial } from '../schema/serial.ts'

/** Creating tables takes Spanner a while. */
const TABLES_TIMEOUT_MS = 120_000
const CALL_TIMEOUT_MS = 10_000

export interface LockLeaseOptions {
  readonly backend: BackendDatabase
  readonly leaseMs: number
  /** Whether anything lives under the lease, or may. */
  readonly isInUse: () => boolean
  /** Called after each renewal. */
  readonly onRenewed: () => void
  /** Called when what lived under the lease is nobody's any more. */
  readonly onLost: () => void
}

/** Of one lease: its id, and until when (performance.now()) nobody else can have taken it for ended. */
interface Held {
  readonly holder: string
  endsAtMs: number
}

/**
 * The lease of this process on its advisory locks in one database: taken with the first lock, renewed at each third of its length, given
 * back when nothing is held any more. Its end is counted from before the request that prolonged it was sent, a tenth early, so that it comes here
 * before it comes at the server, whose own clock decides there.
 */
export class LockLease {
  readonly #options: LockLeaseOptions
  readonly #changes = new Serial()
  #hasTables = false
  #held: Held | undefined
  #renewal: NodeJS.Timeout | undefined
  #end: NodeJS.Timeout | undefined

  constructor(options: LockLeaseOptions) {
    this.#options = options
  }

  /** The lease's id; undefined where there is none, or no more. */
  get current(): string | undefined {
    if (this.#held !== undefined && performance.now() >= this.#held.endsAtMs) this.lose()
    return this.#held?.holder
  }

  /** The lease's id, once it has been taken. Rejects with a BackendError. */
  async take(): Promise<string> {
    return this.current ?? this.#changes.run(async () => this.current ?? this.#register())
  }

  /** The lease has ended, or is taken for ended. */
  lose(): void {
    if (this.#held === undefined) return
    this.#forget()
    this.#options.onLost()
  }

  /** Gives the lease back with everything under it. Never rejects: it ends by itself otherwise. */
  async close(): Promise<void> {
    await this.#changes.run(() => this.#giveBack()).catch(() => undefined)
  }

  async #register(): Promise<string> {
    const { backend, leaseMs } = this.#options
    if (!this.#hasTables) await ensureLockTables(backend, { timeoutMs: TABLES_TIMEOUT_MS })
    this.#hasTables = true
    const holder = randomUUID()
    const sentAtMs = performance.now()
    await registerHolder(backend, { holder, leaseMs }, { timeoutMs: CALL_TIMEOUT_MS })
    this.#held = { holder, endsAtMs: 0 }
    this.#prolong(this.#held, sentAtMs)
    this.#renewIn(leaseMs / 3)
    return holder
  }

  get #patienceMs(): number {
    return Math.min(CALL_TIMEOUT_MS, this.#options.leaseMs / 3)
  }

  #prolong(held: Held, sentAtMs: number): void {
    held.endsAtMs = sentAtMs + 0.9 * this.#options.leaseMs
    clearTimeout(this.#end)
    this.#end = setTimeout(() => this.lose(), held.endsAtMs - performance.now())
    this.#end.unref()
  }

  #renewIn(ms: number): void {
    clearTimeout(this.#renewal)
    this.#renewal = setTimeout(() => {
      // A renewal that fails is tried again until the lease's end.
      this.#changes
        .run(() => (this.#options.isInUse() ? this.#renew() : this.#giveBack()))
        .catch(() => this.#renewIn(this.#options.leaseMs / 15))
    }, ms)
    this.#renewal.unref()
  }

  async #renew(): Promise<void> {
    const held = this.#held
    if (held === undefined) return
    const { backend, leaseMs } = this.#options
    const sentAtMs = performance.now()
    const lease = { holder: held.holder, leaseMs }
    const isRenewed = await renewLease(backend, lease, { timeoutMs: this.#patienceMs })
    if (this.#held !== held) return
    if (!isRenewed) return this.lose()
    this.#prolong(held, sentAtMs)
    this.#renewIn(leaseMs / 3)
    this.#options.onRenewed()
  }

  async #giveBack(): Promise<void> {
    const held = this.#held
    if (held === undefined) return
    this.#forget()
    await removeHolder(this.#options.backend, held.holder, { timeoutMs: this.#patienceMs })
  }

  #forget(): void {
    this.#held = undefined
    clearTimeout(this.#renewal)
    clearTimeout(this.#end)
  }
}
