import { Bug } from '../base/pg-error.ts'

/*
 * Enumerations of nodes/primnodes.h, by the number that nodeToString prints.
 */

export const PARAM_KINDS = ['extern', 'exec', 'sublink', 'multiexpr'] as const
export const SUBLINK_TYPES = [
  'exists',
  'all',
  'any',
  'rowcompare',
  'expr',
  'multiexpr',
  'array',
  'cte',
] as const
export const MINMAX_OPS = ['greatest', 'least'] as const
export const BOOLEAN_TESTS = [
  'true',
  'not-true',
  'false',
  'not-false',
  'unknown',
  'not-unknown',
] as const
export const VALUE_FUNCTIONS = [
  'CURRENT_DATE',
  'CURRENT_TIME',
  'CURRENT_TIME_N',
  'CURRENT_TIMESTAMP',
  'CURRENT_TIMESTAMP_N',
  'LOCALTIME',
  'LOCALTIME_N',
  'LOCALTIMESTAMP',
  'LOCALTIMESTAMP_N',
  'CURRENT_ROLE',
  'CURRENT_USER',
  'USER',
  'SESSION_USER',
  'CURRENT_CATALOG',
  'CURRENT_SCHEMA',
] as const

/** The member that a printed number stands for. */
export function memberOf<T>(members: readonly T[], value: number, what: string): T {
  const member = members[value]
  if (member === undefined) throw new Bug(`${what} ${value} is unknown`)
  return member
}
