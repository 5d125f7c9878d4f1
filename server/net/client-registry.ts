import { randomBytes, randomInt, timingSafeEqual } from 'node:crypto'

const MAX_PROCESS_ID = 2 ** 31 - 1

/** A client that was let in. */
export interface Admission {
  /** Unique among the clients of this server. */
  readonly processId: number
  /** Known to that client alone. */
  readonly secretKey: Buffer
}

interface Entry extends Admission {
  readonly cancel: () => void
}

/** Who is connected: counts them against the limit, and finds the one that a CancelRequest means. */
export class ClientRegistry {
  readonly #maxConnections: number
  readonly #entries = new Map<number, Entry>()

  constructor(maxConnections: number) {
    this.#maxConnections = maxConnections
  }

  get clientCount(): number {
    return this.#entries.size
  }

  /**
   * Lets a client in, with a secret key of `keySizeBytes`, or returns undefined where there are too many. `cancel` is called for each
   * CancelRequest that is meant for it.
   */
  admit(keySizeBytes: number, cancel: () => void): Admission | undefined {
    if (this.#entries.size >= this.#maxConnections) return undefined
    const secretKey = randomBytes(keySizeBytes)
    const entry = { processId: this.#unusedProcessId(), secretKey, cancel }
    this.#entries.set(entry.processId, entry)
    return entry
  }

  remove(processId: number): void {
    this.#entries.delete(processId)
  }

  /** Passes a CancelRequest on. False where process id or key are wrong: the sender is not told. */
  cancel(processId: number, secretKey: Buffer): boolean {
    const entry = this.#entries.get(processId)
    if (!entry || entry.secretKey.length !== secretKey.length) return false
    if (!timingSafeEqual(entry.secretKey, secretKey)) return false
    entry.cancel()
    return true
  }

  #unusedProcessId(): number {
    for (;;) {
      const processId = randomInt(1, MAX_PROCESS_ID)
      if (!this.#entries.has(processId)) return processId
    }
  }
}
