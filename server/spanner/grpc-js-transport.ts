import {
  Channel,
  type ChannelCredentials,
  type InterceptingListener,
  Metadata,
  type StatusObject,
} from '@grpc/grpc-js'
import { ChannelSet } from './channel-set.ts'
import {
  GRPC_CODE,
  type MessageStream,
  type RpcOptions,
  type Transport,
  TransportError,
} from './transport.ts'

/** Cells of 10 MiB, rows of 100 MiB (Spanner's quotas page), and some room for framing. */
const MAX_MESSAGE_SIZE_BYTES = 128 * 1024 * 1024
const KEEPALIVE_MS = 120_000
/** A connection that was dropped without a word holds its calls so long; grpc-js pings when a call meets one that was idle. */
const KEEPALIVE_TIMEOUT_MS = 10_000

export interface GrpcJsTransportOptions {
  /** `host:port`, or `unix:/path`. */
  readonly target: string
  readonly credentials: ChannelCredentials
  /** TCP connections. */
  readonly channels: number
  readonly userAgent?: string | undefined
  /** Longest pause between attempts to connect: grpc-js's two minutes would hide that a server is back. */
  readonly maxReconnectBackoffMs?: number | undefined
}

type GrpcCall = ReturnType<Channel['createCall']>

/**
 * A {@link Transport} over @grpc/grpc-js. Calls are made on the channel itself rather than through `Client`, whose readable
 * streams read sixteen messages ahead: here one pull is one message.
 */
export class GrpcJsTransport implements Transport {
  readonly #channels: ChannelSet
  readonly #calls = new Set<PullCall>()
  #isClosed = false

  constructor(options: GrpcJsTransportOptions) {
    const channelOptions = {
      'grpc.max_receive_message_length': MAX_MESSAGE_SIZE_BYTES,
      'grpc.max_send_message_length': MAX_MESSAGE_SIZE_BYTES,
      'grpc.keepalive_time_ms': KEEPALIVE_MS,
      'grpc.keepalive_timeout_ms': KEEPALIVE_TIMEOUT_MS,
      'grpc.initial_reconnect_backoff_ms': 100,
      'grpc.max_reconnect_backoff_ms': options.maxReconnectBackoffMs ?? 1000,
      'grpc.primary_user_agent': options.userAgent ?? 'spanwire',
      'grpc.use_local_subchannel_pool': 1,
      'grpc.service_config_disable_resolution': 1,
    }
    this.#channels = new ChannelSet(
      options.channels,
      () => new Channel(options.target, options.credentials, channelOptions),
    )
  }

  get channelCount(): number {
    return this.#channels.size
  }

  get connectedChannels(): number {
    return this.#isClosed ? 0 : this.#channels.connectedCount
  }

  pickChannel(): number {
    return this.#channels.pick()
  }

  async unary(method: string, request: Buffer, options: RpcOptions): Promise<Buffer> {
    const call = this.#start(method, request, options)
    const reply = await call.next()
    if (reply === undefined) {
      throw new TransportError(GRPC_CODE.INTERNAL, 'the call ended without a reply')
    }
    // The status comes after the reply, and only it says that the call succeeded.
    if ((await call.next()) !== undefined) {
      call.cancel()
      throw new TransportError(GRPC_CODE.INTERNAL, 'the call gave more than one reply')
    }
    return reply
  }

  serverStream(method: string, request: Buffer, options: RpcOptions): MessageStream {
    return this.#start(method, request, options)
  }

  async close(): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    for (const call of this.#calls) call.end(GRPC_CODE.UNAVAILABLE, 'the backend was closed')
    this.#channels.close()
  }

  #start(method: string, request: Buffer, options: RpcOptions): PullCall {
    const lane = this.#isClosed ? undefined : this.#channels.laneOf(options.channel)
    if (lane === undefined) {
      throw new TransportError(GRPC_CODE.UNAVAILABLE, 'the backend was closed', { isClosed: true })
    }
    if (options.signal?.aborted === true) {
      throw new TransportError(GRPC_CODE.CANCELLED, 'the call was cancelled before it was sent')
    }
    const deadline = new Date(Date.now() + options.timeoutMs)
    const call = new PullCall(
      lane.channel.createCall(method, deadline, null, null, null),
      options.signal,
      () => {
        lane.calls--
        this.#calls.delete(call)
      },
    )
    lane.calls++
    this.#calls.add(call)
    call.start(toMetadata(options.metadata), request)
    return call
  }
}

