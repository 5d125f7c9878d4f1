import { PgError } from '../base/pg-error.ts'
import { SQL_STATE } from '../base/sql-state.ts'
import { civilFromSeconds, secondsFromCivil } from './calendar.ts'
import { findZoneAbbreviation } from './zone-abbreviations.ts'

/** A TimeZone setting that can be asked for offsets. */
export interface TimeZone {
  /** Offset 0 at all times. */
  readonly isUtc: boolean
  /** Seconds east of UTC at an instant. */
  offsetAt(epochSeconds: number): number
  /** What the zone is called at an instant: CET, PDT, `+03`. */
  abbreviationAt(epochSeconds: number): string
}

const MAX_CACHED_ZONES = 1024
const cachedZones = new Map<string, TimeZone>()

/**
 * The zone of a TimeZone setting: a number of hours east, an IANA name in any case, or a POSIX specification without
 * daylight saving (`<+02>-02`, `FOO5`: hours west, as POSIX counts). Others are 22023 with PostgreSQL's words.
 */
export function mustTimeZone(name: string): TimeZone {
  const cached = cachedZones.get(name)
  if (cached !== undefined) return cached
  const zone = hoursZone(name) ?? ianaZone(name) ?? posixZone(name)
  if (zone === undefined) {
    const message = `invalid value for parameter "TimeZone": "${name}"`
    const hint = /^[A-Za-z]{3,}[+-]?\d.*,/.test(name)
      ? 'POSIX time zones with daylight-saving rules are not supported: use the name of a zone.'
      : undefined
    throw new PgError(SQL_STATE.invalidParameterValue, message, { hint })
  }
  if (cachedZones.size >= MAX_CACHED_ZONES) cachedZones.clear()
  cachedZones.set(name, zone)
  return zone
}

/** EncodeTimezone: `+02`, `+05:30`, `-07:52:58`. */
export function offsetText(offsetSeconds: number): string {
  const magnitude = Math.abs(offsetSeconds)
  const sign = offsetSeconds < 0 ? '-' : '+'
  const hours = twoDigits(Math.floor(magnitude / 3600))
  const minutes = Math.floor(magnitude / 60) % 60
  const seconds = magnitude % 60
  if (seconds !== 0) return `${sign}${hours}:${twoDigits(minutes)}:${twoDigits(seconds)}`
  return minutes !== 0 ? `${sign}${hours}:${twoDigits(minutes)}` : sign + hours
}

function twoDigits(value: number): string {
  return String(value).padStart(2, '0')
}

function fixedZone(offsetSeconds: number, abbreviation: string): TimeZone {
  return {
    isUtc: offsetSeconds === 0,
    offsetAt: () => offsetSeconds,
    abbreviationAt: () => abbreviation,
  }
}

/** pg_tzset_offset names such a zone by its offset. */
function hoursZone(name: string): TimeZone | undefined {
  if (!/^\s*[+-]?\d+(\.\d+)?\s*$/.test(name)) return undefined
  const offsetSeconds = Math.round(Number(name) * 3600)
  return Math.abs(offsetSeconds) > 167 * 3600
    ? undefined
    : fixedZone(offsetSeconds, offsetText(offsetSeconds))
}

const POSIX_ZONE =
  /^(?:<([A-Za-z0-9+:-]+)>|([A-Za-z]{3,}))([+-]?)(\d{1,3})(?::(\d{1,2})(?::(\d{1,2}))?)?$/

function posixZone(name: string): TimeZone | undefined {
  const match = POSIX_ZONE.exec(name)
  if (match === null) return undefined
  const [, quoted, plain, sign, hours, minutes = '0', seconds = '0'] = match
  const west = Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds)
  return fixedZone(sign === '-' ? west : 0 - west, quoted ?? plain ?? name)
}

