import { PgError } from './pg-error.ts'
import { SQL_STATE } from './sql-state.ts'

/**
 * Reads one frame that came from outside. It knows the frame's end: whoever asks for more than there is gets 08P01
 * with PostgreSQL's words (src/backend/libpq/pqformat.c), never a byte of the next frame.
 */
export class ByteReader {
  readonly #buffer: Buffer
  #offset: number
  readonly #end: number

  constructor(buffer: Buffer, offset = 0, end = buffer.length) {
    this.#buffer = buffer
    this.#offset = offset
    this.#end = end
  }

  get remaining(): number {
    return this.#end - this.#offset
  }

  uint8(): number {
    this.#need(1)
    return this.#buffer.readUInt8(this.#offset++)
  }

  int16(): number {
    this.#need(2)
    this.#offset += 2
    return this.#buffer.readInt16BE(this.#offset - 2)
  }

  uint16(): number {
    this.#need(2)
    this.#offset += 2
    return this.#buffer.readUInt16BE(this.#offset - 2)
  }

  int32(): number {
    this.#need(4)
    this.#offset += 4
    return this.#buffer.readInt32BE(this.#offset - 4)
  }

  uint32(): number {
    this.#need(4)
    this.#offset += 4
    return this.#buffer.readUInt32BE(this.#offset - 4)
  }

  int64(): bigint {
    this.#need(8)
    this.#offset += 8
    return this.#buffer.readBigInt64BE(this.#offset - 8)
  }

  /** A view of the next `sizeBytes` bytes: it shares memory with the frame. */
  bytes(sizeBytes: number): Buffer {
    this.#need(sizeBytes)
    this.#offset += sizeBytes
    return this.#buffer.subarray(this.#offset - sizeBytes, this.#offset)
  }

  /** UTF-8 text up to the zero byte that ends PostgreSQL's String. Bytes that are no UTF-8 become U+FFFD. */
  cstring(): string {
    return this.cstringBytes().toString('utf8')
  }

  /** A view of the bytes up to the zero byte that ends PostgreSQL's String. */
  cstringBytes(): Buffer {
    const zero = this.#buffer.indexOf(0, this.#offset)
    if (zero < 0 || zero >= this.#end) {
      throw new PgError(SQL_STATE.protocolViolation, 'invalid string in message', {
        severity: 'FATAL',
      })
    }
    const bytes = this.#buffer.subarray(this.#offset, zero)
    this.#offset = zero + 1
    return bytes
  }

  /** Demands that the frame ends here. */
  end(): void {
    if (this.#offset !== this.#end) {
      throw new PgError(SQL_STATE.protocolViolation, 'invalid message format', {
        severity: 'FATAL',
      })
    }
  }

  /** Demands room for `count` items of at least `itemSizeBytes` each, before anything is allocated for them. */
  ensureCount(count: number, itemSizeBytes: number): void {
    if (count < 0 || count * itemSizeBytes > this.remaining) {
      throw new PgError(SQL_STATE.protocolViolation, 'insufficient data left in message', {
        severity: 'FATAL',
      })
    }
  }

  #need(sizeBytes: number): void {
    if (sizeBytes < 0 || this.#offset + sizeBytes > this.#end) {
      throw new PgError(SQL_STATE.protocolViolation, 'insufficient data left in message', {
        severity: 'FATAL',
      })
    }
  }
}
