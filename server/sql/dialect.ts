/**
 * The allow-list of pushdown as data: which operators, functions, aggregates and casts of PostgreSQL give the same results on
 * Spanner, and how they are written there. Keys are the OIDs of PostgreSQL's built-in objects (pg_operator, pg_proc), which
 * stand for names and argument types at once. What has no row is not sent to Spanner. test/differential holds every row to a
 * PostgreSQL.
 */
export type Need =
  | 'interval'
  | 'distinctFrom'
  | 'generateSeries'
  | 'jsonbFunctions'
  | 'aggregateOrderBy'
  | 'uuidType'
  | 'forUpdate'

/** What a form may ask of the call that it writes, beyond the SQL of the arguments. */
export interface CallSite {
  /** OIDs of the arguments' and the result's types, with polymorphic ones resolved. */
  readonly argTypes: readonly number[]
  readonly resultType: number
  /** The session's TimeZone, as SHOW prints it. */
  readonly timeZone: string
  /** The session's DateStyle, as SHOW prints it. */
  readonly dateStyle: string
}

/** The call in Spanner's dialect, from its printed arguments (each a complete operand, parenthesised where needed). */
export type Printer = (args: readonly string[], site: CallSite) => string

export interface CallRule {
  readonly print: Printer
  /**
   * Whether the form is right for these arguments, types and settings; absent: for all. Where it is false the call is not pushed
   * down.
   */
  readonly accepts?: (args: readonly string[], site: CallSite) => boolean
  /** The capability that the backend must have. */
  readonly needs?: Need
  /** The form for backends that lack it; absent: the call is not pushed down there. */
  readonly without?: Printer
  /** As {@link accepts}, for that form; absent: as for the other. */
  readonly acceptsWithout?: (args: readonly string[], site: CallSite) => boolean
  /**
   * Spanner computes in 64 bits where PostgreSQL would raise 22003 past this range: the emitter pushes the call down only where
   * an overflow is noticed (an output column, a checked column), or adds the check.
   */
  readonly resultRange?: 'int2' | 'int4' | 'float4'
  /** The emulator dies of NULL in one of these arguments (numbers from 0): guarded where `safeNumericKeysAndNullFloats` is off. */
  readonly diesOfNull?: readonly number[]
  /**
   * It fails for some values, and statements are written so that these never get there (`b <> 0 AND a / b > 1`): Spanner
   * evaluates conditions in any order, so that the order has to be said.
   */
  readonly canFail?: true
  /** What is said where it fails does not tell what PostgreSQL tells: a SELECT is then emulated, which says it. */
  readonly saysLess?: true
  /** The last argument may be an array that stands for several (VARIADIC). */
  readonly takesVariadic?: true
}
