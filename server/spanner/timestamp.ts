import { MalformedMessage, type ProtoReader } from '../base/protobuf-reader.ts'
import { ProtoWriter } from '../base/protobuf-writer.ts'

const NANOS_PER_SECOND = 1_000_000_000n

/** RFC 3339 as Spanner takes it: a date, a time with up to nine digits of the second, Z or an offset. */
const RFC_3339 = /^(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?([Zz]|[+-]\d\d:\d\d)$/

/** google.protobuf.Timestamp runs from 0001-01-01 to 9999-12-31. */
const FIRST_SECOND = -62_135_596_800n
const LAST_SECOND = 253_402_300_799n

/** Reads google.protobuf.Timestamp (seconds = 1, nanos = 2) to RFC 3339 with as many digits of the second as are not zero. Throws MalformedMessage. */
export function readTimestamp(reader: ProtoReader): string {
  let seconds = 0n
  let nanos = 0
  while (reader.hasMore) {
    const tag = reader.tag()
    if (tag === 0x08) seconds = reader.int64()
    else if (tag === 0x10) nanos = reader.uint()
    else reader.skip(tag)
  }
  if (seconds < FIRST_SECOND || seconds > LAST_SECOND || nanos > 999_999_999) {
    throw new MalformedMessage(`${seconds} seconds and ${nanos} nanoseconds are no timestamp`)
  }
  const whole = new Date(Number(seconds) * 1000).toISOString().slice(0, 19)
  const fraction = nanos === 0 ? '' : `.${String(nanos).padStart(9, '0').replace(/0+$/, '')}`
  return `${whole}${fraction}Z`
}

/** A google.protobuf.Timestamp of RFC 3339, not before 1970. Throws RangeError where the text is something else. */
export function encodeTimestamp(text: string): Buffer {
  const [, date, time, fraction = '', zone = 'Z'] = RFC_3339.exec(text) ?? []
  const ms = Date.parse(`${date}T${time}${zone.toUpperCase()}`)
  if (!(ms >= 0)) throw new RangeError(`"${text}" is no moment after 1970 in RFC 3339`)
  return new ProtoWriter(16)
    .uint(1, ms / 1000)
    .uint(2, Number(fraction.padEnd(9, '0')))
    .take()
}

/** A google.protobuf.Duration (seconds = 1, nanos = 2) of nanoseconds that are not negative. */
export function encodeDuration(nanoseconds: bigint): Buffer {
  return new ProtoWriter(16)
    .uint(1, Number(nanoseconds / NANOS_PER_SECOND))
    .uint(2, Number(nanoseconds % NANOS_PER_SECOND))
    .take()
}
