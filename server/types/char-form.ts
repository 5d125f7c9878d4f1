import { PgError } from '../base/pg-error.ts'
import { SQL_STATE } from '../base/sql-state.ts'
import { invalidBinary, mustHaveBytes } from './received-bytes.ts'
import type { TypeForm } from './type-form.ts'

/** Nothing, which is a zero, or a character of ASCII. */
function check(text: string): string | undefined {
  return text === '' || (text.length === 1 && textOf(text.charCodeAt(0)) === text)
    ? text
    : undefined
}

/** "char": its character, which sorts as the byte does. The other bytes are no text. */
export const charForm: TypeForm = {
  storedAs: 'character varying',
  keeps: 'order',
  store: check,
  receive: (bytes, leftOver) => {
    mustHaveBytes(bytes, 1)
    if (bytes.length > 1) throw invalidBinary(leftOver)
    const text = textOf(bytes[0] ?? 0)
    if (text !== undefined) return text
    throw new PgError(
      SQL_STATE.featureNotSupported,
      'values of type "char" beyond ASCII cannot be stored in Spanner',
      { hint: 'Use bytea or smallint.' },
    )
  },
  print: check,
  send: (stored) =>
    check(stored) === undefined ? undefined : Buffer.from([stored.charCodeAt(0) || 0]),
  datumText: (bytes) => (bytes.length === 1 ? textOf(bytes[0] ?? 0) : undefined),
}

/** charout, of what it prints as text. */
function textOf(byte: number): string | undefined {
  if (byte > 0x7f) return undefined
  return byte === 0 ? '' : String.fromCharCode(byte)
}
