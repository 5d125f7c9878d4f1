import { PgError } from '../base/pg-error.ts'
import { SQL_STATE } from '../base/sql-state.ts'
import { findBinaryInput } from './binary-input.ts'
import type { FormatSettings } from './format-settings.ts'
import { findPgType, OID } from './pg-type.ts'
import type { EncodedValue } from './spanner-type.ts'
import { findTextInput } from './text-input.ts'
import { mustBeText, mustBeTextBytes } from './utf8.ts'
import { encodeNull, encodeString } from './value.ts'

/** Answer of `decodeParam`: only PostgreSQL can tell what the value means, or what is wrong with it. */
export const NEEDS_CANONICAL: unique symbol = Symbol('needs canonical text')

export type NeedsCanonical = typeof NEEDS_CANONICAL

/** The message for bytes left over; the caller knows the number and adds ` in bind parameter n`. */
export const BINARY_LEFT_OVER = 'incorrect binary data format'

/**
 * A Bind parameter as Spanner's value. NULL is `null`. With NEEDS_CANONICAL the caller evaluates `$1::type::text` in
 * PostgreSQL with the same bytes, under DateStyle ISO, TimeZone as the session's for reading and UTC for printing, and gives the
 * text to `encodeText`; PostgreSQL's whole input grammar, and its errors, need not be written here that way.
 *
 * Throws PgError: what PostgreSQL would say about plainly wrong input (22P02, 22003, 22P03, 08P01, 22021), 22003 or 22008 for
 * values that Spanner cannot hold, 0A000 for types without storage.
 */
export function decodeParam(
  typeOid: number,
  format: 0 | 1,
  bytes: Buffer | null,
  settings: FormatSettings,
): EncodedValue | NeedsCanonical {
  if (bytes === null) return encodeNull()
  if (typeOid === OID.text || typeOid === OID.varchar || typeOid === OID.unknown) {
    mustBeTextBytes(bytes)
    return encodeString(bytes)
  }
  const value =
    format === 1
      ? mustInput(typeOid, findBinaryInput(typeOid))(bytes, BINARY_LEFT_OVER)
      : mustInput(typeOid, findTextInput(typeOid))(mustBeText(bytes), settings)
  return value ?? NEEDS_CANONICAL
}

function mustInput<T>(typeOid: number, input: T | undefined): T {
  if (input !== undefined) return input
  const name = findPgType(typeOid)?.name ?? `with OID ${typeOid}`
  throw new PgError(
    SQL_STATE.featureNotSupported,
    `parameters of type ${name} are not supported in statements for Spanner`,
    { hint: 'Pass the value as text and cast it in the statement.' },
  )
}
