import { INTERLEAVING } from '../backend/backend-error.ts'
import { type DeclaredConstraint, relationKey } from './declared-object.ts'
import type { Change } from './difference.ts'
import type { MappingContext } from './mapping-context.ts'
import {
  citextKey,
  type IndexedTable,
  toConstraintIndex,
  toPhysicalIndex,
} from './physical-index.ts'
import type { PhysicalNames } from './physical-name.ts'
import {
  type PhysicalForeignKey,
  type PhysicalIndex,
  physicalSchemaOf,
  type StoredTable,
} from './physical-schema.ts'
import { type TableDraft, toPhysicalTable, undeclared } from './physical-table.ts'
import { toIndexedTable } from './table-columns.ts'
import { unsupported } from './unsupported.ts'

/** Finishes a draft: indexes, and the foreign keys that need every other table's draft. */
export function linkTable(
  draft: TableDraft,
  drafts: ReadonlyMap<string, TableDraft>,
  context: MappingContext,
): Omit<StoredTable, 'kind' | 'id'> {
  const linker = new TableLinker(draft, drafts, context)
  linker.link()
  return {
    declared: draft.declared,
    physical: toPhysicalTable(draft, linker),
    names: {
      columns: draft.columnNames,
      constraints: { ...draft.checkNames, ...linker.constraintNames },
      indexes: linker.indexNames,
    },
  }
}

class TableLinker {
  readonly foreignKeys: PhysicalForeignKey[] = []
  readonly indexes: PhysicalIndex[] = []
  readonly constraintNames: Record<string, string> = {}
  readonly indexNames: Record<string, string> = {}
  readonly #draft: TableDraft
  readonly #drafts: ReadonlyMap<string, TableDraft>
  readonly #context: MappingContext
  readonly #table: IndexedTable
  /** The table that goes on, as it was. */
  readonly #tableBefore: IndexedTable | undefined

  constructor(draft: TableDraft, drafts: ReadonlyMap<string, TableDraft>, context: MappingContext) {
    this.#draft = draft
    this.#drafts = drafts
    this.#context = context
    this.#table = toIndexedTable(draft.declared, draft, context.domains.after)
    const { kept } = draft
    this.#tableBefore =
      kept &&
      toIndexedTable(
        kept.declared,
        { ...kept.physical, columnNames: kept.names.columns },
        context.domains.before,
      )
  }

  link(): void {
    for (const part of this.#draft.change.constraints) {
      if (part.kind !== 'dropped') this.#constraint(part)
    }
    for (const part of this.#draft.change.indexes) {
      if (part.kind === 'dropped') continue
      const before = part.kind === 'kept' ? part.before : undefined
      const oldName = this.#draft.kept?.names.indexes[before?.name ?? '']
      const index = toPhysicalIndex(part.after, this.#table)
      const wantedBefore = before && this.#tableBefore && toPhysicalIndex(before, this.#tableBefore)
      const name = this.#index(part.after.name, { name: oldName, wanted: wantedBefore }, index)
      if (name !== undefined) this.indexNames[part.after.name] = name
    }
    this.#keepForeignParts()
  }

  /** What somebody else gave the table stays: a client that does not see a part cannot have meant it. */
  #keepForeignParts(): void {
    const { kept } = this.#draft
    if (kept === undefined) return
    this.foreignKeys.push(...undeclared(kept.physical.foreignKeys, kept))
    this.indexes.push(...undeclared(kept.physical.indexes, kept))
    const isInterleaved = Object.values(kept.names.constraints).includes(INTERLEAVING)
    if (isInterleaved && !Object.values(this.constraintNames).includes(INTERLEAVING))
      throw interleaved(this.#draft.declared.name)
  }

  #constraint(part: Exclude<Change<DeclaredConstraint>, { kind: 'dropped' }>): void {
    const { after } = part
    const before = part.kind === 'kept' ? part.before : undefined
    const oldName = this.#draft.kept?.names.constraints[before?.name ?? '']
    switch (after.type) {
      case 'check':
        return
      case 'primary-key':
        this.constraintNames[after.name] = oldName ?? `PK_${this.#tableName()}`
        return
      case 'unique': {
        const index = toConstraintIndex(after, this.#table)
        const name = this.#index(after.name, { name: oldName, wanted: undefined }, index)
        this.constraintNames[after.name] = name ?? ''
        return
      }
      case 'foreign-key':
        this.#foreignKey(after, oldName)
        return
    }
  }

  #tableName(): string {
    return this.#draft.physicalName.slice(this.#draft.physicalName.indexOf('.') + 1)
  }

