import { PgError } from '../base/pg-error.ts'
import { SQL_STATE } from '../base/sql-state.ts'
import { ChunkQueue } from './chunk-queue.ts'
import { decodeFrontendMessage, FRONTEND_MESSAGE_KIND } from './frontend-bodies.ts'
import type { FrontendMessage, StartupPacket, UnreadableMessage } from './frontend-message.ts'
import { decodeStartupPacket, UnansweredError } from './startup-packet.ts'

// Reads what a client sends, as src/backend/libpq/pqcomm.c (pq_getmessage), src/backend/tcop/postgres.c (SocketBackend) and
// src/backend/postmaster/postmaster.c (ProcessStartupPacket) do. Chunks are pushed, messages are pulled. Which kind of message comes
// next is known to the caller alone, so each kind has its own pull; a frame that is refused is refused as soon as its type and
// length are known, before its body is held. After a FATAL error the stream has no meaning any more.

/** MAX_STARTUP_PACKET_LENGTH of src/include/libpq/pqcomm.h: bytes after the length word. */
export const MAX_STARTUP_PACKET_LENGTH = 10000
/** PQ_SMALL_MESSAGE_LIMIT of src/include/libpq/libpq.h: bytes, the length word included. */
export const PQ_SMALL_MESSAGE_LIMIT = 10000
/** Stands for PQ_LARGE_MESSAGE_LIMIT of src/include/libpq/libpq.h, which is 1 GiB - 2: Spanner takes no request beyond 100 MB. */
export const DEFAULT_LARGE_MESSAGE_LIMIT = 64 * 1024 * 1024
/** PG_MAX_AUTH_TOKEN_LENGTH of src/include/libpq/auth.h. */
export const PG_MAX_AUTH_TOKEN_LENGTH = 65535

const STARTUP_HEADER_SIZE_BYTES = 4
const HEADER_SIZE_BYTES = 5
const PASSWORD_TYPE = 0x70
/** Terminate has no body. */
const TERMINATE = Uint8Array.of(0x58, 0, 0, 0, 4)

/** What {@link FrontendDecoder} may be told. */
export interface FrontendDecoderOptions {
  /** Longest Query, Parse, Bind, FunctionCall or CopyData, in bytes, the length word included. */
  readonly largeMessageLimitBytes?: number | undefined
}

/** Bytes from a client in, messages out. Frames may be split at any byte, and a chunk may hold several. */
export class FrontendDecoder {
  readonly #queue = new ChunkQueue()
  readonly #largeMessageLimitBytes: number

  constructor(options: FrontendDecoderOptions = {}) {
    this.#largeMessageLimitBytes = options.largeMessageLimitBytes ?? DEFAULT_LARGE_MESSAGE_LIMIT
  }

  /** Bytes that wait to be pulled. */
  get bufferedBytes(): number {
    return this.#queue.length
  }

  /** Whether the client said goodbye last: what waits ends with Terminate. */
  get endsWithTerminate(): boolean {
    return this.#queue.endsWith(TERMINATE)
  }

  /** The decoder keeps a reference to `chunk`, which the caller may not write to any more. */
  push(chunk: Buffer): void {
    this.#queue.push(chunk)
  }

  /**
   * The next packet of the startup phase, or undefined where it is not whole yet. Throws {@link UnansweredError} for a wrong
   * length, 0A000 for a major version other than 3, 08P01 for a wrong layout; all are FATAL.
   */
  pullStartupPacket(): StartupPacket | undefined {
    if (this.#queue.length < STARTUP_HEADER_SIZE_BYTES) return undefined
    const bodySizeBytes = this.#queue.int32(0) - STARTUP_HEADER_SIZE_BYTES
    if (bodySizeBytes < 4 || bodySizeBytes > MAX_STARTUP_PACKET_LENGTH) {
      throw new UnansweredError()
    }
    const body = this.#takeBody(STARTUP_HEADER_SIZE_BYTES, bodySizeBytes)
    return body && decodeStartupPacket(body)
  }

  /**
   * The answer to a request for a password (or SASL, GSS), or undefined where it is not whole yet. Anything else is 08P01 FATAL
   * before its body is read: who is not authenticated may not make us hold more than a password.
   */
  pullPassword(): Buffer | undefined {
    if (this.#queue.length === 0) return undefined
    const type = this.#queue.uint8(0)
    if (type !== PASSWORD_TYPE) {
      throw fatal(`expected password response, got message type ${type}`)
    }
    return this.#takeFrame(PG_MAX_AUTH_TOKEN_LENGTH)
  }

  /** The next message, or undefined where it is not whole yet. Malformed bytes are 08P01 FATAL. */
  pullMessage(): FrontendMessage | UnreadableMessage | undefined {
    if (this.#queue.length === 0) return undefined
    const type = this.#queue.uint8(0)
    const body = this.#takeFrame(this.#limitOf(type))
    return body && decodeFrontendMessage(type, body)
  }

  #limitOf(type: number): number {
    switch (FRONTEND_MESSAGE_KIND.get(type)) {
      case 'Query':
      case 'Parse':
      case 'Bind':
      case 'FunctionCall':
      case 'CopyData':
        return this.#largeMessageLimitBytes
      case 'Describe':
      case 'Execute':
      case 'Close':
      case 'Flush':
      case 'Sync':
      case 'Terminate':
      case 'CopyDone':
      case 'CopyFail':
        return PQ_SMALL_MESSAGE_LIMIT
      case 'PasswordMessage':
      case undefined:
        throw fatal(`invalid frontend message type ${type}`)
    }
  }

  #takeFrame(limitBytes: number): Buffer | undefined {
    if (this.#queue.length < HEADER_SIZE_BYTES) return undefined
    const length = this.#queue.int32(1)
    if (length < 4 || length > limitBytes) throw fatal('invalid message length')
    return this.#takeBody(HEADER_SIZE_BYTES, length - 4)
  }

  #takeBody(headerSizeBytes: number, bodySizeBytes: number): Buffer | undefined {
    if (this.#queue.length < headerSizeBytes + bodySizeBytes) return undefined
    this.#queue.skip(headerSizeBytes)
    return this.#queue.take(bodySizeBytes)
  }
}

function fatal(message: string): PgError {
  return new PgError(SQL_STATE.protocolViolation, message, { severity: 'FATAL' })
}
