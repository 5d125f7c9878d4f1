/** What a backend can do beyond the common ground; read once when a database is opened, by probes. */
export interface Capabilities {
  /** More than one read-write transaction at a time in one database. The emulator: no. */
  readonly concurrentWrites: boolean
  /** A failed statement leaves the transaction usable. Where false, every later call repeats its error. */
  readonly survivesStatementError: boolean
  /** `SELECT .. FOR UPDATE`. Where false, the statement hint LOCK_SCANNED_RANGES=exclusive says the same. */
  readonly forUpdate: boolean
  /** Columns and values of type uuid; else uuid is stored as varchar(36). */
  readonly uuidType: boolean
  /** interval in expressions (timestamptz +- interval, make_interval ...). */
  readonly interval: boolean
  /** `IS [NOT] DISTINCT FROM`. */
  readonly distinctFrom: boolean
  /** generate_series(int8, int8) in FROM. */
  readonly generateSeries: boolean
  /** jsonb_build_object, jsonb_set, `@>`, `?`, `||` on jsonb. */
  readonly jsonbFunctions: boolean
  /** array_agg(x ORDER BY y), string_agg(.. ORDER BY ..). */
  readonly aggregateOrderBy: boolean
  /** numeric as sort and group key, and comparison of NULL floats, are safe. The emulator dies of them. */
  readonly safeNumericKeysAndNullFloats: boolean
  /** Isolation level REPEATABLE_READ has an effect. */
  readonly repeatableRead: boolean
}
