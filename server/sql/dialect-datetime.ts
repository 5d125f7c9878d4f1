import {
  dateOf,
  fieldOf,
  isDateField,
  isDatetimeFormat,
  isTimestampField,
  midnight,
  timeOf,
  toChar,
} from './datetime-forms.ts'
import type { CallSite, Printer } from './dialect.ts'
import {
  at,
  CAN_FAIL,
  type CallRow,
  call,
  FIRST,
  form,
  IN_UTC,
  infix,
  isUtc,
  literalText,
  type RuleFlags,
  SECOND,
  same,
} from './dialect-printers.ts'
import { halfEven } from './float-forms.ts'

/** A comparison of a date with a timestamp, and the other way round. */
function dateFirst(operator: string): Printer {
  return form(`${midnight('$1')} ${operator} $2`)
}

function dateSecond(operator: string): Printer {
  return form(`$1 ${operator} ${midnight('$2')}`)
}

const FIRST_IN_UTC = { ...FIRST, ...IN_UTC } as const
const SECOND_IN_UTC = { ...SECOND, ...IN_UTC } as const

function fieldName(args: readonly string[]): string {
  return literalText(at(args, 0)) ?? ''
}

const EXTRACT: Printer = (args) => fieldOf(fieldName(args), at(args, 1))
const DATE_PART: Printer = (args) => `(${fieldOf(fieldName(args), at(args, 1))})::float8`
const EXTRACT_OF_DATE: Printer = (args) => `extract(${fieldName(args)} from ${at(args, 1)})`
const DATE_PART_OF_DATE: Printer = (args) => `(${EXTRACT_OF_DATE(args, NOWHERE)})::float8`
const NOWHERE: CallSite = { argTypes: [], resultType: 0, timeZone: 'UTC', dateStyle: 'ISO, MDY' }

const OF_TIMESTAMP: RuleFlags = { ...SECOND, accepts: (args) => isTimestampField(fieldName(args)) }
const OF_DATE: RuleFlags = { ...SECOND, accepts: (args) => isDateField(fieldName(args)) }
/** Seconds since 1970 are the same in every zone. */
const OF_TIMESTAMPTZ: RuleFlags = {
  ...SECOND,
  accepts: (args, site) =>
    isTimestampField(fieldName(args)) && (isUtc(site.timeZone) || fieldName(args) === 'epoch'),
}

const UNITS = new Set(
  'microseconds milliseconds second minute hour day week month quarter year decade century millennium'.split(
    ' ',
  ),
)

function isUnit(args: readonly string[]): boolean {
  return UNITS.has(fieldName(args))
}

/** Names of zones that both have, offsets left out: a name from the tz database. */
function isZoneName(zone: string | undefined): boolean {
  return zone !== undefined && (isUtc(zone) || /^[A-Z][A-Za-z_]+\/[A-Za-z_/-]+$/.test(zone))
}

function truncated(zone: (args: readonly string[], site: CallSite) => string): Printer {
  return (args, site) => `date_trunc(${at(args, 0)}, ${at(args, 1)}, '${zone(args, site)}')`
}

const ZONE_IS_UTC: RuleFlags = { accepts: (args) => isUtc(literalText(at(args, 0)) ?? '') }

/*
 * PostgreSQL:  to_timestamp(seconds)          the microsecond next to it, counted from 2000
 * Spanner:     has it for whole seconds only
 */
const BEYOND_CALENDAR = `spanner.timestamptz_add('9999-12-31 00:00:00+00'::timestamptz, '86400 seconds')`
const SINCE_2000 = '(($1 - 946684800::float8) * 1000000::float8)'
const TO_TIMESTAMP = form(
  `CASE WHEN abs($1) < '1e12'::float8 THEN spanner.timestamptz_add('2000-01-01 00:00:00+00'::timestamptz, (${halfEven(SINCE_2000)})::bigint::text || ' microseconds') WHEN $1 IS NOT NULL THEN ${BEYOND_CALENDAR} END`,
)

const IN_DATETIME_FORMAT: RuleFlags = {
  ...FIRST,
  accepts: (args) => isDatetimeFormat(literalText(at(args, 1))),
}
const IN_DATETIME_FORMAT_AND_UTC: RuleFlags = {
  ...FIRST,
  accepts: (args, site) => isUtc(site.timeZone) && isDatetimeFormat(literalText(at(args, 1))),
}
const TO_CHAR: Printer = (args) => toChar(at(args, 0), literalText(at(args, 1)) ?? '')

