import type { EncodedValue } from './spanner-type.ts'
import { encodeString } from './value.ts'

/** Microseconds since the Unix epoch as PostgreSQL reads a timestamptz: '2024-01-01 00:00:00.000000+00'. */
export function timestampLiteral(unixMicros: bigint): string {
  return `${isoMicros(unixMicros).replace('T', ' ')}+00`
}

/** A TIMESTAMP value (RFC 3339, UTC) of microseconds since the Unix epoch. */
export function encodeTransactionStart(unixMicros: bigint): EncodedValue {
  return encodeString(`${isoMicros(unixMicros)}Z`)
}

function isoMicros(unixMicros: bigint): string {
  const seconds = unixMicros / 1_000_000n
  const micros = unixMicros % 1_000_000n
  const iso = new Date(Number(seconds) * 1000).toISOString().slice(0, 19)
  return `${iso}.${micros.toString().padStart(6, '0')}`
}
