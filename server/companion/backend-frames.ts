import { PgError } from '../base/pg-error.ts'
import { SQL_STATE } from '../base/sql-state.ts'

/** One message of the server as it came: type byte, length, body. */
export interface Frame {
  /** Type byte; see {@link FRAME}. */
  readonly type: number
  /** The whole message, type byte and length included. It shares memory with what was read from the socket. */
  readonly bytes: Buffer
}

/** Type bytes of the messages that a server sends (manual, section 55.7). */
export const FRAME = {
  authentication: 0x52,
  backendKeyData: 0x4b,
  bindComplete: 0x32,
  closeComplete: 0x33,
  commandComplete: 0x43,
  copyBothResponse: 0x57,
  copyData: 0x64,
  copyDone: 0x63,
  copyInResponse: 0x47,
  copyOutResponse: 0x48,
  dataRow: 0x44,
  emptyQueryResponse: 0x49,
  errorResponse: 0x45,
  negotiateProtocolVersion: 0x76,
  noData: 0x6e,
  noticeResponse: 0x4e,
  notificationResponse: 0x41,
  parameterDescription: 0x74,
  parameterStatus: 0x53,
  parseComplete: 0x31,
  portalSuspended: 0x73,
  readyForQuery: 0x5a,
  rowDescription: 0x54,
} as const

/** Type byte and length. */
export const FRAME_HEADER_BYTES = 5

/** PQ_LARGE_MESSAGE_LIMIT (src/include/libpq/libpq.h): MaxAllocSize - 1. */
const FRAME_LIMIT_BYTES = 0x3fff_fffe

/** Cuts the bytes of a server's socket into messages. */
export class FrameSplitter {
  #chunks: Buffer[] = []
  #pendingBytes = 0
  /** Bytes needed before the message that has begun is whole; 0 where its length is not known yet. */
  #needed = 0

  /** Takes what was read and returns the messages that are whole now. Throws 08P01 on an impossible length. */
  push(chunk: Buffer): Frame[] {
    this.#chunks.push(chunk)
    this.#pendingBytes += chunk.length
    // A large row comes in many chunks: they are joined once.
    if (this.#pendingBytes < Math.max(this.#needed, FRAME_HEADER_BYTES)) return []
    const buffer =
      this.#chunks.length === 1 ? chunk : Buffer.concat(this.#chunks, this.#pendingBytes)
    const frames: Frame[] = []
    let offset = 0
    this.#needed = 0
    while (buffer.length - offset >= FRAME_HEADER_BYTES) {
      const length = buffer.readUInt32BE(offset + 1)
      if (length < 4 || length > FRAME_LIMIT_BYTES) {
        throw new PgError(SQL_STATE.protocolViolation, 'invalid message length', {
          severity: 'FATAL',
        })
      }
      const end = offset + 1 + length
      if (end > buffer.length) {
        this.#needed = 1 + length
        break
      }
      frames.push({ type: buffer.readUInt8(offset), bytes: buffer.subarray(offset, end) })
      offset = end
    }
    this.#chunks = offset === buffer.length ? [] : [buffer.subarray(offset)]
    this.#pendingBytes = buffer.length - offset
    return frames
  }
}
