import type { SpannerTypeCode } from '../types/spanner-type.ts'
import type { DeclaredConstraint, DeclaredIndex } from './declared-object.ts'
import type { PhysicalIndex, PhysicalTableColumn } from './physical-schema.ts'
import { unsupported } from './unsupported.ts'

/** What Spanner stores of a declared column. */
export interface IndexedColumn extends PhysicalTableColumn {
  /** Whether Spanner takes two values for equal where PostgreSQL does. */
  readonly keepsEquality: boolean
}

/** What an index needs to know of its table. */
export interface IndexedTable {
  readonly declaredName: string
  /** Declared column name to what Spanner stores. */
  readonly columns: ReadonlyMap<string, IndexedColumn>
  /** The same, to what Spanner compares. */
  readonly keys: ReadonlyMap<string, IndexedColumn>
  readonly primaryKey: readonly string[]
}

/** Columns of these types cannot be keys (dialect, ddl.index and ddl.pktype). */
const NO_KEY: ReadonlySet<SpannerTypeCode> = new Set<SpannerTypeCode>(['ARRAY', 'JSON', 'NUMERIC'])

/** Methods whose access path a sorted index gives as well. */
const SORTED_METHODS = new Set(['btree', 'hash'])

const NOT_NULL_TERM = /^\(?"?([^()"]+)"? IS NOT NULL\)?$/

/** Whether a column can be part of a primary key or an index. */
function isKeyType(column: IndexedColumn): boolean {
  return column.keepsEquality && !NO_KEY.has(column.type.code)
}

/**
 * The Spanner index of a declared index, without its name. Undefined where Spanner has none and none is needed: an index that
 * is not unique is an access path and nothing else, so it stays a declaration. A partial index loses its predicate for the
 * same reason. Refuses (0A000) unique indexes that Spanner cannot enforce.
 */
export function toPhysicalIndex(
  index: DeclaredIndex,
  table: IndexedTable,
): Omit<PhysicalIndex, 'name'> | undefined {
  const keys = index.columns.map((column) =>
    column.column === undefined ? undefined : table.keys.get(column.column),
  )
  const isSorted = SORTED_METHODS.has(index.method)
  const columns = keys.flatMap((key, i) => {
    const declared = index.columns[i]
    return key === undefined || declared === undefined || !isKeyType(key)
      ? []
      : [{ name: key.name, descending: declared.descending, nullsFirst: declared.nullsFirst }]
  })
  const isWhole = isSorted && columns.length === keys.length
  if (!index.unique && !isWhole) return undefined
  if (index.unique) checkUnique(index, table, isWhole)
  const include = (index.include ?? []).flatMap((name) => table.columns.get(name)?.name ?? [])
  return {
    unique: index.unique,
    columns,
    include: withoutKeys(
      include,
      columns.map((column) => column.name),
      table.primaryKey,
    ),
    notNull: index.unique ? nullableKeys(keys) : [],
  }
}

/** The unique index that stands for a UNIQUE constraint, without its name. */
export function toConstraintIndex(
  constraint: DeclaredConstraint,
  table: IndexedTable,
): Omit<PhysicalIndex, 'name'> {
  const include = /INCLUDE \(([^)]*)\)/.exec(constraint.definition)?.[1]
  if (/NULLS NOT DISTINCT/.test(constraint.definition)) throw nullsNotDistinct(constraint.name)
  const keys = constraint.columns.map((name) => keyColumn(constraint.name, table, name))
  return {
    unique: true,
    columns: keys.map((key) => ({ name: key.name, descending: false, nullsFirst: false })),
    include: withoutKeys(
      splitIdentifiers(include).flatMap((name) => table.columns.get(name)?.name ?? []),
      keys.map((key) => key.name),
      table.primaryKey,
    ),
    notNull: nullableKeys(keys),
  }
}

/** A key column's stored form; refuses (0A000) types that Spanner has no keys of. */
export function keyColumn(keyName: string, table: IndexedTable, name: string): IndexedColumn {
  const column = table.keys.get(name)
  if (column !== undefined && isKeyType(column)) return column
  throw unsupported(
    `column "${name}" of table "${table.declaredName}" cannot be part of key "${keyName}"`,
    'Spanner has no keys of numeric, jsonb, interval and array columns: use a bigint or text column.',
  )
}

/** 0A000 for a primary or foreign key that would have to compare without regard to case. */
export function citextKey(keyName: string, column: string): Error {
  return unsupported(
    `column "${column}" of type citext cannot be part of key "${keyName}"`,
    'Make it UNIQUE, and use a column of another type as the key.',
  )
}

function checkUnique(index: DeclaredIndex, table: IndexedTable, isWhole: boolean): void {
  if (index.nullsNotDistinct === true) throw nullsNotDistinct(index.name)
  if (!isWhole) {
    throw unsupported(
      `unique index "${index.name}" over an expression or a column without sort order is not supported`,
      'Declare a generated column with the expression and make it UNIQUE.',
    )
  }
  if (index.predicate !== undefined && !isNotNullPredicate(index, table)) {
    throw unsupported(
      `unique index "${index.name}" with this predicate is not supported`,
      'Only WHERE column IS NOT NULL over the columns of the index can be enforced.',
    )
  }
}

/** Conjunctions of `key IS NOT NULL`: what a unique index leaves out anyway, rows with a NULL never being equal. */
function isNotNullPredicate(index: DeclaredIndex, table: IndexedTable): boolean {
  const text = (index.predicate ?? '').replace(/^\((\(.*\))\)$/, '$1')
  return text.split(' AND ').every((term) => {
    const name = NOT_NULL_TERM.exec(term)?.[1]
    return (
      name !== undefined &&
      table.columns.has(name) &&
      index.columns.some((column) => column.column === name)
    )
  })
}

function nullsNotDistinct(name: string): Error {
  return unsupported(
    `"${name}": NULLS NOT DISTINCT is not supported`,
    'Declare the columns NOT NULL, or leave NULLS NOT DISTINCT out.',
  )
}

/**
 * A unique index that leaves rows with a NULL out never takes two of them for equal, whatever the backend thinks of NULLs
 * in a plain one (the Spanner manual does not say).
 */
function nullableKeys(keys: readonly (PhysicalTableColumn | undefined)[]): string[] {
  return keys.flatMap((key) => (key === undefined || key.notNull ? [] : [key.name]))
}

function withoutKeys(
  include: readonly string[],
  keys: readonly string[],
  primaryKey: readonly string[],
): string[] {
  return include.filter((name) => !keys.includes(name) && !primaryKey.includes(name))
}

function splitIdentifiers(list: string | undefined): string[] {
  return (list ?? '')
    .split(', ')
    .filter((item) => item !== '')
    .map((item) => (item.startsWith('"') ? item.slice(1, -1).replaceAll('""', '"') : item))
}
