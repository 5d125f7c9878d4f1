import { status as GRPC } from '@grpc/grpc-js'
import { GrpcStatus } from './grpc-status.ts'
import { type KeySet, keySetCondition, Parameters } from './key-set.ts'
import type { SqlRequest } from './spanner-requests.ts'
import { quoteIdentifier, type TableShape } from './table-shape.ts'

/** The values of a primary key, each an encoded google.protobuf.Value. */
type Key = readonly Buffer[]

/** Runs a query and tells how many rows it has. */
type Count = (request: SqlRequest) => Promise<number>

/** How many keys go into one query: PostgreSQL takes 65,535 parameters. */
const KEYS_AT_ONCE = 1_000

/**
 * The rows that the mutations of one Commit delete and write. Spanner does not do both to a row, be it there or not, of a table that foreign keys
 * with ON DELETE CASCADE refer to; tables that are interleaved in it do not count.
 */
export class RowRewrites {
  readonly #tables = new Map<string, { readonly deleted: KeySet[]; readonly written: Key[] }>()
  readonly #count: Count

  constructor(count: Count) {
    this.#count = count
  }

  /** To be called before rows are deleted. Throws FAILED_PRECONDITION for one that was written. */
  async deleting(table: TableShape, rows: KeySet): Promise<void> {
    if (!isCascadedFrom(table)) return
    const { deleted, written } = this.#of(table)
    deleted.push(rows)
    for (let at = 0; at < written.length; at += KEYS_AT_ONCE)
      await this.#refuse(table, written.slice(at, at + KEYS_AT_ONCE), [rows])
  }

  /** To be called before a row is written. Throws FAILED_PRECONDITION where it was deleted. */
  async writing(table: TableShape, key: Key): Promise<void> {
    if (!isCascadedFrom(table)) return
    const { deleted, written } = this.#of(table)
    written.push(key)
    if (deleted.length > 0) await this.#refuse(table, [key], deleted)
  }

  #of(table: TableShape) {
    const known = this.#tables.get(table.sql) ?? { deleted: [], written: [] }
    this.#tables.set(table.sql, known)
    return known
  }

  /** PostgreSQL compares: key sets have ranges, in the order of the key. */
  async #refuse(table: TableShape, keys: readonly Key[], sets: readonly KeySet[]): Promise<void> {
    const params = new Parameters()
    const rows = keys.map((key) => `SELECT ${keyColumns(table, key, params)}`)
    const condition = sets.map((set) => `(${keySetCondition(table, set, params)})`).join(' OR ')
    const sql = `SELECT 1 FROM (${rows.join(' UNION ALL ')}) AS k WHERE ${condition}`
    if ((await this.#count(params.request(sql))) > 0) throw rewritten(table)
  }
}

function keyColumns(table: TableShape, key: Key, params: Parameters): string {
  return table.key
    .flatMap((part, index) => {
      const value = key[index]
      return value === undefined
        ? []
        : [`${params.add(value, part.type)} AS ${quoteIdentifier(part.name)}`]
    })
    .join(', ')
}

/** Whether rows of other tables go with those of this one by foreign keys. */
export function isCascadedFrom(table: TableShape): boolean {
  return table.writes.cascades.some(({ isInterleaved }) => !isInterleaved)
}

export function rewritten(table: TableShape): GrpcStatus {
  return new GrpcStatus(
    GRPC.FAILED_PRECONDITION,
    `Cannot write and delete a row of table ${table.name} within the same transaction: foreign keys with ON DELETE CASCADE refer to it.`,
  )
}
