/** One column of RowDescription (manual, section 55.7). */
export interface FieldDescription {
  readonly name: string
  /** 0 where the column is no plain table column. */
  readonly tableOid: number
  /** Attribute number in that table, or 0. */
  readonly attributeNumber: number
  readonly typeOid: number
  /** pg_type.typlen: bytes, -1 varlena, -2 cstring. */
  readonly typeSizeBytes: number
  /** pg_attribute.atttypmod, or -1. */
  readonly typmod: number
}

/** Format codes of parameters and result columns (manual, section 55.1.3). */
export type Format = 0 | 1
export const TEXT_FORMAT = 0
export const BINARY_FORMAT = 1

/** CopyInResponse and CopyOutResponse: how the data is written, as a whole and by column. */
export interface CopyFormats {
  readonly format: Format
  readonly columns: readonly Format[]
}