function ianaZone(name: string): TimeZone | undefined {
  if (!/^[A-Za-z]/.test(name)) return undefined
  const format = findIntlZone(name)
  if (format === undefined) return undefined
  if (format.resolvedOptions().timeZone === 'UTC') {
    return fixedZone(0, /gmt|greenwich/i.test(name) ? 'GMT' : 'UTC')
  }
  const offsets = new ZoneOffsets(format)
  return {
    isUtc: false,
    offsetAt: (epochSeconds) => offsets.at(epochSeconds),
    abbreviationAt: (epochSeconds) => {
      const offset = offsets.at(epochSeconds)
      return (
        findZoneAbbreviation(name, offset, epochSeconds) ?? offsetText(offset).replaceAll(':', '')
      )
    },
  }
}

function findIntlZone(name: string): Intl.DateTimeFormat | undefined {
  try {
    return new Intl.DateTimeFormat('en-US', {
      timeZone: name,
      calendar: 'gregory',
      numberingSystem: 'latn',
      hourCycle: 'h23',
      era: 'short',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    })
  } catch (error) {
    if (error instanceof RangeError) return undefined
    throw error
  }
}

/** Before it no zone of tzdata has a transition: local mean time everywhere. */
const FIRST_YEAR_OF_TRANSITIONS = 1800
/** No zone of tzdata changes twice within fewer days. */
const SAMPLE_SECONDS = 4 * 86400
const MAX_CACHED_YEARS = 2048

/** From `from` on (seconds since 1970) the offset is `offset`. */
interface OffsetSpan {
  readonly from: number
  readonly offset: number
}

/**
 * Offsets of one zone from Intl, which has the whole of tzdata but answers slowly: the transitions of a year are searched for
 * when the year is first asked for, and kept.
 */
class ZoneOffsets {
  readonly #format: Intl.DateTimeFormat
  readonly #years = new Map<number, readonly OffsetSpan[]>()

  constructor(format: Intl.DateTimeFormat) {
    this.#format = format
  }

  at(epochSeconds: number): number {
    const { year } = civilFromSeconds(epochSeconds, 0)
    const spans = this.#spansOf(Math.max(year, FIRST_YEAR_OF_TRANSITIONS))
    for (let i = spans.length - 1; i >= 0; i--) {
      const span = spans[i]
      if (span !== undefined && (i === 0 || epochSeconds >= span.from)) return span.offset
    }
    return 0
  }

  #spansOf(year: number): readonly OffsetSpan[] {
    const cached = this.#years.get(year)
    if (cached !== undefined) return cached
    const start = startOfYear(year)
    const end = startOfYear(year + 1)
    const spans: OffsetSpan[] = [{ from: start, offset: this.#sample(start) }]
    for (let at = start; at < end; at += SAMPLE_SECONDS)
      this.#search(spans, at, Math.min(at + SAMPLE_SECONDS, end))
    if (this.#years.size >= MAX_CACHED_YEARS) this.#years.clear()
    this.#years.set(year, spans)
    return spans
  }

  /** Adds the transition between two samples, to the second. */
  #search(spans: OffsetSpan[], sampled: number, next: number): void {
    const offset = this.#sample(next)
    if (offset === spans.at(-1)?.offset) return
    let before = sampled
    let after = next
    while (after - before > 1) {
      const middle = Math.floor((before + after) / 2)
      if (this.#sample(middle) === offset) after = middle
      else before = middle
    }
    spans.push({ from: after, offset })
  }

  #sample(epochSeconds: number): number {
    const fields: Record<string, string> = {}
    for (const part of this.#format.formatToParts(epochSeconds * 1000)) {
      fields[part.type] = part.value
    }
    const field = (name: string): number => Number(fields[name])
    const local = secondsFromCivil({
      year: fields['era'] === 'BC' ? 1 - field('year') : field('year'),
      month: field('month'),
      day: field('day'),
      hour: field('hour'),
      minute: field('minute'),
      second: field('second'),
    })
    return local - epochSeconds
  }
}

function startOfYear(year: number): number {
  return secondsFromCivil({ year, month: 1, day: 1, hour: 0, minute: 0, second: 0 })
}
