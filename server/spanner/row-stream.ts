import type { ResultColumn, RowBatch, RowStream } from '../backend/backend.ts'
import { BackendError } from '../backend/backend-error.ts'
import { Bug } from '../base/pg-error.ts'
import { decodePartialResultSet, type PartialResultSet } from './partial-result-set.ts'
import type { ResultMetadata } from './responses.ts'
import { isConnectionLost, type Retries } from './retries.ts'
import { RowAssembler } from './row-assembler.ts'
import { cancelledFailure, toBackendError } from './status.ts'
import { GRPC_CODE, type MessageStream } from './transport.ts'

/**
 * How much is held back although a resume token vouches for it: a result up to this size is handed on whole, so that losing its session
 * costs nothing. Clients get their bytes in pieces of this size anyway.
 */
const WHOLE_RESULT_BYTES = 64 * 1024

/**
 * How much is held back until a resume token vouches for it. Past that it is handed on, and a stream that breaks before the
 * next token is an error.
 */
const MAX_HELD_BYTES = 1024 * 1024

/** What a stream asks of the transaction that it belongs to. */
export interface RowStreamSource {
  /** Called when a stream has failed that had got on since the last failure. */
  startRetries(): Retries
  /** Sends the statement, or goes on after `resumeToken`. */
  open(resumeToken: Buffer | undefined): Promise<MessageStream>
  /** With the first message of each time that it was opened. May throw. */
  onMetadata(metadata: ResultMetadata): void
  onPrecommitToken(token: Buffer): void
  /** Whether a statement of which no row was handed on may be sent again in another session. */
  replaceSession(): boolean
  /** Exactly once: without an error after the last row, with one after a failure or a cancel. Returns what the reader is told. */
  onEnd(error: BackendError | undefined): BackendError | undefined
}

/** Messages that were received and not handed on: those that the last resume token vouches for, and what came after it. */
class HeldMessages {
  #messages: PartialResultSet[] = []
  #vouchedFor = 0
  #vouchedBytes = 0
  #sizeBytes = 0

  get sizeBytes(): number {
    return this.#sizeBytes
  }

  add(message: PartialResultSet): void {
    this.#messages.push(message)
    this.#sizeBytes += message.bytes.length
    if (message.resumeToken === undefined) return
    this.#vouchedFor = this.#messages.length
    this.#vouchedBytes = this.#sizeBytes
  }

  /** What the server sends again after the last token. */
  dropUnvouched(): void {
    this.#messages.length = this.#vouchedFor
    this.#sizeBytes = this.#vouchedBytes
  }

  take(): readonly PartialResultSet[] {
    const taken = this.#messages
    this.clear()
    return taken
  }

  clear(): void {
    this.#messages = []
    this.#vouchedFor = 0
    this.#vouchedBytes = 0
    this.#sizeBytes = 0
  }
}

/**
 * The emulator 1.5.28 knows DML that is sent again by its seqno, and streams everything but the rows of its RETURNING. Nothing is committed: the
 * transaction is to be run again. Spanner has not ended it, as the code says.
 */
function rowsLost(): BackendError {
  const failure = { kind: 'aborted' } as const
  return new BackendError('the rows of RETURNING did not come', {
    failure,
    grpcCode: GRPC_CODE.OK,
  })
}

/**
 * The rows of one statement. Nothing is sent before the first pull. Messages are held back until a resume token (or the end)
 * vouches for them, so that a stream that breaks goes on after the last token and no row comes twice or never.
 */
export class SpannerRowStream implements RowStream {
  readonly #source: RowStreamSource
  /** Set while attempts fail in a row. */
  #retries: Retries | undefined
  #stream: MessageStream | undefined
  #resumeToken: Buffer | undefined
  readonly #held = new HeldMessages()
  /** False while rows were handed on that no token vouches for. */
  #isResumable = true
  #hasHandedOn = false
  /** The server has said that nothing follows. */
  #hasAll = false
  #metadata: ResultMetadata | undefined
  #assembler: RowAssembler | undefined
  readonly #ready: RowBatch[] = []
  #rowCount: bigint | undefined
  #rowsRead = 0
  #state: 'open' | 'done' | 'failed' = 'open'
  #error: BackendError | undefined
  #isPulling = false
  #isCancelled = false

  constructor(source: RowStreamSource) {
    this.#source = source
  }

