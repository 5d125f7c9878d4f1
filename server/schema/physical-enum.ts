import { arrayOidOf } from '../types/user-type.ts'
import type { DeclaredEnum } from './declared-object.ts'
import type { MappingInput } from './physical-mapping.ts'
import type { StoredEnum } from './physical-schema.ts'
import type { Renumbering } from './type-oids.ts'
import { unsupported } from './unsupported.ts'

/*
 * Spanner knows nothing of enums: a column holds the labels. A new label needs nothing of it; a label with another name would be
 * another value in every row, so that no table with rows may have the type then.
 */

/** The stored rows of the enum types after a difference. */
export function mapEnums(input: MappingInput, renumbering: Renumbering): StoredEnum[] {
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
