import { BackendRefusal } from '../helpers/backend-connection.ts'
import type { Cut, Fault } from '../helpers/proxy-fault.ts'
import { type Random, seededRandom } from '../helpers/random.ts'
import type { RecordedCall, RecordingProxy } from '../helpers/recording-proxy.ts'
import { abortedStatus, sessionNotFoundStatus, unavailableStatus } from '../helpers/rpc-status.ts'
import { CallReader } from './call-reader.ts'
import { DEFAULT_ABORT_LIMIT, FAULT_KINDS, type FaultKind, type FaultPlan } from './fault-plan.ts'
import type { SpannerCall } from './spanner-call.ts'

const SPANNER = 'google.spanner.v1.Spanner'
const DEADLINE_EXCEEDED = 4
const MAX_RETRY_DELAY_MS = 5
const CUTS: readonly Cut[] = ['stream', 'reset', 'goaway', 'drain']
/** Faults other than ABORTED that calls meet in a row: single calls are tried again for a few seconds only. */
const MAX_FAULTS_IN_A_ROW = 3

type Randoms = Readonly<Record<FaultKind, Random>>

/** What happened to the calls of one lineage. */
interface LineageFacts {
  /** Since a Commit last reached the backend. */
  aborts: number
  faultsInARow: number
  /** The transaction, in hexadecimal, whose Commit reached the backend last: it can no longer be aborted. */
  committing: string | undefined
  /** The transaction whose Commit was sent last, whatever became of it: without its session nobody could tell any more. */
  commitSent: string | undefined
  /** The transaction whose Commit was answered with ABORTED: Spanner says so again. */
  commitAborted: string | undefined
}

/**
 * Makes the calls that go through a proxy fail by a plan, the way Spanner does: what it says about a transaction is true at the backend,
 * too.
 */
export class FaultInjector {
  readonly #proxy: RecordingProxy
  readonly #reader = new CallReader()
  readonly #facts = new Map<string, LineageFacts>()
  readonly #calls = new WeakMap<RecordedCall, SpannerCall>()
  #plan: FaultPlan = { seed: 0 }
  /** By database: what happens in one does not depend on when things happen in others. */
  readonly #randoms = new Map<string, Randoms>()
  #counts: Record<FaultKind, number> = zeroes()

  constructor(proxy: RecordingProxy) {
    this.#proxy = proxy
    proxy.intercept((call) => this.#intercept(call))
    proxy.observe((recorded, message) => {
      const call = this.#calls.get(recorded)
      if (call !== undefined) this.#reader.learn(recorded, message, call)
    })
  }

  /** From now on faults happen by this plan; the counts begin anew. */
  start(plan: FaultPlan): void {
    this.#plan = plan
    this.#randoms.clear()
    this.#counts = zeroes()
  }

  /** Everything goes through again. */
  stop(): void {
    this.#plan = { seed: 0 }
  }

  /** Faults since `start`. */
  get counts(): Readonly<Record<FaultKind, number>> {
    return this.#counts
  }

  async #intercept(recorded: RecordedCall): Promise<Fault | undefined> {
    const call = this.#reader.read(recorded)
    if (call === undefined) return undefined
    this.#calls.set(recorded, call)
    const facts = this.#factsOf(call.lineage)
    const id = idOf(call)
    if (call.method === 'Commit' && id !== undefined && id === facts.commitAborted)
      return { kind: 'status', ...abortedStatus('chaos: aborted before', undefined) }
    const kind = FAULT_KINDS.find((candidate) => this.#happens(candidate, call, facts))
    if (kind !== undefined) this.#counts[kind]++
    const fault = kind === undefined ? undefined : await this.#make(kind, call)
    if (kind === 'aborted') facts.aborts++
    else if (kind === undefined) facts.faultsInARow = 0
    else facts.faultsInARow++
    if (fault?.kind !== 'status') this.#noteArrival(call, facts)
    if (call.method === 'Commit') facts.commitSent = idOf(call)
    if (call.method === 'Commit' && kind === 'aborted') facts.commitAborted = idOf(call)
    return fault
  }

  #happens(kind: FaultKind, call: SpannerCall, facts: LineageFacts): boolean {
    const probability = this.#plan[kind] ?? 0
    if (probability === 0 || !isEligible(kind, call, facts)) return false
    // Drawn for every call that it could happen to: a bound that is reached does not shift what follows.
    if (!this.#randomsOf(call)[kind].chance(probability)) return false
    if (kind !== 'aborted') return facts.faultsInARow < MAX_FAULTS_IN_A_ROW
    return facts.aborts < (this.#plan.abortLimit ?? DEFAULT_ABORT_LIMIT)
  }

  async #make(kind: FaultKind, call: SpannerCall): Promise<Fault> {
    const random = this.#randomsOf(call)[kind]
    switch (kind) {
      case 'sessionDeleted':
        await beforeAnswer(call, this.#deleteSession(call))
        return { kind: 'status', ...sessionNotFoundStatus(call.session) }
      case 'aborted':
        await beforeAnswer(call, this.#rollBack(call))
        return { kind: 'status', ...abortedStatus('chaos: aborted', retryDelay(random)) }
      case 'unavailable':
        return { kind: 'status', ...unavailableStatus('chaos: unavailable', retryDelay(random)) }
      case 'answerLost':
        return { kind: 'lose-answer', ...unavailableStatus('chaos: lost', retryDelay(random)) }
      case 'cut':
        return { kind: 'cut', afterMessages: random.below(3), how: random.pick(CUTS) }
      case 'commitDeadline': {
        const status = { code: DEADLINE_EXCEEDED, message: 'chaos: deadline exceeded' }
        return { kind: random.chance(0.5) ? 'status' : 'lose-answer', ...status }
      }
    }
  }

  /** A begin that is refused has nothing to roll back: it never came to the backend. */
  async #rollBack({ session, transaction }: SpannerCall): Promise<void> {
    if (transaction.kind !== 'id') return
    await this.#callQuietly('Rollback', { session, transactionId: bytesOf(transaction.id) })
    this.#reader.close(transaction.id)
  }

  /** Deleting a session with an open transaction locks the official emulator up: what is open in it is rolled back before. */
  async #deleteSession({ session, isMultiplexed }: SpannerCall): Promise<void> {
    for (const id of this.#reader.openIn(session)) {
      await this.#callQuietly('Rollback', { session, transactionId: bytesOf(id) })
      this.#reader.close(id)
    }
    if (!isMultiplexed) await this.#voidOrphan(session)
    await this.#callQuietly('DeleteSession', { name: session })
  }

  /** A transaction whose id nobody knows, because its begin failed or was cut, is replaced by a new one. */
  async #voidOrphan(session: string): Promise<void> {
    const options = { readWrite: {} }
    const reply = await this.#callQuietly('BeginTransaction', { session, options })
    if (reply === undefined) return
    await this.#callQuietly('Rollback', { session, transactionId: reply['id'] })
  }

