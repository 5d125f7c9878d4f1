import { arrayOidOf, enumOidOf } from '../types/user-type.ts'
import type { DeclaredColumn, DeclaredEnum } from './declared-object.ts'
import type { Change, Difference, TableChange } from './difference.ts'
import type { MappingInput } from './physical-mapping.ts'
import type { StoredEnum } from './physical-schema.ts'
import type { CatalogTable } from './snapshot.ts'
import { unsupported } from './unsupported.ts'

/*
 * Spanner knows nothing of enums: a column holds the labels. A new label needs nothing of it; a label with another name would be
 * another value in every row, so that no table with rows may have the type then.
 */

/** The OIDs that PostgreSQL gave to new enum types and their arrays, to those that they are stored under. */
export function enumRenumbering({ enums }: Difference): ReadonlyMap<number, number> {
  const taken = new Set(
    enums.flatMap((change) => (change.kind === 'kept' ? [change.after.declared.oid] : [])),
  )
  const renumbering = new Map<number, number>()
  for (const change of enums) {
    if (change.kind !== 'created') continue
    const { oid, arrayOid, declared } = change.after
    const becomes = enumOidOf(declared.schema, declared.name, taken)
    taken.add(becomes)
    renumbering.set(oid, becomes)
    renumbering.set(arrayOid, arrayOidOf(becomes))
  }
  return renumbering
}

/** The stored rows of the enum types after a difference. */
export function mapEnums(
  input: MappingInput,
  renumbering: ReadonlyMap<number, number>,
): StoredEnum[] {
  return input.difference.enums.flatMap((change): StoredEnum[] => {
    if (change.kind === 'dropped') return []
    const { declared, oid } = change.after
    const stored = input.stored.get(oid)
    if (stored?.kind !== 'enum') {
      const renumbered = { ...declared, oid: renumbering.get(oid) ?? oid }
      return [{ kind: 'enum', id: input.newId(), declared: renumbered }]
    }
    if (change.kind === 'kept') refuseRenamedLabels(input, change.before.declared, declared)
    return [{ ...stored, declared }]
  })
}

function refuseRenamedLabels(input: MappingInput, before: DeclaredEnum, after: DeclaredEnum): void {
  if (before.labels.every((label) => after.labels.includes(label))) return
  for (const row of input.stored.values()) {
    if (row.kind !== 'table') continue
    const hasType = row.declared.columns.some(
      ({ typeOid }) => typeOid === after.oid || typeOid === arrayOidOf(after.oid),
    )
    if (!hasType || input.isEmpty(row.physical.name) !== false) continue
    throw unsupported(
      `a label of type "${after.name}" cannot be renamed while table "${row.declared.name}" has rows`,
      'Add a label with the new name, and change the rows with UPDATE.',
    )
  }
}

/** A table's change with the types' OIDs that will be stored. */
export function renumberTypes(
  change: TableChange,
  renumbering: ReadonlyMap<number, number>,
): TableChange {
  if (renumbering.size === 0) return change
  const renumber = (column: DeclaredColumn): DeclaredColumn => ({
    ...column,
    typeOid: renumbering.get(column.typeOid) ?? column.typeOid,
  })
  const inTable = (table: CatalogTable): CatalogTable => ({
    ...table,
    declared: { ...table.declared, columns: table.declared.columns.map(renumber) },
  })
  return {
    ...change,
    table: withAfter(change.table, inTable),
    columns: change.columns.map((column) => withAfter(column, renumber)),
  }
}

function withAfter<T>(change: Change<T>, renumber: (item: T) => T): Change<T> {
  return change.kind === 'dropped' ? change : { ...change, after: renumber(change.after) }
}
