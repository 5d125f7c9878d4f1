import { fractionText } from './datetime-text.ts'

/** PostgreSQL's three fields of an interval, which it keeps apart. */
export interface Interval {
  readonly months: number
  readonly days: number
  readonly micros: bigint
}

const MICROS_PER_SECOND = 1_000_000n
const MICROS_PER_HOUR = 3_600_000_000n

/** interval_out under IntervalStyle postgres (EncodeInterval in datetime.c): `1 year -2 mons +3 days 04:05:06.5`. */
export function intervalText({ months, days, micros }: Interval): string {
  const parts: string[] = []
  // After a negative field a positive one says so.
  let plus = ''
  const units = [
    { count: Math.trunc(months / 12), unit: 'year' },
    { count: months % 12, unit: 'mon' },
    { count: days, unit: 'day' },
  ].filter(({ count }) => count !== 0)
  for (const { count, unit } of units) {
    parts.push(`${count > 0 ? plus : ''}${count} ${count === 1 ? unit : `${unit}s`}`)
    plus = count < 0 ? '+' : ''
  }
  if (micros < 0n) parts.push(`-${clock(-micros)}`)
  else if (micros > 0n || parts.length === 0) parts.push(plus + clock(micros))
  return parts.join(' ')
}

function clock(micros: bigint): string {
  const hours = String(micros / MICROS_PER_HOUR).padStart(2, '0')
  const seconds = Number((micros % MICROS_PER_HOUR) / MICROS_PER_SECOND)
  const minutes = String(Math.floor(seconds / 60)).padStart(2, '0')
  const fraction = fractionText(Number(micros % MICROS_PER_SECOND))
  return `${hours}:${minutes}:${String(seconds % 60).padStart(2, '0')}${fraction}`
}

const TEXT =
  /^(?:([+-]?\d{1,9}) years?(?: |$))?(?:([+-]?\d{1,10}) mons?(?: |$))?(?:([+-]?\d{1,10}) days?(?: |$))?(?:([+-]?)(\d{2,10}):([0-5]\d):([0-5]\d)(?:\.(\d{1,6}))?)?$/

/** Reads what {@link intervalText} writes; undefined for other texts, and for fields that an interval cannot hold. */
export function parseIntervalText(text: string): Interval | undefined {
  const match = TEXT.exec(text)
  if (match === null || text === '') return undefined
  const [, years = '0', months = '0', days = '0', sign, ...time] = match
  const micros = microsOf(time)
  const interval = {
    months: Number(years) * 12 + Number(months),
    days: Number(days),
    micros: sign === '-' ? -micros : micros,
  }
  return fits(interval) ? interval : undefined
}

function microsOf([hours = '0', minutes = '0', seconds = '0', fraction = '']: readonly (
  | string
  | undefined
)[]): bigint {
  const rest = BigInt(Number(minutes) * 60 + Number(seconds)) * MICROS_PER_SECOND
  return BigInt(hours) * MICROS_PER_HOUR + rest + BigInt(fraction.padEnd(6, '0'))
}

function fits({ months, days, micros }: Interval): boolean {
  const isInt32 = (value: number) => BigInt.asIntN(32, BigInt(value)) === BigInt(value)
  return isInt32(months) && isInt32(days) && BigInt.asIntN(64, micros) === micros
}
