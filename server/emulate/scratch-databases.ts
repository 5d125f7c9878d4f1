import { PgError } from '../base/pg-error.ts'
import { SQL_STATE } from '../base/sql-state.ts'
import type {
  AnalyseRequest,
  CopyFormats,
  LoadedAnswer,
  LoadedReadRequest,
} from '../companion/companion-types.ts'
import type { ScratchCluster } from './scratch-cluster.ts'
import { type ScratchSchema, ScratchSlot } from './scratch-slot.ts'

/** Statements of one database that are emulated at the same time. */
const SLOT_COUNT = 2
const WAIT_MS = 30_000

/** What an emulated statement needs: the schema it was planned with, and the keys of the relations that it names. */
export type ScratchRequest<R extends AnalyseRequest> = R & {
  readonly schema: ScratchSchema
  readonly keys: readonly string[]
}

/** The scratch databases that stand for one served database. */
export class ScratchDatabases {
  /** The one that was used last is at the end. */
  readonly #idle: ScratchSlot[]
  readonly #waiting: ((slot: ScratchSlot) => void)[] = []
  #closed: Promise<void> | undefined

  constructor(cluster: ScratchCluster, servedName: string) {
    this.#idle = Array.from({ length: SLOT_COUNT }, () => new ScratchSlot(cluster, servedName))
  }

  /**
   * Runs a statement over loaded rows. Rejects with its error, or with 53300 where no scratch database came free in time.
   */
  run(request: ScratchRequest<LoadedReadRequest>): Promise<LoadedAnswer> {
    return this.#inSlot(request, (slot) => slot.run(request))
  }

  /** Lets PostgreSQL check a COPY FROM STDIN into one of the tables, as it does before it reads data. */
  probeCopy(request: ScratchRequest<AnalyseRequest>): Promise<CopyFormats> {
    return this.#inSlot(request, (slot) => slot.probeCopy(request))
  }

  /** Drops the databases. Statements under way fail. */
  close(): Promise<void> {
    this.#closed ??= Promise.all(this.#idle.splice(0).map((slot) => slot.drop())).then(() => {})
    return this.#closed
  }

  async #inSlot<T>(
    { schema, keys, signal }: ScratchRequest<AnalyseRequest>,
    work: (slot: ScratchSlot) => Promise<T>,
  ): Promise<T> {
    const slot = await this.#acquire(signal)
    try {
      await slot.prepare(schema, keys)
      return await work(slot)
    } finally {
      this.#release(slot)
    }
  }

  async #acquire(signal: AbortSignal): Promise<ScratchSlot> {
    signal.throwIfAborted()
    const idle = this.#idle.pop()
    if (idle !== undefined) return idle
    return new Promise((resolve, reject) => {
      const settle = () => {
        clearTimeout(timer)
        signal.removeEventListener('abort', abort)
        const place = this.#waiting.indexOf(give)
        if (place >= 0) this.#waiting.splice(place, 1)
      }
      const give = (slot: ScratchSlot) => {
        settle()
        resolve(slot)
      }
      const abort = () => {
        settle()
        reject(signal.reason as Error)
      }
      const timer = setTimeout(() => {
        settle()
        reject(
          new PgError(SQL_STATE.tooManyConnections, 'timed out waiting for a scratch database', {
            hint: `At most ${SLOT_COUNT} statements of a database are emulated at the same time.`,
          }),
        )
      }, WAIT_MS)
      signal.addEventListener('abort', abort, { once: true })
      this.#waiting.push(give)
    })
  }

  /** The client has its answer already: nobody waits for the tidying but the next statement. */
  #release(slot: ScratchSlot): void {
    void slot
      .tidy()
      .catch(() => slot.discard())
      .then(() => this.#offer(slot))
  }

  #offer(slot: ScratchSlot): void {
    if (this.#closed !== undefined) {
      slot.discard()
      return
    }
    const give = this.#waiting.shift()
    if (give === undefined) this.#idle.push(slot)
    else give(slot)
  }
}
