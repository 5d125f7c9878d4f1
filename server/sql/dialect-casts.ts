import { castTo, type Printer, same } from './dialect-printers.ts'

/** Casts that PostgreSQL makes by writing the one type and reading the other: OIDs of both, their names, and Spanner's form. */
export type IoCastRow = readonly [from: number, to: number, signature: string, print: Printer]

export const IO_CAST_ROWS: readonly IoCastRow[] = [
  [21, 25, 'smallint to text', castTo('varchar')],
  [23, 25, 'integer to text', castTo('varchar')],
  [20, 25, 'bigint to text', castTo('varchar')],
  [21, 1043, 'smallint to varchar', castTo('varchar')],
  [23, 1043, 'integer to varchar', castTo('varchar')],
  [20, 1043, 'bigint to varchar', castTo('varchar')],
  [2950, 25, 'uuid to text', same],
  [2950, 1043, 'uuid to varchar', same],
]
