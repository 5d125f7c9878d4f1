import type { RowStream } from '../backend/backend.ts'
import { PgError } from '../base/pg-error.ts'
import { SQL_STATE } from '../base/sql-state.ts'
import type { TableRows } from '../companion/companion-types.ts'
import type { Load } from '../plan/plan.ts'
import { emitPostgresName, quoteIdentifier } from '../schema/postgres-text.ts'
import { CopyText } from './copy-text.ts'

/** What all loads of one statement may hold. */
export interface LoadBounds {
  readonly maxRows: number
  readonly maxBytes: number
}

/** What the loads of one statement hold. */
export interface LoadedRows {
  readonly tables: readonly TableRows[]
  readonly rowCount: number
  readonly sizeBytes: number
}

export const NOTHING_LOADED: LoadedRows = { tables: [], rowCount: 0, sizeBytes: 0 }

/** Reads one load to its end, after others. Rejects with 54000 past the bounds: the rest is not read then. */
export async function addLoad(
  loaded: LoadedRows,
  load: Load,
  stream: RowStream,
  bounds: LoadBounds,
): Promise<LoadedRows> {
  const text = new CopyText(load.columns)
  for (let batch = await stream.next(); batch !== undefined; batch = await stream.next()) {
    text.add(batch)
    const excess = excessOf(
      {
        rows: loaded.rowCount + text.rowCount,
        bytes: loaded.sizeBytes + text.sizeBytes,
      },
      bounds,
    )
    if (excess === undefined) continue
    stream.cancel()
    throw tooMuch(load, excess)
  }
  const { rowCount, sizeBytes } = text
  const { staged, refusal } = load.changed ?? {}
  // A table without rows may have got types that nothing could be cast to.
  if (staged !== undefined && rowCount === 0) return loaded
  if (refusal !== undefined) throw refusal
  const columns = load.columns.map(({ name }) => quoteIdentifier(name)).join(', ')
  const copy = `COPY ${staged?.table ?? emitPostgresName(load.table)} (${columns}) FROM STDIN`
  const { before = [], after = [] } = staged ?? {}
  return {
    tables: [...loaded.tables, { before, copy, data: text.take(), rowCount, after }],
    rowCount: loaded.rowCount + rowCount,
    sizeBytes: loaded.sizeBytes + sizeBytes,
  }
}

/** A setting and what it was passed with. */
interface Excess {
  readonly setting: string
  readonly limit: string
}

function excessOf(
  total: { readonly rows: number; readonly bytes: number },
  { maxRows, maxBytes }: LoadBounds,
): Excess | undefined {
  if (total.rows > maxRows)
    return { setting: 'spanwire.emulation_max_rows', limit: `${maxRows} rows` }
  if (total.bytes > maxBytes)
    return { setting: 'spanwire.emulation_max_bytes', limit: `${maxBytes} bytes` }
  return undefined
}

function tooMuch({ table, result }: Load, { setting, limit }: Excess): PgError {
  const names = result?.tables ?? [table.name]
  const named = names.map((name) => `"${name}"`).join(', ')
  const of = result === undefined ? `table ${named}` : `a query of ${named}`
  return new PgError(
    SQL_STATE.programLimitExceeded,
    `emulation needs more than ${limit}, of ${of} among others`,
    {
      detail: `Spanner cannot run the statement itself, and ${setting} bounds the rows that are loaded for it.`,
      hint: `Add conditions that Spanner can test to narrow the rows of ${named}, or raise ${setting}.`,
      ...(result === undefined ? { schema: table.schema, table: table.name } : {}),
    },
  )
}
