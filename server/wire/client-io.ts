import type { ByteWriter } from '../base/byte-writer.ts'
import type { PgError } from '../base/pg-error.ts'
import type { FrontendMessage, UnreadableMessage } from './frontend-message.ts'

/** What a conversation sees of its client's socket. */
export interface ClientIo {
  /** Answers are written here, and leave with the next `flush`. */
  readonly output: ByteWriter
  /** Sends what `output` holds; resolves when the socket has room again. Harmless after the client has gone. */
  flush(): Promise<void>
  /** Ends the connection: what it waits for is aborted, and the client is told `error` (FATAL). */
  terminate(error: PgError): void
  /** The next message where it has arrived whole already; it is handled later all the same. */
  peek(): FrontendMessage | undefined
  /** Takes the next message away from whoever would handle it: the data of COPY. undefined where the client has gone. */
  next(): Promise<FrontendMessage | UnreadableMessage | undefined>
  /** Aborts when the client has gone, with the reason. */
  readonly gone: AbortSignal
  /** For pg_stat_activity and logs: address and port, or `[local]`. */
  readonly remoteAddress: string
  /** The two ends of the client's connection, for inet_client_addr() and its like; undefined over a Unix socket. */
  readonly ends: SocketEnds | undefined
  readonly processId: number
  /** 4 bytes, or up to 256 in protocol 3.2. */
  readonly secretKey: Buffer
}

/** Addresses and ports of a TCP connection. */
export interface SocketEnds {
  readonly client: { readonly address: string; readonly port: number }
  readonly server: { readonly address: string; readonly port: number }
}

/** One client's conversation: the side that decides what to answer. Its methods are called one after the other. */
export interface Conversation {
  /** The StartupMessage. Throws (or writes) an error and returns false where the connection must end. */
  startup(parameters: ReadonlyMap<string, string>): Promise<boolean>
  /** One message; false where the connection must end after the answer has been sent. */
  message(message: FrontendMessage): Promise<boolean>
  /**
   * A message whose contents PostgreSQL answers with an ERROR: it fails with `unreadable.error` as if it had been handled (after
   * Query an ErrorResponse and ReadyForQuery, else an ErrorResponse and nothing more until Sync). Without this method the
   * connection ends with that error.
   */
  unreadable?(unreadable: UnreadableMessage): Promise<boolean>
  /** Between two messages: whether everything that the client asked for has been answered. False inside a pipeline, up to its Sync. */
  readonly isIdle: boolean
  /** A CancelRequest with the right key. Called at any time. */
  cancel(): void
  /** The connection is over, for whatever reason: transactions are rolled back. Called exactly once, after the last message. */
  close(): Promise<void>
}

export type StartConversation = (io: ClientIo) => Conversation
