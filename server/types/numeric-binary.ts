import { PgError } from '../base/pg-error.ts'
import { SQL_STATE } from '../base/sql-state.ts'
import { NUMERIC_MAX_DISPLAY_SCALE, numericText } from './numeric-value.ts'

/** The sign field of numeric's binary form (numeric.c). */
export const NUMERIC_SIGN = {
  positive: 0x0000,
  negative: 0x4000,
  nan: 0xc000,
  positiveInfinity: 0xd000,
  negativeInfinity: 0xf000,
} as const

const SPECIAL: ReadonlyMap<number, string> = new Map([
  [NUMERIC_SIGN.nan, 'NaN'],
  [NUMERIC_SIGN.positiveInfinity, 'Infinity'],
  [NUMERIC_SIGN.negativeInfinity, '-Infinity'],
])

const HEADER_BYTES = 8
const GROUP_BASE = 10000

/** numeric_recv to numeric_out: digits beyond the display scale are cut. `leftOver` is the message for bytes too many. */
export function binaryNumericText(bytes: Buffer, leftOver: string): string {
  mustHave(bytes, HEADER_BYTES)
  const count = bytes.readUInt16BE(0)
  const sign = bytes.readUInt16BE(4)
  const special = SPECIAL.get(sign)
  if (special === undefined && sign !== NUMERIC_SIGN.positive && sign !== NUMERIC_SIGN.negative) {
    throw invalidNumeric('sign')
  }
  const displayScale = bytes.readUInt16BE(6)
  if (displayScale > NUMERIC_MAX_DISPLAY_SCALE) throw invalidNumeric('scale')
  const groups: number[] = []
  for (let i = 0; i < count; i++) {
    mustHave(bytes, HEADER_BYTES + 2 * i + 2)
    const group = bytes.readUInt16BE(HEADER_BYTES + 2 * i)
    if (group >= GROUP_BASE) throw invalidNumeric('digit')
    groups.push(group)
  }
  if (bytes.length > HEADER_BYTES + 2 * count) {
    throw new PgError(SQL_STATE.invalidBinaryRepresentation, leftOver)
  }
  const weight = bytes.readInt16BE(2)
  const isNegative = sign === NUMERIC_SIGN.negative
  return special ?? numericText({ isNegative, weight, displayScale, groups })
}

function mustHave(bytes: Buffer, sizeBytes: number): void {
  if (bytes.length < sizeBytes) {
    throw new PgError(SQL_STATE.protocolViolation, 'insufficient data left in message')
  }
}

function invalidNumeric(part: string): PgError {
  return new PgError(
    SQL_STATE.invalidBinaryRepresentation,
    `invalid ${part} in external "numeric" value`,
  )
}
