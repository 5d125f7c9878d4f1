import type { CallOptions } from '../backend/backend.ts'

const INTERVAL_MS = 60_000
const TIMEOUT_MS = 10_000

/** Looks every minute whether somebody else changed a database's schema, while it has clients. */
export class SchemaWatch {
  readonly #timer: NodeJS.Timeout
  #look: Promise<unknown> | undefined

  constructor(
    schema: { refresh(options: CallOptions): Promise<unknown> },
    hasClients: () => boolean,
    intervalMs = INTERVAL_MS,
  ) {
    this.#timer = setInterval(() => {
      if (this.#look !== undefined || !hasClients()) return
      // A look that fails is followed by the next one.
      this.#look = schema
        .refresh({ timeoutMs: TIMEOUT_MS })
        .catch(() => undefined)
        .finally(() => {
          this.#look = undefined
        })
    }, intervalMs)
    this.#timer.unref()
  }

  /** Resolves when no look is under way. */
  async stop(): Promise<void> {
    clearInterval(this.#timer)
    await this.#look
  }
}
