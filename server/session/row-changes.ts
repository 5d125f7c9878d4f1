import type { CallOptions, SpannerStatement } from '../backend/backend.ts'
import type { RowChanges } from '../schema/schema-types.ts'
import { type TextRow, textRows } from '../schema/spanner-query.ts'
import type { SpannerSide } from '../transaction/transaction-block.ts'

/** What a client's transaction does with rows, for its DDL. */
export class ClientRowChanges implements RowChanges {
  readonly #spanner: SpannerSide

  constructor(spanner: SpannerSide) {
    this.#spanner = spanner
  }

  get hasWritten(): boolean {
    return this.#spanner.hasWritten
  }

  get written(): ReadonlySet<string> {
    return this.#spanner.written
  }

  rest(): Promise<void> {
    return this.#spanner.rest()
  }

  async read(sql: string, options: CallOptions): Promise<readonly TextRow[]> {
    const traits = { locksRows: false, isSole: false, isOnly: true }
    return textRows(await this.#spanner.load({ sql, params: [] }, traits, options))
  }

  async write(
    statements: readonly SpannerStatement[],
    tables: readonly string[],
    options: CallOptions,
  ): Promise<readonly bigint[]> {
    const { rowCounts, error } = await this.#spanner.executeBatch(statements, {
      ...options,
      written: tables,
    })
    if (error !== undefined) throw error
    return rowCounts
  }

  commit(options: CallOptions): Promise<void> {
    return this.#spanner.commit(options)
  }
}
