import { PgError } from '../base/pg-error.ts'
import { SQL_STATE } from '../base/sql-state.ts'
import type { ParamSource, RowCountClause } from '../plan/plan.ts'
import type { EncodedValue } from '../types/spanner-type.ts'
import { encodeNull, encodeString } from '../types/value.ts'

/** What NULL means: no bound. */
const NO_BOUND: { readonly [clause in RowCountClause]: EncodedValue } = {
  LIMIT: encodeString('9223372036854775807'),
  OFFSET: encodeString('0'),
}

/** `-` as the first character of a short string_value. */
const MINUS = 0x2d
const FIRST_CHARACTER = 2

/** Values for LIMIT and OFFSET as Spanner takes them, among the parameters of a statement. */
export class RowCounts {
  #refusal: PgError | undefined

  /** What PostgreSQL says where it comes to the clause: to OFFSET first (recompute_limits of src/backend/executor/nodeLimit.c). */
  get refusal(): PgError | undefined {
    return this.#refusal
  }

  /** The value to send for a source. */
  take(source: ParamSource, value: EncodedValue): EncodedValue {
    const clause = source.kind === 'transaction-start' ? undefined : source.countsRows
    if (clause === undefined) return value
    if (value.equals(encodeNull())) return NO_BOUND[clause]
    if (value[FIRST_CHARACTER] !== MINUS) return value
    if (this.#refusal === undefined || clause === 'OFFSET') this.#refusal = negative(clause)
    return NO_BOUND[clause]
  }
}

function negative(clause: RowCountClause): PgError {
  const code =
    clause === 'LIMIT'
      ? SQL_STATE.invalidRowCountInLimitClause
      : SQL_STATE.invalidRowCountInResultOffsetClause
  return new PgError(code, `${clause} must not be negative`)
}
