import { textLiteral } from './dialect-printers.ts'

/*
 * Spanner's timestamps are instants, and most of its functions look at them in the database's default time zone, which is Los Angeles
 * where nobody has set another. The forms here look at them in UTC without a word about zones: through the seconds since 1970, and
 * through dates, which have no zone.
 */

/** Seconds from 0001-01-01, where Spanner's calendar begins, to 1970-01-01: a whole number of days. */
const SECONDS_BEFORE_1970 = 62_135_596_800

/** A date as the timestamp (stored at UTC) at which it begins. */
export function midnight(date: string): string {
  return `(${date}::text || ' 00:00:00+00')::timestamptz`
}

/** The date of a timestamp in UTC. */
export function dateOf(timestamp: string): string {
  return `(date '1970-01-01' + floor(extract(epoch from ${timestamp}) / 86400)::bigint)`
}

/** Seconds since the calendar's beginning, a numeric with six decimals. */
function secondsOf(timestamp: string): string {
  return `(extract(epoch from ${timestamp}) + ${SECONDS_BEFORE_1970})`
}

const DATE_FIELDS = new Set(
  'year month day dow isodow doy week quarter isoyear decade century millennium'.split(' '),
)

/** Fields of EXTRACT that are a date's own (manual, section 9.9.1). */
export function isDateField(field: string | undefined): boolean {
  return field !== undefined && (DATE_FIELDS.has(field) || field === 'epoch' || field === 'julian')
}

/** Fields of EXTRACT from a timestamp that {@link fieldOf} has a form for. */
export function isTimestampField(field: string | undefined): boolean {
  return field !== undefined && (DATE_FIELDS.has(field) || TIME_FIELDS.has(field))
}

const TIME_FIELDS: ReadonlyMap<string, (timestamp: string) => string> = new Map([
  ['epoch', (t: string) => `extract(epoch from ${t})`],
  ['hour', (t: string) => `floor(mod(${secondsOf(t)}, 86400) / 3600)`],
  ['minute', (t: string) => `floor(mod(${secondsOf(t)}, 3600) / 60)`],
  ['second', (t: string) => `mod(${secondsOf(t)}, 60)`],
  ['milliseconds', (t: string) => `(mod(${secondsOf(t)}, 60) * 1000)::numeric(20, 3)`],
  ['microseconds', (t: string) => `floor(mod(${secondsOf(t)}, 60) * 1000000)`],
])

/** EXTRACT of a field from a timestamp in UTC, as a numeric. */
export function fieldOf(field: string, timestamp: string): string {
  return TIME_FIELDS.get(field)?.(timestamp) ?? `extract(${field} from ${dateOf(timestamp)})`
}

/** The time of day of a timestamp in UTC, as times are stored: HH:MM:SS and what there is of a fraction, without zeros at its end. */
export function timeOf(timestamp: string): string {
  const seconds = `rtrim(rtrim(lpad((mod(${secondsOf(timestamp)}, 60))::text, 9, '0'), '0'), '.')`
  return `${twoDigits('hour', timestamp)} || ':' || ${twoDigits('minute', timestamp)} || ':' || ${seconds}`
}

function twoDigits(field: 'hour' | 'minute' | 'second', timestamp: string): string {
  return `lpad((floor(${fieldOf(field, timestamp)})::bigint)::text, 2, '0')`
}

/** Parts of formats of to_char (manual, section 9.8) that say the same of a date, or of a time of day in two digits. IDDD and SSSS are others. */
const DATE_PART =
  /^(?:YYYY|IYYY|YY|MM|DDD|DD|Day|DAY|day|Dy|DY|dy|Month|MONTH|month|Mon|MON|mon|IW|ID(?!DD)|D|Q)/
const TIME_PART = /^(?:HH24|MI|SS(?!SS))/
const TIMES = { HH24: 'hour', MI: 'minute', SS: 'second' } as const

type FormatPart =
  | { readonly kind: 'date' | 'text'; readonly text: string }
  | { readonly kind: 'time'; readonly field: 'hour' | 'minute' | 'second' }

/** A format taken apart; undefined where some part of it is none of those. */
function formatParts(format: string): readonly FormatPart[] | undefined {
  const parts: FormatPart[] = []
  for (let rest = format; rest !== ''; ) {
    const date = DATE_PART.exec(rest)?.[0]
    const time = TIME_PART.exec(rest)?.[0] as keyof typeof TIMES | undefined
    const text = /^[ :.,/_-]+/.exec(rest)?.[0]
    if (date !== undefined) parts.push({ kind: 'date', text: date })
    else if (time !== undefined) parts.push({ kind: 'time', field: TIMES[time] })
    else if (text !== undefined) parts.push({ kind: 'text', text })
    else return undefined
    rest = rest.slice((date ?? time ?? text ?? '').length)
  }
  return parts.length === 0 ? undefined : parts
}

/** Whether to_char with the format can be said of a timestamp in UTC. */
export function isDatetimeFormat(format: string | undefined): boolean {
  return format !== undefined && formatParts(format) !== undefined
}

/** to_char of a timestamp in UTC: Spanner's own shows it in the default zone. */
export function toChar(timestamp: string, format: string): string {
  return (formatParts(format) ?? []).map((part) => partText(part, timestamp)).join(' || ')
}

function partText(part: FormatPart, timestamp: string): string {
  switch (part.kind) {
    case 'text':
      return textLiteral(part.text)
    case 'date':
      return `to_char(${dateOf(timestamp)}, ${textLiteral(part.text)})`
    case 'time':
      return twoDigits(part.field, timestamp)
  }
}
