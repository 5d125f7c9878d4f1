import type { BackendFailure } from '../backend/backend-error.ts'

/** What a pattern captured, by name. */
export type Groups = Readonly<Record<string, string | undefined>>

/**
 * Every text of Spanner that something is concluded from. Texts may change at any time and differ between production and the
 * emulator, so that a pattern is loose, names what it captures, and has a captured sample in its test; where none matches,
 * the table over status codes in status.ts decides.
 */
export interface ErrorPattern {
  readonly name: string
  /** Status codes under which the text means this; absent: any. */
  readonly codes?: readonly number[]
  readonly text: RegExp
  readonly failure: (groups: Groups) => BackendFailure
  /** PostgreSQL's words for it, where Spanner's own are others. */
  readonly words?: (groups: Groups) => string
}

/** A failure that is one SQLSTATE, whatever was captured. */
export function sql(sqlState: string): () => BackendFailure {
  return () => ({ kind: 'sql', sqlState })
}

/** The same of a value that PostgreSQL may have where Spanner has none. */
export function beyondSpanner(sqlState: string): () => BackendFailure {
  return () => ({ kind: 'sql', sqlState, isBeyondSpanner: true })
}

/** A failure that says no more than its kind. */
export function kind(
  name: 'unsupported' | 'object-exists' | 'object-not-found' | 'internal',
): () => BackendFailure {
  return () => ({ kind: name })
}

/** Drops what was not captured, as absence is a missing property in BackendFailure. */
export function present<T extends object>(
  fields: { readonly [K in keyof T]: T[K] | undefined },
): T {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as T
}
