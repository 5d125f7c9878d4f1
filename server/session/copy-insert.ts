import { emitPostgresName, quoteIdentifier } from '../schema/postgres-text.ts'
import { BINARY_FORMAT } from '../wire/field-description.ts'
import type { CopyTarget } from './copy-target.ts'
import { type RowWriter, rowsOfParams } from './write-rows.ts'

/** How COPY writes rows: in the columns' binary formats. */
export function copyWriter(target: CopyTarget): RowWriter {
  const { columns } = target
  return {
    command: 'COPY FROM',
    textFor: (rowCount) => insertText(target, rowCount),
    types: columns.map(({ typeOid }) => typeOid),
    formats: columns.map(() => BINARY_FORMAT),
    params: { types: [], formats: [], values: [] },
  }
}

/** COPY writes what the data says into identity columns, too (manual, COPY: "as if OVERRIDING SYSTEM VALUE"). */
function insertText(target: CopyTarget, rowCount: number): string {
  const { columns } = target
  const names = columns.map(({ name }) => quoteIdentifier(name)).join(', ')
  const overriding = columns.some((column) => column.isAlwaysIdentity)
    ? 'OVERRIDING SYSTEM VALUE '
    : ''
  const rows = rowsOfParams(rowCount, columns.length, 0)
  return `INSERT INTO ${emitPostgresName(target)} (${names}) ${overriding}VALUES ${rows}`
}
