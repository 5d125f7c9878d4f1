import { SQL_STATE } from '../base/sql-state.ts'
import { BeyondSpanner } from './beyond-spanner.ts'
import { daysFromCivil, isCivilDate, secondsFromCivil } from './calendar.ts'
import { clockText, dateText, type Instant, rfc3339Text } from './datetime-text.ts'
import type { DateStyle, FormatSettings } from './format-settings.ts'
import type { EncodedValue } from './spanner-type.ts'
import { mustTimeZone } from './time-zone.ts'
import { encodeString } from './value.ts'

/*
 * Input of dates and times: only the ISO spelling, which every DateStyle reads alike. All others come back as undefined and are
 * PostgreSQL's to read. Spanner stores the years 1 to 9999 and no infinity: what lies outside is 22008.
 */

const ISO: DateStyle = { style: 'iso', dayFirst: false }
const DATE = /^(\d{4})-(\d\d)-(\d\d)$/
const CLOCK = /^(\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,6}))?)?/
const ZONE = /^(?:Z|([+-])(\d\d)(?::?(\d\d)(?::(\d\d))?)?)$/
/** What the output functions print beyond Spanner's years. */
const OUTSIDE = /^-?infinity$|^(\d{4,})-(\d\d)-(\d\d)(?:$|[ T].*)/
/** MAX_TZDISP_HOUR. */
const MAX_OFFSET_HOURS = 15

const MIN_SECONDS = startOfYear(1)
const MAX_SECONDS = startOfYear(10000) - 1
const MIN_DAYS = daysFromCivil(1, 1, 1)
const MAX_DAYS = daysFromCivil(9999, 12, 31)

function startOfYear(year: number): number {
  return secondsFromCivil({ year, month: 1, day: 1, hour: 0, minute: 0, second: 0 })
}

function outOfRange(type: 'date' | 'timestamp', text: string | undefined): BeyondSpanner {
  const what = text === undefined ? '' : `: "${text}"`
  return new BeyondSpanner(SQL_STATE.datetimeFieldOverflow, `${type} out of range${what}`, {
    detail: 'Spanner stores the years 0001 to 9999 in UTC and no infinity.',
  })
}

/** DATE of a day; `text` is for the error. */
export function encodeDate(
  date: { readonly year: number; readonly month: number; readonly day: number },
  text: string | undefined,
): EncodedValue {
  const days = daysFromCivil(date.year, date.month, date.day)
  if (days < MIN_DAYS || days > MAX_DAYS) throw outOfRange('date', text)
  return encodeString(dateText(date, ISO))
}

/** TIMESTAMP of an instant; `text` is for the error. */
export function encodeInstant(instant: Instant, text: string | undefined): EncodedValue {
  if (instant.seconds < MIN_SECONDS || instant.seconds > MAX_SECONDS) {
    throw outOfRange('timestamp', text)
  }
  return encodeString(rfc3339Text(instant))
}

/** Infinities, years before Christ and after 9999; days that no calendar has are PostgreSQL's to refuse. */
function isOutside(text: string): boolean {
  const match = OUTSIDE.exec(text)
  if (match === null) return false
  if (match[1] === undefined) return true
  const isBeforeChrist = text.endsWith(' BC')
  const year = Number(match[1])
  if (year === 0 || (year <= 9999 && !isBeforeChrist)) return false
  return isCivilDate(isBeforeChrist ? 1 - year : year, Number(match[2]), Number(match[3]))
}

interface ParsedDate {
  readonly year: number
  readonly month: number
  readonly day: number
}

function parseDate(text: string): ParsedDate | undefined {
  const match = DATE.exec(text)
  if (match === null) return undefined
  const [year, month, day] = match.slice(1).map(Number)
  if (year === undefined || month === undefined || day === undefined) return undefined
  return year >= 1 && isCivilDate(year, month, day) ? { year, month, day } : undefined
}

/** date_in. */
export function dateInput(text: string): EncodedValue | undefined {
  const date = parseDate(text)
  if (date !== undefined) return encodeDate(date, text)
  if (isOutside(text)) throw outOfRange('date', text)
  return undefined
}

interface Clock {
  readonly hour: number
  readonly minute: number
  readonly second: number
  readonly micros: number
  /** What follows the time of day. */
  readonly rest: string
}

function parseClock(text: string): Clock | undefined {
  const match = CLOCK.exec(text)
  if (match === null) return undefined
  const [whole, hour, minute, second = '0', fraction = ''] = match
  const clock = {
    hour: Number(hour),
    minute: Number(minute),
    second: Number(second),
    micros: Number(fraction.padEnd(6, '0')),
    rest: text.slice(whole.length),
  }
  return clock.hour < 24 && clock.minute < 60 && clock.second < 60 ? clock : undefined
}

/** time_in: midnight at the end of the day is the one that is 24:00:00. */
export function timeInput(text: string): EncodedValue | undefined {
  if (text === '24:00:00') return encodeString(text)
  const clock = parseClock(text)
  return clock === undefined || clock.rest !== '' ? undefined : encodeString(clockText(clock))
}

interface ParsedTimestamp {
  readonly instant: Instant
  /** What follows the time of day: nothing, or a zone. */
  readonly zone: string
}

/** `YYYY-MM-DD[ HH:MM[:SS[.ffffff]][zone]]`, read as UTC. */
function parseTimestamp(text: string): ParsedTimestamp | undefined {
  const date = parseDate(text.slice(0, 10))
  if (date === undefined) return undefined
  if (text.length === 10) {
    const midnight = { ...date, hour: 0, minute: 0, second: 0 }
    return { instant: { seconds: secondsFromCivil(midnight), micros: 0 }, zone: '' }
  }
  const clock = text[10] === ' ' || text[10] === 'T' ? parseClock(text.slice(11)) : undefined
  if (clock === undefined) return undefined
  const instant = { seconds: secondsFromCivil({ ...date, ...clock }), micros: clock.micros }
  return { instant, zone: clock.rest }
}

/** timestamp_in: the same instant at UTC. A zone in the text is left to PostgreSQL, which ignores it. */
export function timestampInput(text: string): EncodedValue | undefined {
  if (isOutside(text)) throw outOfRange('timestamp', text)
  const parsed = parseTimestamp(text)
  if (parsed === undefined || parsed.zone !== '') return undefined
  return encodeInstant(parsed.instant, text)
}

/** timestamptz_in: with a numeric zone, or without where the session's zone is UTC. */
export function timestamptzInput(text: string, settings: FormatSettings): EncodedValue | undefined {
  if (isOutside(text)) throw outOfRange('timestamp', text)
  const parsed = parseTimestamp(text)
  if (parsed === undefined) return undefined
  const offset = parsed.zone === '' ? sessionOffset(settings) : parseOffset(parsed.zone)
  if (offset === undefined) return undefined
  const { seconds, micros } = parsed.instant
  return encodeInstant({ seconds: seconds - offset, micros }, text)
}

function sessionOffset(settings: FormatSettings): 0 | undefined {
  return mustTimeZone(settings.timeZone).isUtc ? 0 : undefined
}

/** Seconds east of UTC. */
function parseOffset(zone: string): number | undefined {
  const match = ZONE.exec(zone)
  if (match === null) return undefined
  const [, sign, hours = '0', minutes = '0', seconds = '0'] = match
  if (Number(hours) > MAX_OFFSET_HOURS || Number(minutes) > 59 || Number(seconds) > 59) {
    return undefined
  }
  const magnitude = Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds)
  return sign === '-' ? 0 - magnitude : magnitude
}
