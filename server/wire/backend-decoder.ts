import { ByteReader } from '../base/byte-reader.ts'
import { PgError } from '../base/pg-error.ts'
import { SQL_STATE } from '../base/sql-state.ts'
import type { TransactionStatus } from './backend-messages.ts'
import { ChunkQueue } from './chunk-queue.ts'
import type { CopyFormats, FieldDescription } from './field-description.ts'

/** Type bytes of the messages that a server sends (manual, section 55.7). */
export const BACKEND_TYPE = {
  authentication: 0x52,
  backendKeyData: 0x4b,
  bindComplete: 0x32,
  closeComplete: 0x33,
  commandComplete: 0x43,
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

/** One message of a server. Both views share memory with the chunk that it came in, or with each other. */
export interface BackendFrame {
  /** Type byte: see {@link BACKEND_TYPE}. */
  readonly type: number
  /** Without type and length. */
  readonly body: Buffer
  /** Type, length and body, ready to be passed on. */
  readonly whole: Buffer
}

const HEADER_SIZE_BYTES = 5
const MAX_FRAME_LENGTH = 0x3fffffff

/** Bytes from a PostgreSQL server in, whole messages out; frames may be split at any byte. */
export class BackendDecoder {
  readonly #queue = new ChunkQueue()

  /** The decoder keeps a reference to `chunk`, which the caller may not write to any more. */
  push(chunk: Buffer): void {
    this.#queue.push(chunk)
  }

  /** The next message, or undefined where it is not whole yet. A length that cannot be is 08P01 FATAL. */
  pull(): BackendFrame | undefined {
    if (this.#queue.length < HEADER_SIZE_BYTES) return undefined
    const length = this.#queue.int32(1)
    if (length < 4 || length > MAX_FRAME_LENGTH) {
      throw new PgError(SQL_STATE.protocolViolation, 'invalid message length', {
        severity: 'FATAL',
      })
    }
    if (this.#queue.length < length + 1) return undefined
    const whole = this.#queue.take(length + 1)
    return { type: whole.readUInt8(0), body: whole.subarray(HEADER_SIZE_BYTES), whole }
  }
}

/** Reads the body of a RowDescription. Malformed bytes are 08P01, here and below. */
export function parseRowDescription(body: Buffer): readonly FieldDescription[] {
  const reader = new ByteReader(body)
  const count = reader.uint16()
  reader.ensureCount(count, 19)
  const fields = Array.from({ length: count }, () => parseField(reader))
  reader.end()
  return fields
}

function parseField(reader: ByteReader): FieldDescription {
  const field = {
    name: reader.cstring(),
    tableOid: reader.uint32(),
    attributeNumber: reader.int16(),
    typeOid: reader.uint32(),
    typeSizeBytes: reader.int16(),
    typmod: reader.int32(),
  }
  reader.int16()
  return field
}

/** Reads the body of a ParameterDescription: type OIDs. */
export function parseParameterDescription(body: Buffer): readonly number[] {
  const reader = new ByteReader(body)
  const count = reader.uint16()
  reader.ensureCount(count, 4)
  const typeOids = Array.from({ length: count }, () => reader.uint32())
  reader.end()
  return typeOids
}

/** Reads the body of a DataRow: the values as sent, null for NULL; they share memory with `body`. */
export function parseDataRow(body: Buffer): readonly (Buffer | null)[] {
  const reader = new ByteReader(body)
  const count = reader.uint16()
  reader.ensureCount(count, 4)
  const values = Array.from({ length: count }, () => {
    const sizeBytes = reader.int32()
    return sizeBytes === -1 ? null : reader.bytes(sizeBytes)
  })
  reader.end()
  return values
}

/** CopyInResponse and CopyOutResponse: how the data is written, as a whole and by column. */
export function parseCopyResponse(body: Buffer): CopyFormats {
  const reader = new ByteReader(body)
  const format = reader.uint8() === 0 ? 0 : 1
  const count = reader.uint16()
  reader.ensureCount(count, 2)
  const columns = Array.from({ length: count }, () => (reader.int16() === 0 ? 0 : 1))
  reader.end()
  return { format, columns }
}

/** Reads the body of a CommandComplete: its tag. */
export function parseCommandComplete(body: Buffer): string {
  const reader = new ByteReader(body)
  const tag = reader.cstring()
  reader.end()
  return tag
}

/** Reads the body of a ReadyForQuery. */
export function parseReadyForQuery(body: Buffer): TransactionStatus {
  const status = body.toString('latin1')
  if (status === 'I' || status === 'T' || status === 'E') return status
  throw new PgError(SQL_STATE.protocolViolation, 'invalid message format', { severity: 'FATAL' })
}

/** Reads the body of a ParameterStatus. */
export function parseParameterStatus(body: Buffer): {
  readonly name: string
  readonly value: string
} {
  const reader = new ByteReader(body)
  const status = { name: reader.cstring(), value: reader.cstring() }
  reader.end()
  return status
}

/** Reads the body of a BackendKeyData. */
export function parseBackendKeyData(body: Buffer): {
  readonly processId: number
  readonly secretKey: Buffer
} {
  const reader = new ByteReader(body)
  const processId = reader.int32()
  return { processId, secretKey: reader.bytes(reader.remaining) }
}

/** Reads the body of an authentication request: its code (0 is AuthenticationOk) and what follows it. */
export function parseAuthentication(body: Buffer): {
  readonly code: number
  readonly data: Buffer
} {
  const reader = new ByteReader(body)
  const code = reader.int32()
  return { code, data: reader.bytes(reader.remaining) }
}
