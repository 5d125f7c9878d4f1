import type { RecordedCall } from '../helpers/recording-proxy.ts'
import { decodeReply, type Message } from '../helpers/spanner-protos.ts'
import type { CallTransaction, SpannerCall } from './spanner-call.ts'

const SPANNER = 'google.spanner.v1.Spanner/'

interface KnownTransaction {
  readonly session: string
  readonly isReadWrite: boolean
  readonly lineage: string
  isOpen: boolean
}

/** Reads calls in the order of their arrival, and learns from the answers what the ids in later calls stand for. */
export class CallReader {
  readonly #multiplexed = new Set<string>()
  /** By id. */
  readonly #known = new Map<string, KnownTransaction>()
  #lineages = 0

  /** undefined for calls of other services. */
  read(recorded: RecordedCall): SpannerCall | undefined {
    if (!recorded.path.startsWith(SPANNER)) return undefined
    const { method } = recorded
    const request = recorded.request()
    const session = String(request['session'] ?? request['name'] ?? '')
    const database = String(request['database'] ?? session.replace(/\/sessions\/.*/, ''))
    const isMultiplexed = this.#multiplexed.has(session)
    const transaction = this.#transaction(method, request)
    const lineage =
      session === '' ? database : this.#lineage(session, transaction, previousId(method, request))
    return { method, database, session, isMultiplexed, transaction, lineage }
  }

  /** The first message of the answer to a call; `lineage` as it was read. */
  learn(recorded: RecordedCall, message: Buffer, call: SpannerCall): void {
    if (recorded.method === 'CreateSession') {
      const session = decodeReply(recorded.path, message)
      if (session['multiplexed'] === true) this.#multiplexed.add(String(session['name']))
    }
    if (call.transaction.kind !== 'begin') return
    const id = begunId(recorded.method, decodeReply(recorded.path, message))
    if (id === undefined) return
    const { session, lineage, isMultiplexed } = call
    // A regular session has one transaction at a time: a begin ends the one before.
    if (!isMultiplexed) {
      for (const [other, known] of this.#known) {
        if (known.session === session) this.#known.delete(other)
      }
    }
    const { isReadWrite } = call.transaction
    this.#known.set(id, { session, lineage, isReadWrite, isOpen: true })
  }

  /** The transactions that are open in a session, as far as answers told. */
  openIn(session: string): readonly string[] {
    const open = [...this.#known].filter(([, known]) => known.session === session && known.isOpen)
    return open.map(([id]) => id)
  }

  /** A transaction is over; later ones may say that they follow it. */
  close(id: string): void {
    const known = this.#known.get(id)
    if (known !== undefined) known.isOpen = false
  }

  #transaction(method: string, request: Message): CallTransaction {
    if (method === 'BeginTransaction') return begin(request['options'])
    if (method === 'Commit' || method === 'Rollback') return this.#withId(request['transactionId'])
    if (!method.startsWith('Execute')) return { kind: 'none' }
    const selector = (request['transaction'] ?? {}) as Message
    if (selector['begin'] !== undefined) return begin(selector['begin'])
    if (selector['id'] !== undefined) return this.#withId(selector['id'])
    return { kind: 'single-use' }
  }

  #withId(bytes: unknown): CallTransaction {
    const id = hex(bytes)
    if (id === undefined) return { kind: 'none' }
    return { kind: 'id', isReadWrite: this.#known.get(id)?.isReadWrite ?? true, id }
  }

  #lineage(session: string, transaction: CallTransaction, previous: string | undefined): string {
    if (!this.#multiplexed.has(session)) return session
    const id = transaction.kind === 'id' ? transaction.id : previous
    const known = id === undefined ? undefined : this.#known.get(id)
    return known?.lineage ?? `lineage ${++this.#lineages}`
  }
}

function begin(options: unknown): CallTransaction {
  return { kind: 'begin', isReadWrite: (options as Message)['readWrite'] !== undefined }
}

/** ReadWrite.multiplexed_session_previous_transaction_id. */
function previousId(method: string, request: Message): string | undefined {
  const selector = request['transaction'] as Message | undefined
  const options = method === 'BeginTransaction' ? request['options'] : selector?.['begin']
  const readWrite = (options as Message | undefined)?.['readWrite'] as Message | undefined
  return hex(readWrite?.['multiplexedSessionPreviousTransactionId'])
}

function begunId(method: string, reply: Message): string | undefined {
  if (method === 'BeginTransaction') return hex(reply['id'])
  const [first] = (reply['resultSets'] ?? [reply]) as readonly Message[]
  const metadata = first?.['metadata'] as Message | undefined
  return hex((metadata?.['transaction'] as Message | undefined)?.['id'])
}

function hex(bytes: unknown): string | undefined {
  return Buffer.isBuffer(bytes) && bytes.length > 0 ? bytes.toString('hex') : undefined
}
