import { status as GRPC } from '@grpc/grpc-js'
import { GrpcStatus } from './grpc-status.ts'
import type { SqlRequest } from './spanner-requests.ts'

/** What a DML request was answered with: whole messages, or an error. */
export interface DmlAnswer {
  readonly messages: readonly Buffer[]
  readonly error: GrpcStatus | undefined
}

interface Entry {
  readonly statements: readonly SqlRequest[]
  readonly answer: Promise<DmlAnswer>
}

/** Answers larger than this are not kept: to ask for one again is an error. */
const KEPT_BYTES = 1024 * 1024
const KEPT_ENTRIES = 100

/**
 * The DML requests of one transaction by their seqno: one that comes twice is answered once more, and not run again; it may come
 * while the first still runs, whose connection was lost.
 */
export class DmlLog {
  readonly #entries = new Map<bigint, Entry>()
  #last: bigint | undefined

  /** The answer of a request that came before; undefined where it is new. Throws INVALID_ARGUMENT where the number was used otherwise. */
  replay(seqno: bigint, statements: readonly SqlRequest[]): Promise<DmlAnswer> | undefined {
    if (this.#last === undefined || seqno > this.#last) {
      this.#last = seqno
      return undefined
    }
    const entry = this.#entries.get(seqno)
    if (entry !== undefined && isSame(entry.statements, statements)) return entry.answer
    const sql = `Requested SQL: ${statements[0]?.sql ?? ''}`
    throw new GrpcStatus(
      GRPC.INVALID_ARGUMENT,
      seqno === this.#last || entry !== undefined
        ? `Previously received a different request with this seqno. seqno=${seqno} ${sql}`
        : `Request has an out-of-order seqno. Request seqno=${seqno}. Last seen seqno=${this.#last}. ${sql}`,
    )
  }

  /** Of a request that runs now. */
  keep(seqno: bigint, statements: readonly SqlRequest[], answer: Promise<DmlAnswer>): void {
    this.#entries.set(seqno, { statements, answer })
    const [oldest] = this.#entries.keys()
    if (this.#entries.size > KEPT_ENTRIES && oldest !== undefined) this.#entries.delete(oldest)
    const forget = (): void => void this.#entries.delete(seqno)
    answer.then(({ messages }) => {
      if (messages.reduce((sum, message) => sum + message.length, 0) > KEPT_BYTES) forget()
    }, forget)
  }
}

function isSame(left: readonly SqlRequest[], right: readonly SqlRequest[]): boolean {
  return (
    left.length === right.length &&
    left.every((statement, index) => {
      const other = right[index]
      return other !== undefined && statement.sql === other.sql && haveSameParams(statement, other)
    })
  )
}

function haveSameParams(left: SqlRequest, right: SqlRequest): boolean {
  if (left.params.size !== right.params.size) return false
  for (const [name, value] of left.params) {
    if (right.params.get(name)?.equals(value) !== true) return false
  }
  return true
}
