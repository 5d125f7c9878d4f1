import type { DeclaredColumn, DeclaredTable } from './declared-object.ts'
import type { ColumnStorage } from './physical-column.ts'
import type { DomainStates } from './physical-domain.ts'
import type { PhysicalNames } from './physical-name.ts'
import type { StoredTable } from './physical-schema.ts'
import type { AddedValues } from './transaction-tables.ts'

/** What the mapping of one table asks of the whole. */
export interface MappingContext {
  readonly storageOf: ColumnStorage
  readonly domains: DomainStates
  /** Spanner's names of the tables whose rows the transaction has changed. */
  readonly written: ReadonlySet<string>
  /** What rows are to have in new columns. */
  readonly added: AddedValues
  /** The names of one named schema of Spanner; empty: `public`. */
  names(physicalSchema: string): PhysicalNames
  /** Spanner's name of a declared schema; empty: `public`. */
  physicalSchema(declared: string): string
  /** Defaults that call a function of an extension, to those that call the built-in one that does the same. */
  readonly builtinDefaults: ReadonlyMap<string, string>
  storedTable(oid: number): StoredTable | undefined
  isEmpty(physicalTable: string): boolean | undefined
  /** Spanner's default of a column that draws from a sequence. */
  sequenceDefault(column: DeclaredColumn, table: DeclaredTable): string | undefined
}
