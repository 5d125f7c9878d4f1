import { isUtf8 } from 'node:buffer'
import { PgError } from './pg-error.ts'
import { SQL_STATE } from './sql-state.ts'

/**
 * The text that the bytes stand for. Bytes that are no UTF-8 are 22021, with the first offending character in hexadecimal, as
 * PostgreSQL reports it (src/backend/utils/mb/mbutils.c, report_invalid_encoding).
 */
export function decodeUtf8(bytes: Buffer): string {
  if (isUtf8(bytes)) return bytes.toString('utf8')
  const offset = findInvalidUtf8(bytes)
  const shown = bytes.subarray(offset, offset + announcedLength(bytes[offset] ?? 0))
  const hex = Array.from(shown, (byte) => `0x${byte.toString(16).padStart(2, '0')}`).join(' ')
  throw new PgError(
    SQL_STATE.characterNotInRepertoire,
    `invalid byte sequence for encoding "UTF8": ${hex}`,
  )
}

/** Offset of the first character that is not UTF-8 (RFC 3629: no surrogates, nothing overlong, nothing past U+10FFFF). */
function findInvalidUtf8(bytes: Buffer): number {
  let offset = 0
  while (offset < bytes.length) {
    const length = announcedLength(bytes[offset] ?? 0)
    if (!isUtf8(bytes.subarray(offset, offset + length))) return offset
    offset += length
  }
  return offset
}

/** Bytes that a character takes by its first byte (src/common/wchar.c, pg_utf_mblen): 1 where that byte is no first byte. */
function announcedLength(first: number): number {
  if ((first & 0xe0) === 0xc0) return 2
  if ((first & 0xf0) === 0xe0) return 3
  if ((first & 0xf8) === 0xf0) return 4
  return 1
}
