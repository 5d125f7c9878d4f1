import type { ByteWriter } from '../base/byte-writer.ts'
import {
  civilFromDays,
  daysFromCivil,
  isCivilDate,
  POSTGRES_EPOCH_DAYS,
  SECONDS_PER_DAY,
} from './calendar.ts'
import {
  dateText,
  type Instant,
  postgresMicros,
  timestampText,
  timestamptzText,
} from './datetime-text.ts'
import { type DateStyle, type FormatSettings, parseDateStyle } from './format-settings.ts'
import { copyString, mustBeString, type OutputCodec, type PayloadWriter } from './payload.ts'
import { mustTimeZone } from './time-zone.ts'
import { malformedValue, type ValueScanner } from './value.ts'

/*
 * Spanner sends DATE as YYYY-MM-DD and TIMESTAMP as YYYY-MM-DDTHH:MM:SS[.fraction]Z, years 0001 to 9999. Under ISO and UTC,
 * what clients mostly ask for, the text is made by moving bytes.
 */

const HYPHEN = 0x2d
const COLON = 0x3a
const POINT = 0x2e
const LETTER_T = 0x54
const LETTER_Z = 0x5a
const ZERO = 0x30
const DATE_LENGTH = 10
/** YYYY-MM-DDTHH:MM:SS */
const SECONDS_LENGTH = 19

/** date in every DateStyle; binary is days since 2000-01-01. */
export function dateOutput(settings: FormatSettings): OutputCodec {
  const style = parseDateStyle(settings.dateStyle)
  return {
    text: (out, value, bytes) => {
      mustBeString(value, 'date')
      const days = readDate(bytes, value.start, value.end)
      if (style.style === 'iso') out.slice(bytes, value.start, value.end)
      else out.text(dateText(civilFromDays(days), style))
    },
    binary: (out, value, bytes) => {
      mustBeString(value, 'date')
      out.int32(readDate(bytes, value.start, value.end) - POSTGRES_EPOCH_DAYS)
    },
  }
}

/** timestamp: the same instant at UTC, shown without a zone. */
export function timestampOutput(settings: FormatSettings): OutputCodec {
  const style = parseDateStyle(settings.dateStyle)
  return {
    text:
      style.style === 'iso'
        ? isoUtcWriter('')
        : instantWriter((instant) => timestampText(instant, style)),
    binary: instantBinary,
  }
}

/** timestamptz in the session's zone. */
export function timestamptzOutput(settings: FormatSettings): OutputCodec {
  return {
    text: timestamptzWriter(parseDateStyle(settings.dateStyle), settings.timeZone),
    binary: instantBinary,
  }
}

function timestamptzWriter(style: DateStyle, zoneName: string): PayloadWriter {
  const zone = mustTimeZone(zoneName)
  if (zone.isUtc && style.style === 'iso') return isoUtcWriter('+00')
  return instantWriter((instant) => timestamptzText(instant, style, zone))
}

function instantWriter(print: (instant: Instant) => string): PayloadWriter {
  return (out, value, bytes) => {
    out.text(print(readInstant(value, bytes)))
  }
}

const instantBinary: PayloadWriter = (out, value, bytes) => {
  const micros = postgresMicros(readInstant(value, bytes))
  if (typeof micros === 'number') out.safeInt64(micros)
  else out.int64(micros)
}

/** The text is the same but for T, Z and the fraction, which is cut to microseconds and loses its trailing zeros. */
function isoUtcWriter(suffix: string): PayloadWriter {
  const ending = Buffer.from(suffix)
  return (out, value, bytes) => {
    mustBeString(value, 'timestamp')
    const { start, end } = value
    checkTimestampShape(bytes, start, end)
    out.slice(bytes, start, start + DATE_LENGTH)
    out.int8(0x20)
    out.slice(bytes, start + DATE_LENGTH + 1, endOfFraction(bytes, start, end))
    out.slice(ending, 0, ending.length)
  }
}

/** Where the digits that PostgreSQL shows end: after the seconds, or after the last nonzero digit of six. */
function endOfFraction(bytes: Buffer, start: number, end: number): number {
  const seconds = start + SECONDS_LENGTH
  let at = Math.min(end - 1, seconds + 7)
  while (at > seconds && (bytes[at - 1] === ZERO || bytes[at - 1] === POINT)) at--
  return at
}

/** `dddd-dd-ddTdd:dd:dd`, then Z or a point, digits and Z. */
function checkTimestampShape(bytes: Buffer, start: number, end: number): void {
  const isShaped =
    end - start > SECONDS_LENGTH &&
    bytes[start + 10] === LETTER_T &&
    bytes[start + 13] === COLON &&
    bytes[start + 16] === COLON &&
    bytes[end - 1] === LETTER_Z &&
    (end - start === SECONDS_LENGTH + 1 ||
      (bytes[start + SECONDS_LENGTH] === POINT && end - start > SECONDS_LENGTH + 2))
  if (!isShaped) throw malformedValue('timestamp')
}

function readInstant(value: ValueScanner, bytes: Buffer): Instant {
  mustBeString(value, 'timestamp')
  const { start, end } = value
  checkTimestampShape(bytes, start, end)
  const seconds =
    readDate(bytes, start, start + DATE_LENGTH) * SECONDS_PER_DAY +
    readDigits(bytes, start + 11, start + 13) * 3600 +
    readDigits(bytes, start + 14, start + 16) * 60 +
    readDigits(bytes, start + 17, start + SECONDS_LENGTH)
  return { seconds, micros: readMicros(bytes, start + SECONDS_LENGTH + 1, end - 1) }
}

function readMicros(bytes: Buffer, start: number, end: number): number {
  if (end <= start) return 0
  const shownEnd = Math.min(end, start + 6)
  return readDigits(bytes, start, shownEnd) * 10 ** (6 - (shownEnd - start))
}

/** Days since 1970-01-01. */
function readDate(bytes: Buffer, start: number, end: number): number {
  if (end - start !== DATE_LENGTH || bytes[start + 4] !== HYPHEN || bytes[start + 7] !== HYPHEN) {
    throw malformedValue('date')
  }
  const year = readDigits(bytes, start, start + 4)
  const month = readDigits(bytes, start + 5, start + 7)
  const day = readDigits(bytes, start + 8, end)
  if (!isCivilDate(year, month, day)) throw malformedValue('date')
  return daysFromCivil(year, month, day)
}

function readDigits(bytes: Buffer, start: number, end: number): number {
  let number = 0
  for (let i = start; i < end; i++) {
    const digit = (bytes[i] ?? 0) - ZERO
    if (digit < 0 || digit > 9) throw malformedValue('digits of a date or time')
    number = number * 10 + digit
  }
  return number
}

/** time: stored as its canonical text; binary is microseconds since midnight. */
export const timeOutput: OutputCodec = {
  text: copyString('time'),
  binary: (out: ByteWriter, value, bytes) => {
    mustBeString(value, 'time')
    const { start, end } = value
    const isShaped = end - start >= 8 && bytes[start + 2] === COLON && bytes[start + 5] === COLON
    if (!isShaped || (end - start > 8 && bytes[start + 8] !== POINT)) throw malformedValue('time')
    const seconds =
      readDigits(bytes, start, start + 2) * 3600 +
      readDigits(bytes, start + 3, start + 5) * 60 +
      readDigits(bytes, start + 6, start + 8)
    out.int64(BigInt(seconds) * 1_000_000n + BigInt(readMicros(bytes, start + 9, end)))
  },
  isPassThrough: true,
}
