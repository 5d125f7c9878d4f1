import { PgError } from '../base/pg-error.ts'
import { SQL_STATE } from '../base/sql-state.ts'
import { timeText } from './datetime-text.ts'
import { mustBeSized } from './received-bytes.ts'
import { offsetText } from './time-zone.ts'
import type { TypeForm } from './type-form.ts'

/** Microseconds since midnight, and seconds west of Greenwich. */
interface ZonedTime {
  readonly micros: bigint
  readonly zone: number
}

const SIZE_BYTES = 12
const MICROS_PER_DAY = 86_400_000_000n
/** TZDISP_LIMIT (datatype/timestamp.h). */
const END_OF_ZONES = 16 * 3600

/**
 * time with time zone: its text, the same under every DateStyle. Equal times have equal zones; the order is one of instants, which the
 * texts do not have.
 */
export const zonedTimeForm: TypeForm = {
  storedAs: 'character varying',
  keeps: 'equality',
  store: (text) => {
    const time = parse(text)
    return time !== undefined && isWithinDay(time) && textOf(time) === text ? text : undefined
  },
  fits: (stored, typmod) => (TEXT.exec(stored)?.[4] ?? '').length <= typmod,
  receive: (bytes, leftOver) => {
    mustBeSized(bytes, SIZE_BYTES, leftOver)
    const time = { micros: bytes.readBigInt64BE(0), zone: bytes.readInt32BE(8) }
    if (!isWithinDay(time)) {
      throw new PgError(SQL_STATE.datetimeFieldOverflow, 'time out of range')
    }
    if (Math.abs(time.zone) >= END_OF_ZONES) {
      throw new PgError(
        SQL_STATE.invalidTimeZoneDisplacementValue,
        'time zone displacement out of range',
      )
    }
    return textOf(time)
  },
  print: (stored) => (parse(stored) === undefined ? undefined : stored),
  send: (stored) => {
    const time = parse(stored)
    return time === undefined ? undefined : sent(time)
  },
  datumText: (bytes) =>
    bytes.length === SIZE_BYTES
      ? textOf({ micros: bytes.readBigInt64LE(0), zone: bytes.readInt32LE(8) })
      : undefined,
}

function isWithinDay({ micros }: ZonedTime): boolean {
  return micros >= 0n && micros <= MICROS_PER_DAY
}

function textOf({ micros, zone }: ZonedTime): string {
  return `${timeText(micros)}${offsetText(-zone)}`
}

const TEXT =
  /^(\d\d):([0-5]\d):([0-5]\d)(?:\.(\d{1,6}))?([+-])(0\d|1[0-5])(?::([0-5]\d))?(?::([0-5]\d))?$/

function parse(text: string): ZonedTime | undefined {
  const match = TEXT.exec(text)
  if (match === null) return undefined
  const [, hour, minute, second, fraction = '', sign, ...offset] = match
  const micros = secondsOf([hour, minute, second]) * 1_000_000 + Number(fraction.padEnd(6, '0'))
  const east = secondsOf(offset)
  return { micros: BigInt(micros), zone: sign === '+' ? -east : east }
}

function secondsOf([hours = '0', minutes = '0', seconds = '0']: readonly (
  | string
  | undefined
)[]): number {
  return Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds)
}

function sent({ micros, zone }: ZonedTime): Buffer {
  const bytes = Buffer.alloc(SIZE_BYTES)
  bytes.writeBigInt64BE(micros, 0)
  bytes.writeInt32BE(zone, 8)
  return bytes
}
