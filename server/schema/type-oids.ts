import { arrayOidOf, domainOidOf, enumOidOf, extensionTypeOidOf } from '../types/user-type.ts'
import type { DeclaredColumn } from './declared-object.ts'
import type { Change, Difference, TableChange } from './difference.ts'
import type { CatalogDomain, CatalogEnum, CatalogTable } from './snapshot.ts'

/** OIDs that PostgreSQL gave, to those that are stored in their place. */
export type Renumbering = ReadonlyMap<number, number>

/** The OIDs that PostgreSQL gave to new types and their arrays, to those that every proxy gives them. */
export function typeRenumbering({ extensions, enums, domains }: Difference): Renumbering {
  const renumbering = new Map<number, number>()
  for (const change of extensions) {
    if (change.kind !== 'created') continue
    const { declared, types } = change.after
    for (const { oid, arrayOid, name } of types) {
      const becomes = extensionTypeOidOf(declared.name, name)
      renumbering.set(oid, becomes)
      renumbering.set(arrayOid, arrayOidOf(becomes))
    }
  }
  collect(renumbering, enums, enumOidOf)
  collect(renumbering, domains, domainOidOf)
  return renumbering
}

function collect(
  renumbering: Map<number, number>,
  changes: readonly Change<CatalogEnum | CatalogDomain>[],
  oidOf: typeof enumOidOf,
): void {
  const taken = new Set(
    changes.flatMap((change) => (change.kind === 'kept' ? [change.after.declared.oid] : [])),
  )
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
  return mapColumns(change, {
    before: (column) => column,
    after: (column) => ({
      ...column,
      typeOid: renumbering.get(column.typeOid) ?? column.typeOid,
    }),
  })
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
