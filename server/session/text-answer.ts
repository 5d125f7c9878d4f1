import { OID } from '../types/pg-type.ts'
import { joinDataRow, splitDataRow } from '../wire/data-row.ts'
import type { FieldDescription } from '../wire/field-description.ts'

/** A column of SHOW. */
export function textField(name: string): FieldDescription {
  return { name, tableOid: 0, attributeNumber: 0, typeOid: OID.text, typeSizeBytes: -1, typmod: -1 }
}

/** A DataRow of texts: in both formats the bytes are the same. */
export function textRow(cells: readonly string[]): Buffer {
  return joinDataRow(cells.map((cell) => Buffer.from(cell)))
}

/** The texts in a DataRow whose columns are in text format; NULL is empty. */
export function textCells(row: Buffer): readonly string[] {
  return splitDataRow(row).map((cell) => cell?.toString() ?? '')
}