  async #callQuietly(method: string, request: object) {
    try {
      return await this.#proxy.callBackend(`${SPANNER}/${method}`, request)
    } catch (error) {
      if (error instanceof BackendRefusal) return undefined
      throw error
    }
  }

  #randomsOf({ database }: SpannerCall): Randoms {
    const known = this.#randoms.get(database)
    if (known !== undefined) return known
    const fresh = randoms(this.#plan.seed + hashOf(database))
    this.#randoms.set(database, fresh)
    return fresh
  }

  #factsOf(lineage: string): LineageFacts {
    const known = this.#facts.get(lineage)
    if (known !== undefined) return known
    const facts: LineageFacts = {
      aborts: 0,
      faultsInARow: 0,
      committing: undefined,
      commitSent: undefined,
      commitAborted: undefined,
    }
    this.#facts.set(lineage, facts)
    return facts
  }

  #noteArrival({ method, transaction }: SpannerCall, facts: LineageFacts): void {
    if (transaction.kind !== 'id') return
    if (method === 'Rollback') this.#reader.close(transaction.id)
    if (method !== 'Commit') return
    facts.aborts = 0
    facts.committing = transaction.id
  }
}

/**
 * Waits until the backend has done what the answer says. A Commit is answered at once: if its connection broke meanwhile, for another call's
 * fault, it would be sent again, and nobody could find out any more what had become of the first.
 */
async function beforeAnswer({ method }: SpannerCall, work: Promise<void>): Promise<void> {
  if (method !== 'Commit') return work
  work.catch((error: unknown) => {
    process.emitWarning(`after the answer to a Commit: ${String(error)}`)
  })
}

function isEligible(kind: FaultKind, call: SpannerCall, facts: LineageFacts): boolean {
  const { method, transaction } = call
  switch (kind) {
    case 'sessionDeleted':
      if (method === 'Commit' && facts.commitSent === idOf(call)) return false
      return transaction.kind !== 'none' && method !== 'Rollback'
    case 'aborted':
      if (transaction.kind === 'none' || transaction.kind === 'single-use') return false
      if (!transaction.isReadWrite || !TRANSACTIONAL.has(method)) return false
      return transaction.kind === 'begin' || facts.committing !== transaction.id
    case 'commitDeadline':
      return method === 'Commit'
    default:
      return true
  }
}

function idOf({ transaction }: SpannerCall): string | undefined {
  return transaction.kind === 'id' ? transaction.id : undefined
}

const TRANSACTIONAL: ReadonlySet<string> = new Set([
  'ExecuteSql',
  'ExecuteStreamingSql',
  'ExecuteBatchDml',
  'Commit',
])

function bytesOf(hex: string): Buffer {
  return Buffer.from(hex, 'hex')
}

/** google.rpc.RetryInfo comes with two in three. */
function retryDelay(random: Random): number | undefined {
  return random.below(3) === 0 ? undefined : random.next() * MAX_RETRY_DELAY_MS
}

function hashOf(text: string): number {
  return [...Buffer.from(text)].reduce((hash, byte) => Math.imul(hash, 31) + byte, 0)
}

function randoms(seed: number): Randoms {
  const entries = FAULT_KINDS.map((kind, index) => [kind, seededRandom(seed * 31 + index)])
  return Object.fromEntries(entries) as Randoms
}

function zeroes(): Record<FaultKind, number> {
  return Object.fromEntries(FAULT_KINDS.map((kind) => [kind, 0])) as Record<FaultKind, number>
}
