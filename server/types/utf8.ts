import { isUtf8 } from 'node:buffer'
import { PgError } from '../base/pg-error.ts'
import { SQL_STATE } from '../base/sql-state.ts'

/** Text from outside: valid UTF-8 without zero bytes, or 22021 in PostgreSQL's words (pg_verify_mbstr). */
export function mustBeText(bytes: Buffer): string {
  mustBeTextBytes(bytes)
  return bytes.toString('utf8')
}

/** The same check without a string. */
export function mustBeTextBytes(bytes: Buffer): void {
  if (isUtf8(bytes) && !bytes.includes(0)) return
  throw new PgError(
    SQL_STATE.characterNotInRepertoire,
    `invalid byte sequence for encoding "UTF8": ${describe(bytes, findInvalid(bytes))}`,
  )
}

/** The beginning of the first character that is not valid. */
function findInvalid(bytes: Buffer): number {
  let at = 0
  while (at < bytes.length) {
    const length = characterLength(bytes[at] ?? 0)
    const character = bytes.subarray(at, at + length)
    if (bytes[at] === 0 || character.length < length || !isUtf8(character)) return at
    at += length
  }
  return at
}

/** pg_utf_mblen: bytes that cannot begin a character count as one. */
function characterLength(first: number): number {
  if ((first & 0xe0) === 0xc0) return 2
  if ((first & 0xf0) === 0xe0) return 3
  return (first & 0xf8) === 0xf0 ? 4 : 1
}

/** report_invalid_encoding: the bytes that the character would have had. */
function describe(bytes: Buffer, at: number): string {
  const shown = bytes.subarray(at, at + characterLength(bytes[at] ?? 0))
  return [...shown].map((byte) => `0x${byte.toString(16).padStart(2, '0')}`).join(' ')
}
