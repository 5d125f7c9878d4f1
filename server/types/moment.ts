import type { EncodedValue } from './spanner-type.ts'
import { mustTimeZone, offsetText } from './time-zone.ts'
import { encodeString } from './value.ts'

/** Microseconds since the Unix epoch as PostgreSQL reads a timestamptz: '2024-01-01 00:00:00.000000+00'. */
export function timestampLiteral(unixMicros: bigint): string {
  return `${isoMicros(unixMicros).replace('T', ' ')}+00`
}

/** A TIMESTAMP value (RFC 3339, UTC) of microseconds since the Unix epoch. */
export function encodeTransactionStart(unixMicros: bigint): EncodedValue {
  return encodeString(`${isoMicros(unixMicros)}Z`)
}

/** Special strings of dates and times that mean the start of a transaction, or a day beside it. */
export type MomentWord = (typeof MOMENT_WORDS)[number]

const MOMENT_WORDS = ['now', 'today', 'tomorrow', 'yesterday'] as const

/** Whether a text is one of them, in lower case. */
export function isMomentWord(text: string): text is MomentWord {
  return MOMENT_WORDS.some((word) => word === text)
}

const DAY_MICROS = 86_400_000_000n

/** What the words mean in a transaction, as every type of dates and times reads it: with the session's own time and its offset, or a day of that time. */
export function momentWords(
  unixMicros: bigint,
  timeZone: string,
): { readonly [word in MomentWord]: string } {
  const offset = mustTimeZone(timeZone).offsetAt(Number(unixMicros / 1_000_000n))
  const localMicros = unixMicros + BigInt(offset) * 1_000_000n
  const day = (micros: bigint) => isoMicros(micros).slice(0, 10)
  return {
    now: `${isoMicros(localMicros).replace('T', ' ')}${offsetText(offset)}`,
    today: day(localMicros),
    tomorrow: day(localMicros + DAY_MICROS),
    yesterday: day(localMicros - DAY_MICROS),
  }
}

function isoMicros(unixMicros: bigint): string {
  const seconds = unixMicros / 1_000_000n
  const micros = unixMicros % 1_000_000n
  const iso = new Date(Number(seconds) * 1000).toISOString().slice(0, 19)
  return `${iso}.${micros.toString().padStart(6, '0')}`
}
