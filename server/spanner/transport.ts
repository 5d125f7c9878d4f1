/**
 * What carries a gRPC call: three operations over raw messages, so that the library underneath can be exchanged. Everything
 * that fails rejects with a {@link TransportError}.
 */
export interface Transport {
  /** How many channels there are, each of one connection; `RpcOptions.channel` is taken modulo it. */
  readonly channelCount: number
  /** How many of them have their connection at this moment; none: the server cannot be reached. */
  readonly connectedChannels: number
  /** The number of the channel that has the least to do, for a session or a transaction that begins. */
  pickChannel(): number
  /** `method` is the path, `/google.spanner.v1.Spanner/Commit`. */
  unary(method: string, request: Buffer, options: RpcOptions): Promise<Buffer>
  serverStream(method: string, request: Buffer, options: RpcOptions): MessageStream
  /** Calls under way fail with UNAVAILABLE. Harmless the second time. */
  close(): Promise<void>
}

export interface RpcOptions {
  /** Milliseconds from now; the server is told of it. */
  readonly timeoutMs: number
  /** Cancels the call at the server. */
  readonly signal?: AbortSignal | undefined
  readonly metadata: readonly (readonly [name: string, value: string])[]
  /** The calls of a transaction stay on one connection, as long as it lasts. */
  readonly channel: number
}

/** Messages in the order of their arrival. While nobody pulls, at most one message is held and flow control stops the server. */
export interface MessageStream {
  /** The next message; undefined at the end with OK. One pull at a time. */
  next(): Promise<Buffer | undefined>
  /** Gives the call up: a pull under way rejects with CANCELLED. Harmless after the end. */
  cancel(): void
}

/** gRPC's status codes (grpc.github.io/grpc/core/md_doc_statuscodes.html). */
export const GRPC_CODE = {
  OK: 0,
  CANCELLED: 1,
  UNKNOWN: 2,
  INVALID_ARGUMENT: 3,
  DEADLINE_EXCEEDED: 4,
  NOT_FOUND: 5,
  ALREADY_EXISTS: 6,
  PERMISSION_DENIED: 7,
  RESOURCE_EXHAUSTED: 8,
  FAILED_PRECONDITION: 9,
  ABORTED: 10,
  OUT_OF_RANGE: 11,
  UNIMPLEMENTED: 12,
  INTERNAL: 13,
  UNAVAILABLE: 14,
  DATA_LOSS: 15,
  UNAUTHENTICATED: 16,
} as const

/** The end of a call with another status than OK, as it came. */
export class TransportError extends Error {
  readonly grpcCode: number
  /** The trailer grpc-status-details-bin: an encoded google.rpc.Status. */
  readonly statusDetails: Buffer | undefined
  /** The trailer google.rpc.retryinfo-bin: an encoded google.rpc.RetryInfo. */
  readonly retryInfo: Buffer | undefined
  /** The transport was closed on this side before the call was sent. */
  readonly isClosed: boolean

  constructor(
    grpcCode: number,
    message: string,
    more: {
      statusDetails?: Buffer | undefined
      retryInfo?: Buffer | undefined
      isClosed?: boolean | undefined
      cause?: unknown
    } = {},
  ) {
    super(message, { cause: more.cause })
    this.name = 'TransportError'
    this.grpcCode = grpcCode
    this.statusDetails = more.statusDetails
    this.retryInfo = more.retryInfo
    this.isClosed = more.isClosed ?? false
  }
}
