import { fractionText } from './datetime-text.ts'
import { type Interval, intervalText } from './interval-text.ts'

/*
 * interval_out under the four settings of IntervalStyle (EncodeInterval in src/backend/utils/adt/datetime.c). All fields of the
 * time have one sign; years and months have one as well.
 */

/** An interval as its parts are shown. */
interface Parts {
  readonly year: number
  readonly mon: number
  readonly day: number
  readonly hour: number
  readonly min: number
  readonly sec: number
  readonly micros: number
}

/** The text of an interval under an IntervalStyle as SHOW prints it. */
export function styledInterval(interval: Interval, style: string): string {
  switch (style) {
    case 'postgres_verbose':
      return verboseText(partsOf(interval))
    case 'sql_standard':
      return standardText(partsOf(interval))
    case 'iso_8601':
      return isoText(partsOf(interval))
    default:
      return intervalText(interval)
  }
}

function partsOf({ months, days, micros }: Interval): Parts {
  const seconds = Number(micros / 1_000_000n)
  return {
    year: Math.trunc(months / 12),
    mon: months % 12,
    day: days,
    hour: Math.trunc(seconds / 3600),
    min: Math.trunc(seconds / 60) % 60,
    sec: seconds % 60,
    micros: Number(micros % 1_000_000n),
  }
}

/** Seconds with what there is of a fraction (AppendSeconds), without a sign. */
function secondsText({ sec, micros }: Parts): string {
  return `${Math.abs(sec)}${fractionText(Math.abs(micros))}`
}

/** `H:MM:SS.ffffff`, without a sign. */
function clockText(parts: Parts): string {
  const [seconds = '', ...fraction] = secondsText(parts).split('.')
  const clock = [Math.abs(parts.min), Number(seconds)].map((part) => String(part).padStart(2, '0'))
  return [`${Math.abs(parts.hour)}:${clock.join(':')}`, ...fraction].join('.')
}

function isTimeless({ hour, min, sec, micros }: Parts): boolean {
  return hour === 0 && min === 0 && sec === 0 && micros === 0
}

function isTimeNegative({ hour, min, sec, micros }: Parts): boolean {
  return hour < 0 || min < 0 || sec < 0 || micros < 0
}

/** `1-2`, `3 4:05:06`, and where the standard has no such interval `+1-2 -3 +4:05:06`. */
function standardText(parts: Parts): string {
  const values = Object.values(parts) as readonly number[]
  const isNegative = values.some((value) => value < 0)
  const isPositive = values.some((value) => value > 0)
  if (!isNegative && !isPositive) return '0'
  const hasMonths = parts.year !== 0 || parts.mon !== 0
  const hasTime = parts.day !== 0 || !isTimeless(parts)
  if ((isNegative && isPositive) || (hasMonths && hasTime)) return signedText(parts)
  const sign = isNegative ? '-' : ''
  if (hasMonths) return `${sign}${monthsText(parts)}`
  const day = parts.day === 0 ? '' : `${Math.abs(parts.day)} `
  return `${sign}${day}${clockText(parts)}`
}

function signedText(parts: Parts): string {
  const ofMonths = parts.year < 0 || parts.mon < 0 ? '-' : '+'
  const ofDay = parts.day < 0 ? '-' : '+'
  const ofTime = isTimeNegative(parts) ? '-' : '+'
  return `${ofMonths}${monthsText(parts)} ${ofDay}${Math.abs(parts.day)} ${ofTime}${clockText(parts)}`
}

/** `Y-M`, without a sign. */
function monthsText({ year, mon }: Parts): string {
  return `${Math.abs(year)}-${Math.abs(mon)}`
}

/** `P1Y2M3DT4H5M6S`. */
function isoText(parts: Parts): string {
  const shown = (value: number, unit: string) => (value === 0 ? '' : `${value}${unit}`)
  const date = shown(parts.year, 'Y') + shown(parts.mon, 'M') + shown(parts.day, 'D')
  if (isTimeless(parts)) return date === '' ? 'PT0S' : `P${date}`
  const isWhole = parts.sec === 0 && parts.micros === 0
  const sign = parts.sec < 0 || parts.micros < 0 ? '-' : ''
  const seconds = isWhole ? '' : `${sign}${secondsText(parts)}S`
  return `P${date}T${shown(parts.hour, 'H')}${shown(parts.min, 'M')}${seconds}`
}

/** `@ 1 year 2 mons -3 days ago`: the first field says whether all are ago, the signs of the others are relative to it. */
function verboseText(parts: Parts): string {
  const { year, mon, day, hour, min } = parts
  const counts: readonly [number, string][] = [
    [year, 'year'],
    [mon, 'mon'],
    [day, 'day'],
    [hour, 'hour'],
    [min, 'min'],
  ]
  const fields = counts
    .filter(([value]) => value !== 0)
    .map(([value, unit]) => ({ isNegative: value < 0, text: String(Math.abs(value)), unit }))
  if (parts.sec !== 0 || parts.micros !== 0) {
    const isNegative = parts.sec < 0 || parts.micros < 0
    fields.push({ isNegative, text: secondsText(parts), unit: 'sec' })
  }
  const isAgo = fields[0]?.isNegative === true
  const shown = fields.map(({ isNegative, text, unit }) => {
    const sign = isNegative === isAgo ? '' : '-'
    return `${sign}${text} ${unit}${text === '1' && isSingular(unit, sign) ? '' : 's'}`
  })
  return `@ ${shown.length === 0 ? '0' : shown.join(' ')}${isAgo ? ' ago' : ''}`
}

/** `-1 days`, but `-1 sec`. */
function isSingular(unit: string, sign: string): boolean {
  return sign === '' || unit === 'sec'
}
