import type { IsolationLevel, TransactionCharacteristics } from '../transaction/characteristics.ts'
import type { Settings } from './settings.ts'

const ISOLATION_LEVELS: readonly IsolationLevel[] = [
  'read uncommitted',
  'read committed',
  'repeatable read',
  'serializable',
]

/** What a transaction gets that asks for nothing: default_transaction_isolation and its siblings. */
export function defaultCharacteristics(settings: Settings): TransactionCharacteristics {
  return {
    isolation:
      findIsolationLevel(settings.get('default_transaction_isolation')) ?? 'read committed',
    readOnly: settings.get('default_transaction_read_only') === 'on',
    deferrable: settings.get('default_transaction_deferrable') === 'on',
  }
}

export function findIsolationLevel(text: string | undefined): IsolationLevel | undefined {
  return ISOLATION_LEVELS.find((level) => level === text?.toLowerCase())
}

/** spanwire.retry_aborts: off gives the client 40001 for every transaction that Spanner aborts. */
export function retriesAborts(settings: Settings): boolean {
  return settings.get('spanwire.retry_aborts') !== 'off'
}

/** lock_timeout; 0 is none. */
export function lockTimeoutMs(settings: Settings): number {
  return durationMs(settings.get('lock_timeout'))
}

/** statement_timeout; 0 is none. */
export function statementTimeoutMs(settings: Settings): number {
  return durationMs(settings.get('statement_timeout'))
}

const UNIT_MS: Readonly<Record<string, number>> = {
  us: 0.001,
  ms: 1,
  s: 1000,
  min: 60_000,
  h: 3_600_000,
  d: 86_400_000,
}

/** A duration as SHOW writes it (`5s`, `1500ms`, `2min`, `0`), in milliseconds. */
export function durationMs(text: string | undefined): number {
  const match = /^(\d+(?:\.\d+)?)(us|ms|s|min|h|d)?$/.exec(text ?? '0')
  return match === null ? 0 : Number(match[1]) * (UNIT_MS[match[2] ?? 'ms'] ?? 1)
}