  get #names(): PhysicalNames {
    return this.#context.names(physicalSchemaOf(this.#draft.physicalName))
  }

  /**
   * Keeps the index that is there while it still serves: one that need not leave NULLs out may go on doing so, and one that somebody else made
   * is what it is while nothing else is wanted than before.
   */
  #index(
    declaredName: string,
    before: {
      readonly name: string | undefined
      readonly wanted: Omit<PhysicalIndex, 'name'> | undefined
    },
    wanted: Omit<PhysicalIndex, 'name'> | undefined,
  ): string | undefined {
    const old = this.#draft.kept?.physical.indexes.find(({ name }) => name === before.name)
    const isAsBefore = JSON.stringify(wanted) === JSON.stringify(before.wanted)
    if (old !== undefined && (wanted === undefined || isAsBefore || serves(old, wanted))) {
      this.indexes.push(old)
      return old.name
    }
    if (wanted === undefined) return undefined
    const index = { name: this.#names.allocate(declaredName), ...wanted }
    this.indexes.push(index)
    return index.name
  }

  #foreignKey(declared: DeclaredConstraint, oldName: string | undefined): void {
    const target = this.#drafts.get(relationKey(declared.references ?? { schema: '', name: '' }))
    if (target === undefined || declared.references === undefined) {
      throw unsupported(
        `foreign key "${declared.name}" references a table that is not stored`,
        'Reference an ordinary table.',
      )
    }
    if (oldName === INTERLEAVING) {
      if (target.kept === undefined) throw interleaved(this.#draft.declared.name)
      this.constraintNames[declared.name] = INTERLEAVING
      return
    }
    const old = this.#draft.kept?.physical.foreignKeys.find(({ name }) => name === oldName)
    for (const name of declared.columns) {
      if (this.#table.keys.get(name)?.lowerCaseOf !== undefined)
        throw citextKey(declared.name, name)
    }
    const isKept = old !== undefined && target.kept !== undefined
    if (!isKept) checkActions(declared)
    const key = isKept
      ? old
      : {
          name: this.#names.allocateConstraint(declared.name),
          columns: declared.columns.map((name) => this.#draft.columnNames[name] ?? ''),
          referencedTable: target.physicalName,
          referencedColumns: declared.references.columns.map(
            (name) => target.columnNames[name] ?? '',
          ),
          onDelete:
            declared.references.onDelete === 'cascade'
              ? ('cascade' as const)
              : ('no-action' as const),
        }
    this.foreignKeys.push(key)
    this.constraintNames[declared.name] = key.name
  }
}

function interleaved(table: string): Error {
  return unsupported(
    `table "${table}" is interleaved in its parent, which cannot be changed`,
    'Drop both tables, or change them with DDL of Spanner.',
  )
}

function serves(old: PhysicalIndex, wanted: Omit<PhysicalIndex, 'name'>): boolean {
  const { name: _name, notNull, ...rest } = old
  const { notNull: wantedNotNull, ...wantedRest } = wanted
  return (
    JSON.stringify(rest) === JSON.stringify(wantedRest) &&
    wantedNotNull.every((column) => notNull.includes(column))
  )
}

/**
 * Spanner knows CASCADE and NO ACTION on delete. RESTRICT differs from NO ACTION in its moment alone. ON UPDATE CASCADE is
 * taken as NO ACTION: an update of a referenced key fails with 23503 instead of reaching the referencing rows.
 */
function checkActions(declared: DeclaredConstraint): void {
  const { onDelete, onUpdate } = declared.references ?? {}
  const isSetting = [onDelete, onUpdate].find((a) => a === 'set-null' || a === 'set-default')
  if (isSetting === undefined) return
  throw unsupported(
    `foreign key "${declared.name}": ${isSetting.toUpperCase().replace('-', ' ')} is not supported`,
    'Use ON DELETE CASCADE or NO ACTION, and set the referencing columns before the delete.',
  )
}
