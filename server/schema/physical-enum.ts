import { findPgType } from '../types/pg-type.ts'
import type { DeclaredEnum } from './declared-object.ts'
import type { Change } from './difference.ts'
import { quotePhysical } from './logical-schema.ts'
import type { MappingContext } from './mapping-context.ts'
import type { MappingInput } from './physical-mapping.ts'
import type { StoredEnum, StoredObject, StoredTable } from './physical-schema.ts'
import { emitPostgresName, quoteLiteral } from './postgres-text.ts'
import type { CatalogEnum } from './snapshot.ts'
import type { Renumbering } from './type-oids.ts'
import { unsupported } from './unsupported.ts'

/*
 * Spanner knows nothing of enums: a column holds the labels. A new label needs nothing of it; a label with another name is
 * another value in every row, and the rows change together with the stored schema.
 */

/** The stored rows of the enum types after a difference. */
export function mapEnums(input: MappingInput, renumbering: Renumbering): StoredEnum[] {
  return input.difference.enums.flatMap((change): StoredEnum[] => {
    if (change.kind === 'dropped') return []
    const { declared, oid } = change.after
    const stored = input.stored.get(oid)
    const renumbered = { ...declared, oid: renumbering.get(oid) ?? oid }
    if (stored?.kind === 'enum') return [{ ...stored, declared: renumbered }]
    return [{ kind: 'enum', id: input.newId(), declared: renumbered }]
  })
}

/** A type whose labels have other names. */
interface Renaming {
  readonly declared: DeclaredEnum
  /** Old name to new. */
  readonly labels: ReadonlyMap<string, string>
}

/**
 * The UPDATEs that give the labels in the rows of `tables` their new names. Refuses (0A000) where Spanner holds a label elsewhere
 * than in a row, or does not change it there.
 */
export function labelUpdates(
  input: MappingInput,
  tables: readonly StoredTable[],
  context: MappingContext,
): readonly string[] {
  const renamings = input.difference.enums.flatMap(renamingOf)
  if (renamings.length === 0) return []
  for (const renaming of renamings) {
    for (const row of input.stored.values()) refuseHeld(row, renaming)
  }
  return tables.flatMap((table) =>
    renamings.flatMap((renaming) => updatesOf(table, renaming, context)),
  )
}

function renamingOf(change: Change<CatalogEnum>): Renaming[] {
  if (change.kind !== 'kept') return []
  const { labelOids, declared } = change.before
  const now = new Map(
    change.after.labelOids.map((oid, i) => [oid, change.after.declared.labels[i] ?? '']),
  )
  const labels = new Map<string, string>()
  for (const [i, oid] of labelOids.entries()) {
    const [was, is] = [declared.labels[i] ?? '', now.get(oid) ?? '']
    if (was !== is) labels.set(was, is)
  }
  return labels.size === 0 ? [] : [{ declared, labels }]
}

function refuseHeld(row: StoredObject, { declared, labels }: Renaming): void {
  const type = emitPostgresName(declared)
  for (const [what, text] of expressionsOf(row)) {
    const held = [...labels.keys()].find((label) =>
      [type, unquoted(type)].some((name) => text.includes(`${quoteLiteral(label)}::${name}`)),
    )
    if (held === undefined) continue
    throw unsupported(
      `label "${held}" of type "${declared.name}" cannot be renamed: ${what} depends on it`,
      'Drop what depends on it, rename the label and make it again.',
    )
  }
}

/** format_type quotes where it must, and not elsewhere. */
function unquoted(name: string): string {
  return name.replaceAll(/"([a-z_][a-z0-9_]*)"/g, '$1')
}

/** What of a declaration Spanner has as an expression, each with words for it. */
function expressionsOf(row: StoredObject): [string, string][] {
  if (row.kind === 'domain') {
    return row.declared.constraints.map(({ name, expression }) => [
      `check constraint "${name}" of domain "${row.declared.name}"`,
      expression,
    ])
  }
  if (row.kind !== 'table') return []
  const { name: table, constraints, columns } = row.declared
  return [
    ...constraints.map(({ name, expression }): [string, string] => [
      `check constraint "${name}" of table "${table}"`,
      expression ?? '',
    ]),
    ...columns.map(({ name, generated }): [string, string] => [
      `generated column "${name}" of table "${table}"`,
      generated ?? '',
    ]),
  ]
}

function updatesOf(
  { declared, physical, names }: StoredTable,
  { declared: type, labels }: Renaming,
  { domains, isEmpty }: MappingContext,
): string[] {
  const table = quotePhysical(physical.name)
  return declared.columns.flatMap((column): string[] => {
    const { typeOid } = domains.after.withoutDomain(column)
    const isArray = findPgType(typeOid)?.elementOid === type.oid
    const name = names.columns[column.name]
    if ((typeOid !== type.oid && !isArray) || name === undefined) return []
    if (physical.primaryKey.includes(name)) {
      if (isEmpty(physical.name) === false) throw keyLabel(type, declared.name)
      return []
    }
    return [
      `UPDATE ${table} SET ${(isArray ? renamedElements : renamed)(quotePhysical(name), labels)}`,
    ]
  })
}

function keyLabel({ name }: DeclaredEnum, table: string): Error {
  return unsupported(
    `a label of type "${name}" cannot be renamed while it is in the primary key of table "${table}"`,
    'Spanner does not change keys: add a label with the new name, and insert the rows anew.',
  )
}

function renamed(column: string, labels: Renaming['labels']): string {
  const old = [...labels.keys()].map(quoteLiteral).join(', ')
  return `${column} = ${caseOf(column, labels)} WHERE ${column} IN (${old})`
}

function renamedElements(column: string, labels: Renaming['labels']): string {
  const elements = `unnest(${column}) WITH ORDINALITY AS u(v, n)`
  const holds = [...labels.keys()].map((label) => `${quoteLiteral(label)} = ANY (${column})`)
  return `${column} = ARRAY(SELECT ${caseOf('u.v', labels)} FROM ${elements} ORDER BY u.n) WHERE ${holds.join(' OR ')}`
}

function caseOf(value: string, labels: Renaming['labels']): string {
  const whens = [...labels].map(
    ([was, is]) => ` WHEN ${value} = ${quoteLiteral(was)} THEN ${quoteLiteral(is)}`,
  )
  return `CASE${whens.join('')} ELSE ${value} END`
}
