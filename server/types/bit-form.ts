import { PgError } from '../base/pg-error.ts'
import { SQL_STATE } from '../base/sql-state.ts'
import { invalidBinary } from './received-bytes.ts'
import type { TypeForm } from './type-form.ts'
import { readVarlena } from './varlena.ts'

/** VARBITMAXLEN (utils/varbit.h). */
const MAX_BITS = 2147483640
const LENGTH_BYTES = 4
const BITS = /^[01]*$/

const check = (text: string) => (BITS.test(text) ? text : undefined)

/** bit varying: a digit a bit. PostgreSQL takes a string that ends earlier for the smaller one, too. */
export const varbitForm: TypeForm = {
  storedAs: 'character varying',
  keeps: 'order',
  store: check,
  fits: (stored, typmod) => stored.length <= typmod,
  receive: (bytes, leftOver) => {
    const count = bytes.length < LENGTH_BYTES ? 0 : bytes.readInt32BE(0)
    if (count < 0 || count > MAX_BITS) throw invalidBinary('invalid length in external bit string')
    const sizeBytes = LENGTH_BYTES + Math.ceil(count / 8)
    if (bytes.length < sizeBytes) {
      throw new PgError(SQL_STATE.protocolViolation, 'insufficient data left in message')
    }
    if (bytes.length > sizeBytes) throw invalidBinary(leftOver)
    return digits(bytes.subarray(LENGTH_BYTES), count)
  },
  print: check,
  send: (stored) => (BITS.test(stored) ? sent(stored) : undefined),
  datumText: (bytes) => {
    const data = readVarlena(bytes, 0)?.data
    if (data === undefined || data.length < LENGTH_BYTES) return undefined
    const count = data.readInt32LE(0)
    const isWhole = data.length === LENGTH_BYTES + Math.ceil(count / 8)
    return count >= 0 && isWhole ? digits(data.subarray(LENGTH_BYTES), count) : undefined
  },
}

/** bit: the same, of one length. */
export const bitForm: TypeForm = {
  ...varbitForm,
  fits: (stored, typmod) => stored.length === typmod,
}

function digits(bytes: Buffer, count: number): string {
  return Array.from(bytes, (byte) => byte.toString(2).padStart(8, '0'))
    .join('')
    .slice(0, count)
}

function sent(stored: string): Buffer {
  const bytes = Buffer.alloc(LENGTH_BYTES + Math.ceil(stored.length / 8))
  bytes.writeInt32BE(stored.length, 0)
  for (let at = 0; at < stored.length; at += 8) {
    bytes[LENGTH_BYTES + at / 8] = Number.parseInt(stored.slice(at, at + 8).padEnd(8, '0'), 2)
  }
  return bytes
}
