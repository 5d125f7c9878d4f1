import type { PerformedFunction } from '../sql/performed-functions.ts'

/** What a call is thought to give before it is performed. */
export type Guess =
  /** Of a function without a result. */
  | 'nothing'
  /** Of one that says whether it did it: what the last call of it gave, and true before. */
  | 'boolean'
  /** Its second argument. */
  | 'second argument'
  /** A value that no client is told. */
  | 'any value'

/** A function of pg_catalog as pg_proc has it (src/include/catalog/pg_proc.dat). */
export interface PerformedSignatures {
  /** Parameters as CREATE FUNCTION takes them. */
  readonly signatures: readonly (readonly string[])[]
  /** The type of its result, in pg_catalog. */
  readonly type: 'int8' | 'bool' | 'text' | 'void'
  /** Without STRICT it is called for NULL, too. */
  readonly isStrict: boolean
  readonly guess: Guess
}

const LOCK: PerformedSignatures = {
  signatures: [['bigint'], ['integer', 'integer']],
  type: 'void',
  isStrict: true,
  guess: 'nothing',
}
const TRY_LOCK: PerformedSignatures = { ...LOCK, type: 'bool', guess: 'boolean' }
const SLEEP = { type: 'void', isStrict: true, guess: 'nothing' } as const

/** What stands in for each function that the proxy performs. */
export const PERFORMED_SIGNATURES: Readonly<Record<PerformedFunction, PerformedSignatures>> = {
  nextval: { signatures: [['regclass']], type: 'int8', isStrict: true, guess: 'any value' },
  setval: {
    signatures: [
      ['regclass', 'bigint'],
      ['regclass', 'bigint', 'boolean'],
    ],
    type: 'int8',
    isStrict: true,
    guess: 'second argument',
  },
  set_config: {
    signatures: [['text', 'text', 'boolean']],
    type: 'text',
    isStrict: false,
    guess: 'second argument',
  },
  pg_notify: { signatures: [['text', 'text']], type: 'void', isStrict: false, guess: 'nothing' },
  pg_sleep: { ...SLEEP, signatures: [['double precision']] },
  pg_sleep_for: { ...SLEEP, signatures: [['interval']] },
  pg_sleep_until: { ...SLEEP, signatures: [['timestamp with time zone']] },
  pg_cancel_backend: { ...TRY_LOCK, signatures: [['integer']] },
  pg_terminate_backend: {
    ...TRY_LOCK,
    signatures: [['pid integer', 'timeout bigint DEFAULT 0']],
  },
  pg_advisory_lock: LOCK,
  pg_advisory_lock_shared: LOCK,
  pg_advisory_xact_lock: LOCK,
  pg_advisory_xact_lock_shared: LOCK,
  pg_try_advisory_lock: TRY_LOCK,
  pg_try_advisory_lock_shared: TRY_LOCK,
  pg_try_advisory_xact_lock: TRY_LOCK,
  pg_try_advisory_xact_lock_shared: TRY_LOCK,
  pg_advisory_unlock: TRY_LOCK,
  pg_advisory_unlock_shared: TRY_LOCK,
  pg_advisory_unlock_all: { ...LOCK, signatures: [[]] },
}