  async columns(): Promise<readonly ResultColumn[]> {
    while (this.#metadata === undefined && this.#state === 'open') await this.#advance()
    if (this.#metadata !== undefined) return this.#metadata.columns
    if (this.#error !== undefined) throw this.#error
    return []
  }

  async next(): Promise<RowBatch | undefined> {
    for (;;) {
      const batch = this.#ready.shift()
      if (batch !== undefined) return batch
      if (this.#error !== undefined) throw this.#error
      if (this.#state !== 'open') return undefined
      await this.#advance()
    }
  }

  rowCount(): bigint | undefined {
    return this.#rowCount
  }

  get readTimestamp(): string | undefined {
    return this.#metadata?.transaction?.readTimestamp
  }

  cancel(): void {
    if (this.#state !== 'open' || this.#isCancelled) return
    this.#isCancelled = true
    this.#ready.length = 0
    this.#stream?.cancel()
    // A pull under way rejects now and ends the stream itself.
    if (!this.#isPulling) this.#fail(toBackendError(cancelledFailure()))
  }

  /** Brings the stream one message further, to its end or to its error. */
  async #advance(): Promise<void> {
    if (this.#isPulling) throw new Bug('two pulls of one row stream at once')
    this.#isPulling = true
    try {
      const message = await this.#receive()
      if (message === undefined) this.#finish()
      else this.#accept(message)
    } catch (error) {
      this.#stream?.cancel()
      this.#fail(toBackendError(error))
    } finally {
      this.#isPulling = false
    }
  }

  async #receive(): Promise<PartialResultSet | undefined> {
    for (;;) {
      try {
        this.#demandNotCancelled()
        this.#stream ??= await this.#source.open(this.#resumeToken)
        this.#demandNotCancelled()
        const bytes = await this.#stream.next()
        return bytes === undefined ? undefined : decodePartialResultSet(bytes)
      } catch (error) {
        // Only the status is missing.
        if (this.#hasAll && isConnectionLost(error)) return undefined
        await this.#prepareResume(error)
      }
    }
  }

  #demandNotCancelled(): void {
    if (this.#isCancelled) throw cancelledFailure()
  }

  /** Throws `error` where the stream cannot go on. */
  async #prepareResume(error: unknown): Promise<void> {
    this.#demandNotCancelled()
    const failure = toBackendError(error)
    this.#stream?.cancel()
    this.#stream = undefined
    if (failure.failure.kind === 'session-not-found') {
      if (this.#hasHandedOn || !this.#source.replaceSession()) throw failure
      this.#startOver()
      return
    }
    if (!this.#isResumable) throw failure
    this.#retries ??= this.#source.startRetries()
    await this.#retries.beforeNext(error)
    this.#held.dropUnvouched()
  }

  /** No token of a session that is gone is worth anything. */
  #startOver(): void {
    this.#resumeToken = undefined
    this.#metadata = undefined
    this.#assembler = undefined
    this.#rowCount = undefined
    this.#held.clear()
  }

  #accept(message: PartialResultSet): void {
    this.#retries = undefined
    this.#hasAll = message.isLast
    if (message.metadata !== undefined) {
      this.#metadata ??= message.metadata
      this.#assembler ??= new RowAssembler(message.metadata.columns.length)
      this.#source.onMetadata(message.metadata)
    }
    if (message.precommitToken !== undefined) this.#source.onPrecommitToken(message.precommitToken)
    this.#held.add(message)
    if (message.resumeToken !== undefined) {
      this.#resumeToken = message.resumeToken
      this.#isResumable = true
      if (this.#held.sizeBytes > WHOLE_RESULT_BYTES) this.#release()
    } else if (this.#held.sizeBytes > MAX_HELD_BYTES) {
      this.#isResumable = false
      this.#release()
    }
  }

  #release(): void {
    for (const message of this.#held.take()) {
      if (message.rowCount !== undefined) this.#rowCount = message.rowCount
      const batches = this.#assembler?.add(message) ?? []
      if (batches.length > 0) this.#hasHandedOn = true
      for (const batch of batches) this.#rowsRead += batch.rowCount
      this.#ready.push(...batches)
    }
  }

  #finish(): void {
    this.#release()
    this.#assembler?.end()
    this.#state = 'done'
    this.#stream = undefined
    const error = this.#lacksRows() ? rowsLost() : undefined
    const failure = this.#source.onEnd(error) ?? error
    if (failure === undefined) return
    this.#state = 'failed'
    this.#error = failure
  }

  /** Whether DML with RETURNING says that it changed more rows than came. */
  #lacksRows(): boolean {
    const returnsRows = this.#metadata !== undefined && this.#metadata.columns.length > 0
    return returnsRows && this.#rowCount !== undefined && this.#rowCount > this.#rowsRead
  }

  #fail(failure: BackendError): void {
    this.#state = 'failed'
    this.#stream = undefined
    this.#held.clear()
    this.#error = this.#source.onEnd(failure) ?? failure
  }
}
