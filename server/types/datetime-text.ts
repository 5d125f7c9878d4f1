import {
  type CivilDate,
  type CivilTime,
  civilFromSeconds,
  dayOfWeek,
  daysFromCivil,
} from './calendar.ts'
import type { DateStyle } from './format-settings.ts'
import { offsetText, type TimeZone } from './time-zone.ts'

/*
 * date_out, timestamp_out, timestamptz_out and time_out (EncodeDateOnly, EncodeDateTime, EncodeTimeOnly in
 * src/backend/utils/adt/datetime.c), and the two forms that values have in between: RFC 3339 from Spanner, ISO text in UTC.
 */

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']
const DAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat']

/** An instant: whole seconds since 1970, rounded down, and the microseconds after. */
export interface Instant {
  readonly seconds: number
  readonly micros: number
}

function pad(value: number, width: number): string {
  return String(value).padStart(width, '0')
}

/** Year as shown: BC years count from 1 backwards. */
function yearText(year: number): string {
  return pad(year > 0 ? year : 1 - year, 4)
}

function era(year: number): string {
  return year > 0 ? '' : ' BC'
}

/** `HH:MM:SS` and the fraction without trailing zeros. */
export function clockText(time: {
  readonly hour: number
  readonly minute: number
  readonly second: number
  readonly micros: number
}): string {
  const clock = `${pad(time.hour, 2)}:${pad(time.minute, 2)}:${pad(time.second, 2)}`
  return clock + fractionText(time.micros)
}

/** `.5` for 500000, nothing for 0. */
export function fractionText(micros: number): string {
  return micros === 0 ? '' : `.${pad(micros, 6).replace(/0+$/, '')}`
}

/** time_out of microseconds since midnight. */
export function timeText(micros: bigint): string {
  const seconds = Number(micros / 1_000_000n)
  return clockText({
    hour: Math.floor(seconds / 3600),
    minute: Math.floor(seconds / 60) % 60,
    second: seconds % 60,
    micros: Number(micros % 1_000_000n),
  })
}

/** date_out. */
export function dateText(date: CivilDate, { style, dayFirst }: DateStyle): string {
  const year = yearText(date.year)
  const month = pad(date.month, 2)
  const day = pad(date.day, 2)
  const bc = era(date.year)
  switch (style) {
    case 'iso':
      return `${year}-${month}-${day}${bc}`
    case 'sql':
      return dayFirst ? `${day}/${month}/${year}${bc}` : `${month}/${day}/${year}${bc}`
    case 'german':
      return `${day}.${month}.${year}${bc}`
    case 'postgres':
      return dayFirst ? `${day}-${month}-${year}${bc}` : `${month}-${day}-${year}${bc}`
  }
}

/** timestamp_out. */
export function timestampText(instant: Instant, style: DateStyle): string {
  const time = civilFromSeconds(instant.seconds, instant.micros)
  return civilTimeText(time, style, '')
}

/** timestamptz_out. */
export function timestamptzText(instant: Instant, style: DateStyle, zone: TimeZone): string {
  const offset = zone.offsetAt(instant.seconds)
  const time = civilFromSeconds(instant.seconds + offset, instant.micros)
  const zoneText =
    style.style === 'iso'
      ? offsetText(offset)
      : // EncodeDateTime prints MAXTZLEN characters at most.
        ` ${zone.abbreviationAt(instant.seconds).slice(0, 10)}`
  return civilTimeText(time, style, zoneText)
}

function civilTimeText(time: CivilTime, style: DateStyle, zone: string): string {
  const clock = clockText(time)
  const bc = era(time.year)
  if (style.style === 'postgres') {
    const weekday = DAYS[dayOfWeek(daysFromCivil(time.year, time.month, time.day))]
    const month = MONTHS[time.month - 1]
    const day = pad(time.day, 2)
    const monthAndDay = style.dayFirst ? `${day} ${month}` : `${month} ${day}`
    return `${weekday} ${monthAndDay} ${clock} ${yearText(time.year)}${zone}${bc}`
  }
  const day = dateText({ ...time, year: time.year > 0 ? time.year : 1 - time.year }, style)
  return `${day} ${clock}${zone}${bc}`
}

/** The text that Spanner takes for a TIMESTAMP: RFC 3339 in UTC. The year is 1 to 9999. */
export function rfc3339Text(instant: Instant): string {
  const time = civilFromSeconds(instant.seconds, instant.micros)
  return `${pad(time.year, 4)}-${pad(time.month, 2)}-${pad(time.day, 2)}T${clockText(time)}Z`
}

/**
 * Microseconds since 2000-01-01 00:00:00 UTC, PostgreSQL's own form of a timestamp: a number where that is exact (the years 1715
 * to 2285), for bigints cost a microsecond a value.
 */
export function postgresMicros(instant: Instant): number | bigint {
  const seconds = instant.seconds - POSTGRES_EPOCH_SECONDS
  const micros = seconds * 1_000_000 + instant.micros
  if (Number.isSafeInteger(micros)) return micros
  return BigInt(seconds) * 1_000_000n + BigInt(instant.micros)
}

/** The instant of PostgreSQL's microseconds since 2000-01-01. */
export function instantOfPostgresMicros(micros: bigint): Instant {
  const fraction = ((micros % 1_000_000n) + 1_000_000n) % 1_000_000n
  return {
    seconds: Number((micros - fraction) / 1_000_000n) + POSTGRES_EPOCH_SECONDS,
    micros: Number(fraction),
  }
}

const POSTGRES_EPOCH_SECONDS = 946_684_800
