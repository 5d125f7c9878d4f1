/*
 * The proleptic Gregorian calendar as PostgreSQL counts it (date2j, j2date in src/backend/utils/adt/datetime.c), without
 * Date: years before 100 and before Christ are ordinary years here. Year 0 is 1 BC.
 */

/** Days from 1970-01-01 to PostgreSQL's epoch, 2000-01-01. */
export const POSTGRES_EPOCH_DAYS = 10957

export const SECONDS_PER_DAY = 86400

const DAYS_PER_ERA = 146097
/** Days from 0000-03-01, where eras of 400 years begin, to 1970-01-01. */
const ERA_EPOCH_DAYS = 719468

/** A day of the calendar; months and days count from 1. */
export interface CivilDate {
  readonly year: number
  readonly month: number
  readonly day: number
}

/** A day and a time of day. */
export interface CivilTime extends CivilDate {
  readonly hour: number
  readonly minute: number
  readonly second: number
  readonly micros: number
}

/** Days from 1970-01-01 to a day. */
export function daysFromCivil(year: number, month: number, day: number): number {
  const shifted = month <= 2 ? year - 1 : year
  const era = Math.floor(shifted / 400)
  const yearOfEra = shifted - era * 400
  const dayOfYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100)
  return era * DAYS_PER_ERA + dayOfEra + dayOfYear - ERA_EPOCH_DAYS
}

/** The day that is `days` after 1970-01-01. */
export function civilFromDays(days: number): CivilDate {
  const shifted = days + ERA_EPOCH_DAYS
  const era = Math.floor(shifted / DAYS_PER_ERA)
  const dayOfEra = shifted - era * DAYS_PER_ERA
  const leaps =
    Math.floor(dayOfEra / 1460) - Math.floor(dayOfEra / 36524) + Math.floor(dayOfEra / 146096)
  const yearOfEra = Math.floor((dayOfEra - leaps) / 365)
  const dayOfYear =
    dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100))
  const marchMonth = Math.floor((5 * dayOfYear + 2) / 153)
  const month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9
  return {
    year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0),
    month,
    day: dayOfYear - Math.floor((153 * marchMonth + 2) / 5) + 1,
  }
}

/** The day and time of day that is `seconds` after 1970-01-01 00:00:00. */
export function civilFromSeconds(seconds: number, micros: number): CivilTime {
  const days = Math.floor(seconds / SECONDS_PER_DAY)
  const secondOfDay = seconds - days * SECONDS_PER_DAY
  return {
    ...civilFromDays(days),
    hour: Math.floor(secondOfDay / 3600),
    minute: Math.floor(secondOfDay / 60) % 60,
    second: secondOfDay % 60,
    micros,
  }
}

/** Seconds from 1970-01-01 00:00:00 to a day and time of day of the same zone. */
export function secondsFromCivil(time: Omit<CivilTime, 'micros'>): number {
  return (
    daysFromCivil(time.year, time.month, time.day) * SECONDS_PER_DAY +
    time.hour * 3600 +
    time.minute * 60 +
    time.second
  )
}

/** 0 is Sunday. */
export function dayOfWeek(days: number): number {
  return (((days + 4) % 7) + 7) % 7
}

const DAYS_OF_MONTH = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]

/** Whether the calendar has such a day. */
export function isCivilDate(year: number, month: number, day: number): boolean {
  if (month === 2 && day === 29) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0)
  return day >= 1 && day <= (DAYS_OF_MONTH[month - 1] ?? 0)
}
