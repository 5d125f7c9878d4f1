import { ByteReader } from '../base/byte-reader.ts'
import { PgError } from '../base/pg-error.ts'
import { SQL_STATE } from '../base/sql-state.ts'
import type { StartupPacket } from './frontend-message.ts'

/** CANCEL_REQUEST_CODE, NEGOTIATE_SSL_CODE and NEGOTIATE_GSS_CODE of src/include/libpq/pqcomm.h. */
export const CANCEL_REQUEST_CODE = (1234 << 16) | 5678
export const NEGOTIATE_SSL_CODE = (1234 << 16) | 5679
export const NEGOTIATE_GSS_CODE = (1234 << 16) | 5680
/** PG_PROTOCOL(3,0) of the same file. */
export const PROTOCOL_VERSION_3_0 = 3 << 16

/** The newest minor version of protocol 3 that is spoken: since 3.2, cancel keys may be longer than 4 bytes. */
export const NEWEST_MINOR_VERSION = 2

/** The longest cancel key of protocol 3.2, in bytes (manual, section 55.7, BackendKeyData). */
const MAX_CANCEL_KEY_LENGTH = 256

/** A startup packet so far from the protocol that PostgreSQL logs this and closes the connection without an answer. */
export class UnansweredError extends PgError {
  constructor() {
    super(SQL_STATE.protocolViolation, 'invalid length of startup packet', { severity: 'FATAL' })
    this.name = 'UnansweredError'
  }
}

/**
 * Reads the packet without its length word, as ProcessStartupPacket of src/backend/postmaster/postmaster.c does. What PostgreSQL
 * refuses is FATAL.
 */
export function decodeStartupPacket(body: Buffer): StartupPacket {
  const reader = new ByteReader(body)
  const code = reader.int32()
  if (code === CANCEL_REQUEST_CODE) return decodeCancelRequest(reader)
  if (code === NEGOTIATE_SSL_CODE && reader.remaining === 0) return { kind: 'SSLRequest' }
  if (code === NEGOTIATE_GSS_CODE && reader.remaining === 0) return { kind: 'GSSENCRequest' }
  const majorVersion = code >>> 16
  const minorVersion = code & 0xffff
  if (majorVersion !== 3) throw unsupportedProtocol(majorVersion, minorVersion)
  if (body.at(-1) !== 0) throw badLayout()
  return {
    kind: 'StartupMessage',
    majorVersion,
    minorVersion,
    parameters: decodeParameters(reader),
  }
}

/** What a client gets that asks for a protocol of another major version. */
export function unsupportedProtocol(majorVersion: number, minorVersion: number): PgError {
  const asked = `${majorVersion}.${minorVersion}`
  return new PgError(
    SQL_STATE.featureNotSupported,
    `unsupported frontend protocol ${asked}: server supports 3.0 to 3.${NEWEST_MINOR_VERSION}`,
    { severity: 'FATAL' },
  )
}

function decodeCancelRequest(reader: ByteReader): StartupPacket {
  const keySizeBytes = reader.remaining - 4
  if (keySizeBytes < 4 || keySizeBytes > MAX_CANCEL_KEY_LENGTH) {
    throw new UnansweredError()
  }
  const processId = reader.int32()
  return { kind: 'CancelRequest', processId, secretKey: reader.bytes(keySizeBytes) }
}

function decodeParameters(reader: ByteReader): ReadonlyMap<string, string> {
  const parameters = new Map<string, string>()
  while (reader.remaining > 1) {
    const name = reader.cstring()
    if (name === '' || reader.remaining === 0) throw badLayout()
    parameters.set(name, reader.cstring())
  }
  if (reader.remaining === 0) throw badLayout()
  return parameters
}

function badLayout(): PgError {
  return new PgError(
    SQL_STATE.protocolViolation,
    'invalid startup packet layout: expected terminator as last byte',
    { severity: 'FATAL' },
  )
}
