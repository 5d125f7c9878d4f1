import {
  arrayOidOf,
  domainOidOf,
  enumOidOf,
  extensionTypeOidOf,
  isPassingOid,
} from '../types/user-type.ts'
import type { DeclaredColumn } from './declared-object.ts'
import type { Change, Difference, TableChange } from './difference.ts'
import type { StoredObject } from './physical-schema.ts'
import type { CatalogDomain, CatalogEnum, CatalogTable } from './snapshot.ts'

/** OIDs that PostgreSQL gave, to those that are stored in their place. */
export type Renumbering = ReadonlyMap<number, number>

/**
 * The OIDs that PostgreSQL gave to types of the transaction and their arrays, to those that every proxy gives them. Types that the transaction made
 * before the difference have theirs in `stored`, by the OID that they have now.
 */
export function typeRenumbering(
  { extensions, enums, domains }: Difference,
  stored: ReadonlyMap<number, StoredObject>,
): Renumbering {
  const renumbering = new Map<number, number>()
  for (const change of extensions) {
    if (change.kind === 'dropped') continue
    const { declared, types } = change.after
    for (const { oid, arrayOid, name } of types) {
      if (change.kind === 'kept' && !isPassingOid(oid)) continue
      const becomes = extensionTypeOidOf(declared.name, name)
      renumbering.set(oid, becomes)
      renumbering.set(arrayOid, arrayOidOf(becomes))
    }
  }
  collectKept(renumbering, [...enums, ...domains], stored)
  collect(renumbering, enums, enumOidOf)
  collect(renumbering, domains, domainOidOf)
  return renumbering
}

function collectKept(
  renumbering: Map<number, number>,
  changes: readonly Change<CatalogEnum | CatalogDomain>[],
  stored: ReadonlyMap<number, StoredObject>,
): void {
  for (const change of changes) {
    if (change.kind !== 'kept' || !isPassingOid(change.after.oid)) continue
    const { oid, arrayOid } = change.after
    const row = stored.get(oid)
    if (row?.kind !== 'enum' && row?.kind !== 'domain') continue
    renumbering.set(oid, row.declared.oid)
    renumbering.set(arrayOid, arrayOidOf(row.declared.oid))
  }
}

function collect(
  renumbering: Map<number, number>,
  changes: readonly Change<CatalogEnum | CatalogDomain>[],
  oidOf: typeof enumOidOf,
): void {
  const kept = changes.flatMap((change) => (change.kind === 'kept' ? [change.after.oid] : []))
  const taken = new Set(kept.map((oid) => renumbering.get(oid) ?? oid))
  for (const change of changes) {
    if (change.kind !== 'created') continue
    const { oid, arrayOid, declared } = change.after
    const becomes = oidOf(declared.schema, declared.name, taken)
    taken.add(becomes)
    renumbering.set(oid, becomes)
    renumbering.set(arrayOid, arrayOidOf(becomes))
  }
}

/** A table's change with the types' OIDs that will be stored. */
export function renumberTypes(change: TableChange, renumbering: Renumbering): TableChange {
  if (renumbering.size === 0) return change
  const renumber = (column: DeclaredColumn): DeclaredColumn => ({
    ...column,
    typeOid: renumbering.get(column.typeOid) ?? column.typeOid,
  })
  return mapColumns(change, { before: renumber, after: renumber })
}

/** A table's change with other columns in its places. */
export function mapColumns(
  change: TableChange,
  map: Readonly<Record<'before' | 'after', (column: DeclaredColumn) => DeclaredColumn>>,
): TableChange {
  const inTable =
    (mapColumn: (column: DeclaredColumn) => DeclaredColumn) =>
    (table: CatalogTable): CatalogTable => ({
      ...table,
      declared: { ...table.declared, columns: table.declared.columns.map(mapColumn) },
    })
  return {
    ...change,
    table: mapChange(change.table, { before: inTable(map.before), after: inTable(map.after) }),
    columns: change.columns.map((column) => mapChange(column, map)),
  }
}

function mapChange<T>(
  change: Change<T>,
  { before, after }: Readonly<Record<'before' | 'after', (item: T) => T>>,
): Change<T> {
  switch (change.kind) {
    case 'created':
      return { ...change, after: after(change.after) }
    case 'dropped':
      return { ...change, before: before(change.before) }
    case 'kept':
      return { ...change, before: before(change.before), after: after(change.after) }
  }
}
