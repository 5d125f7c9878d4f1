import type {
  AnalyseRequest,
  CopyFormats,
  LoadedAnswer,
  LoadedReadRequest,
} from '../companion/companion-types.ts'
import type { ResultShape } from './result-tables.ts'
import type { ScratchCluster } from './scratch-cluster.ts'
import { type ScratchSchema, ScratchSlot } from './scratch-slot.ts'
import { WaitingLine } from './waiting-line.ts'

/** Statements of one database that are emulated at the same time. */
const SLOT_COUNT = 2

/** What an emulated statement needs: the schema it was planned with, and the keys of the relations that it names. */
export type ScratchRequest<R extends AnalyseRequest> = R & {
  readonly schema: ScratchSchema
  readonly keys: readonly string[]
  /** Loads that go into tables of their own. */
  readonly results?: readonly ResultShape[]
}

/** The scratch databases that stand for one served database. */
export class ScratchDatabases {
  readonly #slots: WaitingLine<ScratchSlot>
  #closed: Promise<void> | undefined

  constructor(cluster: ScratchCluster, servedName: string) {
    const slots = Array.from({ length: SLOT_COUNT }, () => new ScratchSlot(cluster, servedName))
    this.#slots = new WaitingLine(slots, {
      name: 'a scratch database',
      hint: `At most ${SLOT_COUNT} statements of a database are emulated at the same time.`,
    })
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
    this.#closed ??= Promise.all(this.#slots.takeIdle().map((slot) => slot.drop())).then(() => {})
    return this.#closed
  }

  async #inSlot<T>(
    { schema, keys, results, signal }: ScratchRequest<AnalyseRequest>,
    work: (slot: ScratchSlot) => Promise<T>,
  ): Promise<T> {
    const slot = await this.#slots.acquire(signal)
    try {
      await slot.prepare(schema, keys)
      if (results !== undefined) await slot.prepareResults(results)
      return await work(slot)
    } finally {
      this.#release(slot)
    }
  }

  /** The client has its answer already: nobody waits for the tidying but the next statement. */
  #release(slot: ScratchSlot): void {
    void slot
      .tidy()
      .catch(() => slot.discard())
      .then(() => this.#offer(slot))
  }

  #offer(slot: ScratchSlot): void {
    if (this.#closed === undefined) this.#slots.offer(slot)
    else slot.discard()
  }
}