export const DATETIME_OPERATORS: readonly CallRow[] = [
  [1100, 'date + integer', infix('+'), CAN_FAIL],
  [1101, 'date - integer', infix('-'), CAN_FAIL],
  [1099, 'date - date', infix('-')],
  [2555, 'integer + date', form('$2 + $1'), CAN_FAIL],

  [2347, 'date = timestamp', dateFirst('='), FIRST],
  [2350, 'date <> timestamp', dateFirst('<>'), FIRST],
  [2345, 'date < timestamp', dateFirst('<'), FIRST],
  [2346, 'date <= timestamp', dateFirst('<='), FIRST],
  [2349, 'date > timestamp', dateFirst('>'), FIRST],
  [2348, 'date >= timestamp', dateFirst('>='), FIRST],
  [2373, 'timestamp = date', dateSecond('='), SECOND],
  [2376, 'timestamp <> date', dateSecond('<>'), SECOND],
  [2371, 'timestamp < date', dateSecond('<'), SECOND],
  [2372, 'timestamp <= date', dateSecond('<='), SECOND],
  [2375, 'timestamp > date', dateSecond('>'), SECOND],
  [2374, 'timestamp >= date', dateSecond('>='), SECOND],

  // With a time zone: the other side is taken in the session's.
  [2360, 'date = timestamptz', dateFirst('='), FIRST_IN_UTC],
  [2363, 'date <> timestamptz', dateFirst('<>'), FIRST_IN_UTC],
  [2358, 'date < timestamptz', dateFirst('<'), FIRST_IN_UTC],
  [2359, 'date <= timestamptz', dateFirst('<='), FIRST_IN_UTC],
  [2362, 'date > timestamptz', dateFirst('>'), FIRST_IN_UTC],
  [2361, 'date >= timestamptz', dateFirst('>='), FIRST_IN_UTC],
  [2386, 'timestamptz = date', dateSecond('='), SECOND_IN_UTC],
  [2389, 'timestamptz <> date', dateSecond('<>'), SECOND_IN_UTC],
  [2384, 'timestamptz < date', dateSecond('<'), SECOND_IN_UTC],
  [2385, 'timestamptz <= date', dateSecond('<='), SECOND_IN_UTC],
  [2388, 'timestamptz > date', dateSecond('>'), SECOND_IN_UTC],
  [2387, 'timestamptz >= date', dateSecond('>='), SECOND_IN_UTC],
  [2536, 'timestamp = timestamptz', infix('='), IN_UTC],
  [2539, 'timestamp <> timestamptz', infix('<>'), IN_UTC],
  [2534, 'timestamp < timestamptz', infix('<'), IN_UTC],
  [2535, 'timestamp <= timestamptz', infix('<='), IN_UTC],
  [2538, 'timestamp > timestamptz', infix('>'), IN_UTC],
  [2537, 'timestamp >= timestamptz', infix('>='), IN_UTC],
  [2542, 'timestamptz = timestamp', infix('='), IN_UTC],
  [2545, 'timestamptz <> timestamp', infix('<>'), IN_UTC],
  [2540, 'timestamptz < timestamp', infix('<'), IN_UTC],
  [2541, 'timestamptz <= timestamp', infix('<='), IN_UTC],
  [2544, 'timestamptz > timestamp', infix('>'), IN_UTC],
  [2543, 'timestamptz >= timestamp', infix('>='), IN_UTC],
]

export const DATETIME_FUNCTIONS: readonly CallRow[] = [
  // Casts.
  [1178, 'date(timestamptz)', form(dateOf('$1')), FIRST_IN_UTC],
  [2029, 'date(timestamp)', form(dateOf('$1')), FIRST],
  [2024, 'timestamp(date)', form(midnight('$1')), FIRST],
  [1174, 'timestamptz(date)', form(midnight('$1')), FIRST_IN_UTC],
  [2027, 'timestamp(timestamptz)', same, IN_UTC],
  [2028, 'timestamptz(timestamp)', same, IN_UTC],
  [1316, 'time(timestamp)', form(timeOf('$1')), FIRST],
  [2019, 'time(timestamptz)', form(timeOf('$1')), FIRST_IN_UTC],

  // AT TIME ZONE.
  [1159, 'timezone(text, timestamptz)', form('$2'), ZONE_IS_UTC],
  [2069, 'timezone(text, timestamp)', form('$2'), ZONE_IS_UTC],

  // Fields.
  [6202, 'extract(text, timestamp)', EXTRACT, OF_TIMESTAMP],
  [6203, 'extract(text, timestamptz)', EXTRACT, OF_TIMESTAMPTZ],
  [6199, 'extract(text, date)', EXTRACT_OF_DATE, OF_DATE],
  [2021, 'date_part(text, timestamp)', DATE_PART, OF_TIMESTAMP],
  [1171, 'date_part(text, timestamptz)', DATE_PART, OF_TIMESTAMPTZ],
  [1384, 'date_part(text, date)', DATE_PART_OF_DATE, OF_DATE],

  // Truncation.
  [2020, 'date_trunc(text, timestamp)', truncated(() => 'UTC'), { ...SECOND, accepts: isUnit }],
  [
    1217,
    'date_trunc(text, timestamptz)',
    truncated((_args, site) => site.timeZone),
    { ...SECOND, accepts: (args, site) => isUnit(args) && isZoneName(site.timeZone) },
  ],
  [
    1284,
    'date_trunc(text, timestamptz, text)',
    truncated((args) => literalText(at(args, 2)) ?? ''),
    { ...SECOND, accepts: (args) => isUnit(args) && isZoneName(literalText(at(args, 2))) },
  ],

  [3846, 'make_date(integer, integer, integer)', call('make_date'), CAN_FAIL],
  [1158, 'to_timestamp(double precision)', TO_TIMESTAMP, { ...FIRST, ...CAN_FAIL }],
  [2049, 'to_char(timestamp, text)', TO_CHAR, IN_DATETIME_FORMAT],
  [1770, 'to_char(timestamptz, text)', TO_CHAR, IN_DATETIME_FORMAT_AND_UTC],
  [1373, 'isfinite(date)', form('$1 = $1')],
  [2048, 'isfinite(timestamp)', form('$1 = $1')],
  [1389, 'isfinite(timestamptz)', form('$1 = $1')],
]
