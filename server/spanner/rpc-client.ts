import { randomBytes } from 'node:crypto'
import type { CallOptions } from '../backend/backend.ts'
import { rpcEvents } from '../base/channels.ts'
import { Deadline } from './deadline.ts'
import { Retries } from './retries.ts'
import { toBackendError } from './status.ts'
import {
  GRPC_CODE,
  type MessageStream,
  type RpcOptions,
  type Transport,
  TransportError,
} from './transport.ts'

/** Which call, about what. */
export interface RpcTarget {
  /** `google.spanner.v1.Spanner/Commit` */
  readonly method: string
  /** Goes into google-cloud-resource-prefix. */
  readonly resource: string
  /** Goes into x-goog-request-params: `session` and its name, for instance. */
  readonly routing: readonly [key: string, value: string]
  readonly channel: number
  /** Calls that create sessions or belong to a read-write transaction go to the leader region straight away. */
  readonly toLeader: boolean
}

const processId = randomBytes(4).toString('hex')
let clientCount = 0

/** Calls of Spanner's services over a {@link Transport}: headers, deadlines, retries of single calls, events. */
export class RpcClient {
  readonly transport: Transport
  readonly #clientNumber = ++clientCount
  readonly #maxRetryMs: number
  #requestCount = 0

  /** `maxRetryMs` is how long a call that fails again and again is sent again. */
  constructor(transport: Transport, maxRetryMs: number) {
    this.transport = transport
    this.#maxRetryMs = maxRetryMs
  }

  /** A call that may be sent twice. Rejects with a BackendError. */
  async unary(target: RpcTarget, request: Buffer, options: CallOptions): Promise<Buffer> {
    const deadline = new Deadline(options.timeoutMs)
    const requestNumber = ++this.#requestCount
    let retries: Retries | undefined
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#attempt(target, request, deadline.options(options.signal), {
          requestNumber,
          attempt,
        })
      } catch (error) {
        retries ??= this.startRetries(deadline, options.signal)
        await retries.beforeNext(error)
      }
    }
  }

  /** For a call that has failed for the first time now. */
  startRetries(deadline: Deadline, signal: AbortSignal | undefined): Retries {
    return new Retries(Math.min(deadline.remainingMs, this.#maxRetryMs), signal)
  }

  /** One attempt, whatever comes of it. Rejects with a BackendError. */
  async unaryOnce(target: RpcTarget, request: Buffer, options: CallOptions): Promise<Buffer> {
    try {
      return await this.#attempt(target, request, options, {
        requestNumber: ++this.#requestCount,
        attempt: 1,
      })
    } catch (error) {
      throw toBackendError(error)
    }
  }

  /** One attempt at a streaming call; its pulls reject with a TransportError. */
  stream(target: RpcTarget, request: Buffer, options: CallOptions): MessageStream {
    const requestId = this.#requestId(target, ++this.#requestCount, 1)
    const startedMs = performance.now()
    const inner = this.transport.serverStream(
      `/${target.method}`,
      request,
      rpcOptions(target, options, requestId),
    )
    return new ObservedStream(inner, (code) => publishEnd(target, code, startedMs))
  }

  async #attempt(
    target: RpcTarget,
    request: Buffer,
    options: CallOptions,
    number: { readonly requestNumber: number; readonly attempt: number },
  ): Promise<Buffer> {
    const requestId = this.#requestId(target, number.requestNumber, number.attempt)
    const startedMs = performance.now()
    let code: number = GRPC_CODE.OK
    try {
      return await this.transport.unary(
        `/${target.method}`,
        request,
        rpcOptions(target, options, requestId),
      )
    } catch (error) {
      code = codeOf(error)
      throw error
    } finally {
      publishEnd(target, code, startedMs)
    }
  }

  /** `1.<process>.<client>.<channel>.<request>.<attempt>` (Spanner's page on end-to-end tracing). */
  #requestId(target: RpcTarget, requestNumber: number, attempt: number): string {
    const channel = (target.channel % this.transport.channelCount) + 1
    return `1.${processId}.${this.#clientNumber}.${channel}.${requestNumber}.${attempt}`
  }
}

function rpcOptions(target: RpcTarget, options: CallOptions, requestId: string): RpcOptions {
  const [key, value] = target.routing
  const metadata: (readonly [string, string])[] = [
    ['google-cloud-resource-prefix', target.resource],
    ['x-goog-request-params', `${key}=${encodeURIComponent(value)}`],
    ['x-goog-spanner-request-id', requestId],
  ]
  if (target.toLeader) metadata.push(['x-goog-spanner-route-to-leader', 'true'])
  return {
    timeoutMs: options.timeoutMs,
    signal: options.signal,
    channel: target.channel,
    metadata,
  }
}

const STATUS_NAMES = new Map<number, string>(
  Object.entries(GRPC_CODE).map(([name, code]) => [code, name]),
)

function publishEnd(target: RpcTarget, code: number, startedMs: number): void {
  if (!rpcEvents.hasSubscribers) return
  rpcEvents.publish({
    method: target.method.slice(target.method.lastIndexOf('/') + 1),
    status: STATUS_NAMES.get(code) ?? String(code),
    durationMs: performance.now() - startedMs,
  })
}

function codeOf(error: unknown): number {
  return error instanceof TransportError ? error.grpcCode : GRPC_CODE.INTERNAL
}

/** Passes everything through and says once how the call ended. */
class ObservedStream implements MessageStream {
  readonly #inner: MessageStream
  #onEnd: ((code: number) => void) | undefined

  constructor(inner: MessageStream, onEnd: (code: number) => void) {
    this.#inner = inner
    this.#onEnd = onEnd
  }

  async next(): Promise<Buffer | undefined> {
    try {
      const message = await this.#inner.next()
      if (message === undefined) this.#end(GRPC_CODE.OK)
      return message
    } catch (error) {
      this.#end(codeOf(error))
      throw error
    }
  }

  cancel(): void {
    this.#inner.cancel()
    this.#end(GRPC_CODE.CANCELLED)
  }

  #end(code: number): void {
    const onEnd = this.#onEnd
    this.#onEnd = undefined
    onEnd?.(code)
  }
}
