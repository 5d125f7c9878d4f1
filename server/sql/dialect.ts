/**
 * The allow-list of pushdown as data: which operators, functions, aggregates and casts of PostgreSQL give the same results on
 * Spanner, and how they are written there. Keys are the OIDs of PostgreSQL's built-in objects (pg_operator, pg_proc), which
 * stand for names and argument types at once. What has no row is not sent to Spanner.
 */
export type Need =
  | 'interval'
  | 'distinctFrom'
  | 'generateSeries'
  | 'jsonbFunctions'
  | 'aggregateOrderBy'
  | 'uuidType'
  | 'forUpdate'

export interface CallRule {
  /** The call in Spanner's dialect, from its printed arguments (each a complete operand, parenthesised where needed). */
  readonly print: (args: readonly string[]) => string
  /**
   * Whether the printed arguments are among those that the form is right for; absent: all are. Where it is false the call is not pushed down; what
   * `print` gives all the same fails in Spanner, never answers otherwise than PostgreSQL.
   */
  readonly accepts?: (args: readonly string[]) => boolean
  /** The capability that the backend must have. */
  readonly needs?: Need
  /**
   * Spanner computes in 64 bits where PostgreSQL would raise 22003 past this range: the emitter pushes the call down only where
   * an overflow is noticed (an output column, a checked column), or adds the check.
   */
  readonly resultRange?: 'int2' | 'int4' | 'float4'
  /** The emulator dies of NULL in one of these arguments (numbers from 0): guarded where `safeNumericKeysAndNullFloats` is off. */
  readonly diesOfNull?: readonly number[]
}
