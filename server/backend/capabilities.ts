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
  /** Partitioned DML of what else is DML, with parameters. The emulator reads it as GoogleSQL, too, and wants it to be both. */
  readonly partitionedDml: boolean
  /**
   * spanner.get_internal_sequence_state() is the counter of the next draw, as on the emulator, and not that of the last. Spanner's pages do not say
   * which it is there: taken for the last, no value is told that could be drawn again.
   */
  readonly sequenceStateIsNext: boolean
  /** Isolation level REPEATABLE_READ has an effect. */
  readonly repeatableRead: boolean
}
