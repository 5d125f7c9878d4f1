/** What stands for the name of a constraint where an interleaved table's rows and their parents contradict: Spanner has none for it. */
export const INTERLEAVING = 'INTERLEAVE IN PARENT'

/**
 * What can go wrong at Spanner, sorted by what the proxy does about it. `spanner/` makes it from gRPC status and text; the
 * rooms above make PostgreSQL's words of it from the logical schema. Names in it are Spanner's (physical) names.
 */
export type BackendFailure =
  | {
      readonly kind: 'unique-violation'
      readonly table?: string
      readonly index?: string
      readonly key?: readonly (string | null)[]
      /** The key as PostgreSQL prints it, where the backend says it so. */
      readonly keyText?: string
    }
  | {
      readonly kind: 'foreign-key-violation'
      readonly constraint?: string
      readonly table?: string
      readonly key?: readonly (string | null)[]
      readonly keyText?: string
      readonly side: 'referencing' | 'referenced'
    }
  | { readonly kind: 'not-null-violation'; readonly table?: string; readonly column?: string }
  | { readonly kind: 'check-violation'; readonly table?: string; readonly constraint?: string }
  | {
      readonly kind: 'string-too-long'
      readonly table?: string
      readonly column?: string
      readonly limit?: number
    }
  /** An error that the PostgreSQL dialect reports as PostgreSQL does: the SQLSTATE that the text stands for. */
  | {
      readonly kind: 'sql'
      readonly sqlState: string
      /** A value came up that Spanner has none of, and PostgreSQL may have. */
      readonly isBeyondSpanner?: true
      readonly detail?: string
      readonly hint?: string
    }
  /** The dialect has no such construct. */
  | { readonly kind: 'unsupported' }
  | { readonly kind: 'aborted'; readonly retryDelayMs?: number }
  | { readonly kind: 'database-not-found' }
  | { readonly kind: 'database-exists' }
  | { readonly kind: 'session-not-found' }
  | { readonly kind: 'object-exists' }
  | { readonly kind: 'object-not-found' }
  | { readonly kind: 'ddl-conflict' }
  | { readonly kind: 'transaction-too-large' }
  | { readonly kind: 'stale-read' }
  | { readonly kind: 'permission-denied' }
  | { readonly kind: 'unauthenticated' }
  | { readonly kind: 'unavailable' }
  | { readonly kind: 'resource-exhausted' }
  /** All sessions of the pool stayed in use for as long as the call could wait. */
  | { readonly kind: 'too-many-sessions' }
  | { readonly kind: 'deadline-exceeded' }
  | { readonly kind: 'cancelled' }
  /** Commit was sent and its answer never came. */
  | { readonly kind: 'commit-unknown' }
  | { readonly kind: 'internal' }

export type BackendFailureKind = BackendFailure['kind']

/** A failed call. `message` is Spanner's own text, for the log and for failures that have no PostgreSQL words. */
export class BackendError extends Error {
  readonly failure: BackendFailure
  /** gRPC status code, 0-16. */
  readonly grpcCode: number
  /** True where the server cannot have acted. */
  readonly safeToRetry: boolean
  /** updateDdl: statements of the batch that stay in force. */
  readonly appliedStatements: number | undefined

  constructor(
    message: string,
    options: {
      failure: BackendFailure
      grpcCode: number
      safeToRetry?: boolean
      appliedStatements?: number
      cause?: unknown
    },
  ) {
    super(message, { cause: options.cause })
    this.name = 'BackendError'
    this.failure = options.failure
    this.grpcCode = options.grpcCode
    this.safeToRetry = options.safeToRetry ?? false
    this.appliedStatements = options.appliedStatements
  }
}

/** Whether the whole transaction should be run again. */
export function isAborted(error: unknown): error is BackendError {
  return error instanceof BackendError && error.failure.kind === 'aborted'
}
