import {
  type DeclaredColumn,
  type DeclaredConstraint,
  type DeclaredIndex,
  isSameDeclaration,
} from './declared-object.ts'
import type {
  CatalogDomain,
  CatalogEnum,
  CatalogExtension,
  CatalogFunction,
  CatalogSchema,
  CatalogSequence,
  CatalogTable,
  CatalogView,
  OtherObject,
  Snapshot,
} from './snapshot.ts'

/** What became of one thing. `isChanged`: its declaration differs, be it by a name alone. */
export type Change<T> =
  | { readonly kind: 'created'; readonly after: T }
  | { readonly kind: 'dropped'; readonly before: T }
  | { readonly kind: 'kept'; readonly before: T; readonly after: T; readonly isChanged: boolean }

/** A table's change, with that of its parts where it was kept. */
export interface TableChange {
  readonly table: Change<CatalogTable>
  readonly columns: readonly Change<DeclaredColumn>[]
  readonly constraints: readonly Change<DeclaredConstraint>[]
  readonly indexes: readonly Change<DeclaredIndex>[]
}

/** Everything of both snapshots, unchanged things included (`kept`, not `isChanged`). */
export interface Difference {
  readonly schemas: readonly Change<CatalogSchema>[]
  readonly extensions: readonly Change<CatalogExtension>[]
  readonly enums: readonly Change<CatalogEnum>[]
  readonly domains: readonly Change<CatalogDomain>[]
  readonly functions: readonly Change<CatalogFunction>[]
  readonly sequences: readonly Change<CatalogSequence>[]
  readonly tables: readonly TableChange[]
  readonly views: readonly Change<CatalogView>[]
  readonly others: readonly Change<OtherObject>[]
  readonly isEmpty: boolean
}

/**
 * Compares two snapshots of one database by OID, so that a rename is a change of name and a table that was dropped and made
 * again is two tables. Columns are the same by attribute number.
 */
export function findDifference(before: Snapshot, after: Snapshot): Difference {
  const schemas = compareMaps(before.schemas, after.schemas, declaration)
  const extensions = compareMaps(before.extensions, after.extensions, (extension) => [
    extension.declared,
    extension.version,
  ])
  const enums = compareMaps(before.enums, after.enums, declaration)
  const domains = compareMaps(before.domains, after.domains, declaration)
  const functions = compareMaps(before.functions, after.functions, declaration)
  const sequences = compareMaps(before.sequences, after.sequences, (sequence) => [
    sequence.declared,
    sequence.file,
  ])
  const tables = compareMaps(before.tables, after.tables, declaration).map(toTableChange)
  const views = compareMaps(before.views, after.views, declaration)
  const others = compareMaps(before.others, after.others, (other) => other)
  const all = [
    ...schemas,
    ...extensions,
    ...enums,
    ...domains,
    ...functions,
    ...sequences,
    ...tables.map((t) => t.table),
    ...views,
    ...others,
  ]
  return {
    schemas,
    extensions,
    enums,
    domains,
    functions,
    sequences,
    tables,
    views,
    others,
    isEmpty: all.every((change) => change.kind === 'kept' && !change.isChanged),
  }
}

function declaration(object: { readonly declared: unknown }): unknown {
  return object.declared
}

function compareMaps<K, T>(
  before: ReadonlyMap<K, T>,
  after: ReadonlyMap<K, T>,
  content: (item: T) => unknown,
): Change<T>[] {
  const changes: Change<T>[] = []
  for (const [key, item] of after) {
    const old = before.get(key)
    changes.push(
      old === undefined
        ? { kind: 'created', after: item }
        : {
            kind: 'kept',
            before: old,
            after: item,
            isChanged: !isSameDeclaration(content(old), content(item)),
          },
    )
  }
  for (const [key, item] of before) {
    if (!after.has(key)) changes.push({ kind: 'dropped', before: item })
  }
  return changes
}

function toTableChange(table: Change<CatalogTable>): TableChange {
  const before = table.kind === 'created' ? undefined : table.before
  const after = table.kind === 'dropped' ? undefined : table.after
  const columns = comparedByKey(
    zip(before?.attributes, before?.declared.columns),
    zip(after?.attributes, after?.declared.columns),
  )
  const constraints = comparedByKey(
    zip(before?.constraintOids, before?.declared.constraints),
    zip(after?.constraintOids, after?.declared.constraints),
  )
  const indexes = comparedByKey(
    zip(before?.indexOids, before?.declared.indexes),
    zip(after?.indexOids, after?.declared.indexes),
  )
  return {
    table,
    columns,
    constraints: rejoinRebuilt(constraints),
    indexes: rejoinRebuilt(indexes),
  }
}

function zip<T>(
  keys: readonly number[] | undefined,
  items: readonly T[] | undefined,
): ReadonlyMap<number, T> {
  return new Map((items ?? []).map((item, i) => [keys?.[i] ?? -1, item]))
}

function comparedByKey<T>(
  before: ReadonlyMap<number, T>,
  after: ReadonlyMap<number, T>,
): Change<T>[] {
  return compareMaps(before, after, (item) => item)
}

/**
 * ALTER COLUMN .. TYPE makes the indexes and constraints of the column anew, under new OIDs
 * (src/backend/commands/tablecmds.c ATPostAlterTypeCleanup): one that went and one that came and says the same are one.
 */
function rejoinRebuilt<T extends DeclaredConstraint | DeclaredIndex>(
  changes: readonly Change<T>[],
): Change<T>[] {
  const dropped = new Map<string, T>()
  for (const change of changes) {
    if (change.kind === 'dropped') dropped.set(change.before.name, change.before)
  }
  const rejoined = changes.map((change): Change<T> => {
    if (change.kind !== 'created') return change
    const before = dropped.get(change.after.name)
    if (before === undefined || !isSameDeclaration(before, change.after)) return change
    dropped.delete(before.name)
    return { kind: 'kept', before, after: change.after, isChanged: false }
  })
  return rejoined.filter((change) => change.kind !== 'dropped' || dropped.has(change.before.name))
}
