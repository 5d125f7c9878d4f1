import { styledInterval } from './interval-styles.ts'
import { type Interval, intervalText, parseIntervalText } from './interval-text.ts'
import { mustBeSized } from './received-bytes.ts'
import type { TypeForm } from './type-form.ts'

/** An interval as it lies in memory: time, days, months; both kinds of bytes have that order. */
const SIZE_BYTES = 16

/**
 * interval: its text under IntervalStyle postgres. `1 mon`, `30 days` and `720:00:00` are equal and remain three texts, so that no
 * comparison of theirs says anything.
 */
export const intervalForm: TypeForm = {
  storedAs: 'character varying',
  keeps: 'nothing',
  store: (text) => {
    const interval = parseIntervalText(text)
    return interval !== undefined && intervalText(interval) === text ? text : undefined
  },
  receive: (bytes, leftOver) => {
    mustBeSized(bytes, SIZE_BYTES, leftOver)
    return intervalText({
      micros: bytes.readBigInt64BE(0),
      days: bytes.readInt32BE(8),
      months: bytes.readInt32BE(12),
    })
  },
  print: (stored, { intervalStyle }) => {
    const interval = parseIntervalText(stored)
    return interval === undefined ? undefined : styledInterval(interval, intervalStyle)
  },
  send: (stored) => {
    const interval = parseIntervalText(stored)
    return interval === undefined ? undefined : sent(interval)
  },
  datumText: (bytes) =>
    bytes.length === SIZE_BYTES
      ? intervalText({
          micros: bytes.readBigInt64LE(0),
          days: bytes.readInt32LE(8),
          months: bytes.readInt32LE(12),
        })
      : undefined,
}

function sent({ micros, days, months }: Interval): Buffer {
  const bytes = Buffer.alloc(SIZE_BYTES)
  bytes.writeBigInt64BE(micros, 0)
  bytes.writeInt32BE(days, 8)
  bytes.writeInt32BE(months, 12)
  return bytes
}
