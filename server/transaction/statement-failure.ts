import type { BackendFailure } from '../backend/backend-error.ts'

/**
 * Whether Spanner has looked at a statement and its data and refused it, so that it has changed nothing and says something about
 * the database; as against a call that did not get through, or was given up.
 */
export function isAnswer({ kind }: BackendFailure): boolean {
  switch (kind) {
    case 'unique-violation':
    case 'foreign-key-violation':
    case 'not-null-violation':
    case 'check-violation':
    case 'string-too-long':
    case 'sql':
    case 'unsupported':
    case 'object-exists':
    case 'object-not-found':
      return true
    default:
      return false
  }
}
