import { mustBeSized } from './received-bytes.ts'
import type { TypeForm } from './type-form.ts'

const SIZE_BYTES = 8
/** As cash_out prints under lc_monetary C (src/backend/utils/adt/cash.c). */
const TEXT = /^(-?)\$(\d{1,3}(?:,\d{3})*)\.(\d\d)$/
const CENTS = /^-?\d{1,19}$/

/** money: its cents. */
export const moneyForm: TypeForm = {
  storedAs: 'bigint',
  keeps: 'order',
  store: (text) => {
    const [, sign = '', whole, cents = ''] = TEXT.exec(text) ?? []
    if (whole === undefined) return undefined
    const stored = parse(`${sign}${whole.replaceAll(',', '')}${cents}`)
    return stored !== undefined && textOf(stored) === text ? String(stored) : undefined
  },
  input: (stored) => {
    const cents = parse(stored)
    return cents === undefined ? stored : textOf(cents).replace('$', '').replaceAll(',', '')
  },
  receive: (bytes, leftOver) => {
    mustBeSized(bytes, SIZE_BYTES, leftOver)
    return String(bytes.readBigInt64BE(0))
  },
  print: (stored) => {
    const cents = parse(stored)
    return cents === undefined ? undefined : textOf(cents)
  },
  send: (stored) => {
    const cents = parse(stored)
    if (cents === undefined) return undefined
    const bytes = Buffer.alloc(SIZE_BYTES)
    bytes.writeBigInt64BE(cents)
    return bytes
  },
  datumText: (bytes) => (bytes.length === SIZE_BYTES ? textOf(bytes.readBigInt64LE(0)) : undefined),
}

function parse(text: string): bigint | undefined {
  const cents = CENTS.test(text) ? BigInt(text) : undefined
  return cents === undefined || BigInt.asIntN(64, cents) !== cents ? undefined : cents
}

function textOf(cents: bigint): string {
  const digits = String(cents < 0n ? -cents : cents).padStart(3, '0')
  const whole = digits.slice(0, -2).replace(/\B(?=(?:\d{3})+$)/g, ',')
  return `${cents < 0n ? '-' : ''}$${whole}.${digits.slice(-2)}`
}
