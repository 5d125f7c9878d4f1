import { builtinOids, findBuiltinFunction } from './builtin-catalog.ts'

const ADVISORY_LOCKS = [
  'pg_advisory_lock',
  'pg_advisory_lock_shared',
  'pg_advisory_xact_lock',
  'pg_advisory_xact_lock_shared',
  'pg_try_advisory_lock',
  'pg_try_advisory_lock_shared',
  'pg_try_advisory_xact_lock',
  'pg_try_advisory_xact_lock_shared',
  'pg_advisory_unlock',
  'pg_advisory_unlock_shared',
  'pg_advisory_unlock_all',
] as const

/** The functions of pg_catalog that do something for the client's session, or for others, which the proxy does in the place of PostgreSQL. */
export const PERFORMED_FUNCTIONS = [
  'nextval',
  'setval',
  'set_config',
  'pg_notify',
  'pg_sleep',
  'pg_sleep_for',
  'pg_sleep_until',
  'pg_cancel_backend',
  'pg_terminate_backend',
  ...ADVISORY_LOCKS,
] as const

export type PerformedFunction = (typeof PERFORMED_FUNCTIONS)[number]

const NAMES: ReadonlySet<string> = new Set(PERFORMED_FUNCTIONS)

/** Whether the proxy does what a function of pg_catalog is called for. */
export function isPerformed(name: string): name is PerformedFunction {
  return NAMES.has(name)
}

/** All of them by pg_proc.oid. */
export function performedOids(): readonly number[] {
  return builtinOids(isPerformed)
}

/** The same by pg_proc.oid. */
export function isPerformedOid(oid: number): boolean {
  return isPerformed(findBuiltinFunction(oid)?.name ?? '')
}
