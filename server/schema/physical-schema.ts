import type { SpannerType } from '../types/spanner-type.ts'
import type {
  DeclaredDomain,
  DeclaredEnum,
  DeclaredExtension,
  DeclaredFunction,
  DeclaredSchema,
  DeclaredSequence,
  DeclaredTable,
  DeclaredView,
  QualifiedName,
} from './declared-object.ts'

/**
 * What Spanner holds for the declared objects, in Spanner's own terms and names: all that is needed to emit its DDL and to
 * tell one state from another. Within one change a physical name always means the same thing.
 */
export interface PhysicalSchema {
  /** Named schemas, without `public`. */
  readonly schemas: readonly string[]
  readonly sequences: readonly PhysicalSequence[]
  readonly tables: readonly PhysicalTable[]
  /** Those that somebody else made: a client's own views are the mirror's alone. */
  readonly views: readonly PhysicalView[]
}

export interface PhysicalView {
  /** Qualified unless in `public`. */
  readonly name: string
  readonly columns: readonly string[]
  /** Spanner's query. */
  readonly definition: string
}

export interface PhysicalSequence {
  /** Qualified unless in `public`. */
  readonly name: string
  /** START COUNTER WITH; absent: 1. */
  readonly startCounter?: string
}

export interface PhysicalTable {
  /** Qualified unless in `public`. */
  readonly name: string
  readonly columns: readonly PhysicalTableColumn[]
  readonly primaryKey: readonly string[]
  /** The key column that the client does not see. */
  readonly hiddenKey?: string
  readonly checks: readonly PhysicalCheck[]
  readonly foreignKeys: readonly PhysicalForeignKey[]
  readonly indexes: readonly PhysicalIndex[]
  /** The table in whose rows its rows lie. */
  readonly parent?: PhysicalParent
  /** Its full-text indexes, which no client sees. */
  readonly searchIndexes?: readonly string[]
  /** What else no client sees, in words: a table that took its place would be without. */
  readonly unseen?: readonly string[]
}

/** INTERLEAVE IN PARENT: a row needs its parent, whose key its own key begins with. */
export interface PhysicalParent {
  readonly table: string
  readonly onDelete: 'cascade' | 'no-action'
}

export interface PhysicalTableColumn {
  readonly name: string
  readonly type: SpannerType
  /** As DDL takes it: `character varying(30)`. */
  readonly sqlType: string
  readonly notNull: boolean
  /** Spanner's expression. */
  readonly default?: string
  readonly generated?: string
  /** The column of citext that this one holds in lower case, for its comparisons and keys. */
  readonly lowerCaseOf?: string
}

export interface PhysicalCheck {
  readonly name: string
  /** Spanner's expression over physical column names. */
  readonly expression: string
  /** The check of a domain that it stands for, and the column that it is tested on. */
  readonly ofDomain?: QualifiedName & { readonly check: string; readonly column: string }
}

export interface PhysicalForeignKey {
  readonly name: string
  readonly columns: readonly string[]
  readonly referencedTable: string
  readonly referencedColumns: readonly string[]
  readonly onDelete: 'cascade' | 'no-action'
}

export interface PhysicalIndex {
  /** Without schema: an index lies in its table's. */
  readonly name: string
  readonly unique: boolean
  readonly columns: readonly PhysicalIndexColumn[]
  readonly include: readonly string[]
  /** Rows with a NULL in one of these are left out. */
  readonly notNull: readonly string[]
}

export interface PhysicalIndexColumn {
  readonly name: string
  readonly descending: boolean
  readonly nullsFirst: boolean
}

/** One stored row: a declared object, and what Spanner holds for it. */
export type StoredObject =
  | StoredSchema
  | StoredExtension
  | StoredEnum
  | StoredDomain
  | StoredFunction
  | StoredSequence
  | StoredTable
  | StoredView

export interface StoredSchema {
  readonly kind: 'schema'
  readonly id: string
  readonly declared: DeclaredSchema
  /** Spanner's name; empty for `public`. */
  readonly physical: string
}

/** Spanner has nothing of it. */
export interface StoredExtension {
  readonly kind: 'extension'
  readonly id: string
  readonly declared: DeclaredExtension
}

/** Spanner has only the labels, in columns of the type. */
export interface StoredEnum {
  readonly kind: 'enum'
  readonly id: string
  readonly declared: DeclaredEnum
}

/** Spanner has only the checks, of columns of the type. */
export interface StoredDomain {
  readonly kind: 'domain'
  readonly id: string
  readonly declared: DeclaredDomain
}

/** Spanner has nothing of it. */
export interface StoredFunction {
  readonly kind: 'function'
  readonly id: string
  readonly declared: DeclaredFunction
}

export interface StoredSequence {
  readonly kind: 'sequence'
  readonly id: string
  readonly declared: DeclaredSequence
  readonly physical: PhysicalSequence
  /** Settled when the sequence is made (setting spanwire.sequence_kind). */
  readonly values: SequenceKind
  /** Spanner's expression that draws the next value. */
  readonly nextvalSql: string
  /** The first value of one that counts; absent: its START, which did not change since. */
  readonly origin?: string
}

export type SequenceKind = 'bit-reversed' | 'ascending'

export interface StoredTable {
  readonly kind: 'table'
  readonly id: string
  readonly declared: DeclaredTable
  readonly physical: PhysicalTable
  /** Declared name to Spanner's. Indexes without a form in Spanner are absent. */
  readonly names: {
    readonly columns: Readonly<Record<string, string>>
    readonly constraints: Readonly<Record<string, string>>
    readonly indexes: Readonly<Record<string, string>>
  }
}

export interface StoredView {
  readonly kind: 'view'
  readonly id: string
  readonly declared: DeclaredView
  /** Where Spanner has the view, too. */
  readonly physical?: PhysicalView
}

/** The physical side of all stored rows. */
export function toPhysicalSchema(rows: Iterable<StoredObject>): PhysicalSchema {
  const schemas: string[] = []
  const sequences: PhysicalSequence[] = []
  const tables: PhysicalTable[] = []
  const views: PhysicalView[] = []
  for (const row of rows) {
    if (row.kind === 'schema' && row.physical !== '') schemas.push(row.physical)
    if (row.kind === 'sequence') sequences.push(row.physical)
    if (row.kind === 'table') tables.push(row.physical)
    if (row.kind === 'view' && row.physical !== undefined) views.push(row.physical)
  }
  return { schemas, sequences, tables, views }
}

/** The named schema of a physical name; empty for `public`. */
export function physicalSchemaOf(name: string): string {
  const dot = name.indexOf('.')
  return dot < 0 ? '' : name.slice(0, dot)
}

/** A physical name within a named schema (empty: `public`). */
export function qualifyPhysical(schema: string, name: string): string {
  return schema === '' ? name : `${schema}.${name}`
}

/** Items of the first list whose name the second does not have. */
export function missingFrom<T extends { readonly name: string }>(
  items: readonly T[],
  others: readonly T[],
): T[] {
  const names = new Set(others.map((item) => item.name))
  return items.filter((item) => !names.has(item.name))
}