/** One call: hands out messages one at a time, and its status as the end or as an error. */
class PullCall implements MessageStream, InterceptingListener {
  readonly #call: GrpcCall
  readonly #signal: AbortSignal | undefined
  readonly #onEnd: () => void
  readonly #onAbort = (): void => this.cancel()
  #message: Buffer | undefined
  #status: StatusObject | undefined
  #waiter: Waiter | undefined

  constructor(call: GrpcCall, signal: AbortSignal | undefined, onEnd: () => void) {
    this.#call = call
    this.#signal = signal
    this.#onEnd = onEnd
  }

  start(metadata: Metadata, request: Buffer): void {
    this.#signal?.addEventListener('abort', this.#onAbort, { once: true })
    this.#call.start(metadata, this)
    this.#call.sendMessageWithContext({}, request)
    this.#call.halfClose()
    this.#call.startRead()
  }

  next(): Promise<Buffer | undefined> {
    const message = this.#message
    if (message !== undefined) {
      this.#message = undefined
      this.#call.startRead()
      return Promise.resolve(message)
    }
    if (this.#status !== undefined) return settle(this.#status)
    return new Promise((resolve, reject) => {
      this.#waiter = { resolve, reject }
    })
  }

  cancel(): void {
    this.end(GRPC_CODE.CANCELLED, 'the call was cancelled')
  }

  /** Ends the call from this side. */
  end(code: number, details: string): void {
    if (this.#status === undefined) this.#call.cancelWithStatus(code, details)
  }

  onReceiveMetadata(): void {
    // Initial metadata carry nothing that anybody here reads.
  }

  onReceiveMessage(message: unknown): void {
    if (!Buffer.isBuffer(message)) return
    const waiter = this.#waiter
    if (waiter === undefined) {
      this.#message = message
      return
    }
    this.#waiter = undefined
    this.#call.startRead()
    waiter.resolve(message)
  }

  onReceiveStatus(status: StatusObject): void {
    this.#status = status
    this.#signal?.removeEventListener('abort', this.#onAbort)
    this.#onEnd()
    const waiter = this.#waiter
    this.#waiter = undefined
    if (waiter !== undefined) settle(status).then(waiter.resolve, waiter.reject)
  }
}

interface Waiter {
  readonly resolve: (message: Buffer | undefined) => void
  readonly reject: (error: unknown) => void
}

function settle(status: StatusObject): Promise<undefined> {
  if (status.code === 0) return Promise.resolve(undefined)
  return Promise.reject(
    new TransportError(status.code, plainDetails(status.details), {
      statusDetails: binaryTrailer(status.metadata, 'grpc-status-details-bin'),
      retryInfo: binaryTrailer(status.metadata, 'google.rpc.retryinfo-bin'),
    }),
  )
}

/** grpc-js wraps what the socket said: `No connection established. Last error: Error: connect ECONNREFUSED 127.0.0.1:1. Resolution note: `. */
function plainDetails(details: string): string {
  const wrapped = /^No connection established\. Last error: (?:Error: )?(.+?)\. Resolution note: /s
  return wrapped.exec(details)?.[1] ?? details
}

function binaryTrailer(metadata: Metadata, name: string): Buffer | undefined {
  const value = metadata.get(name)[0]
  return Buffer.isBuffer(value) ? value : undefined
}

function toMetadata(entries: RpcOptions['metadata']): Metadata {
  const metadata = new Metadata()
  for (const [name, value] of entries) metadata.set(name, value)
  return metadata
}
