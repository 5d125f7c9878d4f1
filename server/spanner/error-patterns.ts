import type { BackendError, BackendFailure } from '../backend/backend-error.ts'
import { CONSTRAINT_PATTERNS } from './constraint-error-patterns.ts'
import { type ErrorPattern, type Groups, kind } from './error-pattern.ts'
import { EVALUATION_PATTERNS } from './evaluation-error-patterns.ts'
import { POSTGRESQL_PATTERNS } from './postgresql-error-patterns.ts'
import { OBJECT_PATTERNS, SERVICE_PATTERNS } from './service-error-patterns.ts'
import { GRPC_CODE } from './transport.ts'

/** The first pattern that matches, and what it captured. */
export function matchErrorText(
  grpcCode: number,
  text: string,
): { readonly failure: BackendFailure; readonly words: string | undefined } | undefined {
  for (const pattern of ERROR_PATTERNS) {
    if (pattern.codes !== undefined && !pattern.codes.includes(grpcCode)) continue
    const match = pattern.text.exec(text)
    if (match === null) continue
    const groups: Groups = match.groups ?? {}
    return { failure: pattern.failure(groups), words: pattern.words?.(groups) }
  }
  return undefined
}

/** Of a statement that PostgreSQL has analysed, whose sequences therefore exist (the emulator's sequence functions). */
export function isLostSequence({ message }: BackendError): boolean {
  return /^Sequence (?:not found: |function needs access to the schema)/.test(message)
}

const { NOT_FOUND, FAILED_PRECONDITION, INVALID_ARGUMENT } = GRPC_CODE

/** What the dialect says of constructs that it does not have. */
const UNSUPPORTED: readonly ErrorPattern[] = [
  {
    name: 'unsupported',
    codes: [INVALID_ARGUMENT, FAILED_PRECONDITION, GRPC_CODE.UNIMPLEMENTED, NOT_FOUND],
    text: /not supported|unsupported|must be (?:set to the insert value|integer literals)|not allowed in SELECT|cannot be used in SELECT DISTINCT|not specified in the SET clause|only be used (?:as a value for|in a read-write)|Unable to resolve argument type|ON CONFLICT target must|are limited to|No cast found/is,
    failure: kind('unsupported'),
  },
]

/** In the order in which they are tried. */
export const ERROR_PATTERNS: readonly ErrorPattern[] = [
  ...CONSTRAINT_PATTERNS,
  ...SERVICE_PATTERNS,
  ...OBJECT_PATTERNS,
  ...UNSUPPORTED,
  ...POSTGRESQL_PATTERNS,
  ...EVALUATION_PATTERNS,
]
