import { PgError } from '../base/pg-error.ts'
import { SQL_STATE } from '../base/sql-state.ts'

/** What a receive function says of bytes that are no value: 22P03. */
export function invalidBinary(message: string): PgError {
  return new PgError(SQL_STATE.invalidBinaryRepresentation, message)
}

/** pq_getmsgint and its kin; what is left over is found by whoever called the receive function. */
export function mustBeSized(bytes: Buffer, sizeBytes: number, leftOver: string): void {
  if (bytes.length < sizeBytes) {
    throw new PgError(SQL_STATE.protocolViolation, 'insufficient data left in message')
  }
  if (bytes.length > sizeBytes) throw invalidBinary(leftOver)
}

/** pq_getmsgbyte: at least so many bytes. */
export function mustHaveBytes(bytes: Buffer, sizeBytes: number): void {
  if (bytes.length >= sizeBytes) return
  throw new PgError(SQL_STATE.protocolViolation, 'no data left in message')
}
