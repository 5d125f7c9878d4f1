import type { SpannerParam } from '../backend/backend.ts'
import type { DeclaredConstraint, DeclaredTable } from './declared-object.ts'
import type { Change, TableChange } from './difference.ts'
import type { DomainTypes } from './domain-types.ts'
import type { MappingContext } from './mapping-context.ts'
import { isOwnCheck, rangeCheck } from './physical-column.ts'
import { domainChecks, withoutDomains } from './physical-domain.ts'
import { citextKey, keyColumn } from './physical-index.ts'
import {
  type PhysicalCheck,
  type PhysicalTable,
  type PhysicalTableColumn,
  physicalSchemaOf,
  qualifyPhysical,
  type StoredTable,
} from './physical-schema.ts'
import {
  type DraftColumns,
  declaredAfter,
  expressionOf,
  freshColumns,
  keepColumns,
  toIndexedTable,
} from './table-columns.ts'
import { unsupported } from './unsupported.ts'

/** A table half way: columns, key and checks are settled; foreign keys and indexes wait until every table has come so far. */
export interface TableDraft {
  readonly change: TableChange
  /** As the client declared it: its columns' types may be domains. */
  readonly declared: DeclaredTable
  /** The stored table that goes on, or undefined where Spanner gets a new one. */
  readonly kept: StoredTable | undefined
  /** What an existing table is replaced by this one; it must be empty. */
  readonly replaced: StoredTable | undefined
  readonly physicalName: string
  readonly columns: readonly PhysicalTableColumn[]
  /** Declared name to Spanner's. */
  readonly columnNames: Readonly<Record<string, string>>
  readonly primaryKey: readonly string[]
  readonly hiddenKey: string | undefined
  readonly checks: readonly PhysicalCheck[]
  readonly checkNames: Readonly<Record<string, string>>
  readonly backfills: ReadonlyMap<string, string>
  readonly fills: ReadonlyMap<string, SpannerParam>
}

/** Drafts a table that is new or was kept. Refuses (0A000) what Spanner cannot hold. */
export function draftTable(change: TableChange, context: MappingContext): TableDraft {
  const before =
    change.table.kind === 'kept' ? context.storedTable(change.table.before.oid) : undefined
  const plain = withoutDomains(change, context.domains)
  const columns = before === undefined ? undefined : keepColumns(plain, before, context)
  if (before !== undefined && columns !== undefined) {
    return { ...finish(change, context, { ...columns, kept: before }), replaced: undefined }
  }
  if (before !== undefined) demandReplaceable(before, context)
  const fresh = freshColumns(declaredAfter(plain), context)
  return { ...finish(change, context, { ...fresh, kept: undefined }), replaced: before }
}

function demandReplaceable(table: StoredTable, context: MappingContext): void {
  const [unseen] = table.physical.unseen ?? []
  if (unseen !== undefined) {
    throw unsupported(
      `table "${table.declared.name}" cannot be changed like this: it would lose ${unseen}`,
      'Change it with DDL of Spanner.',
    )
  }
  if (context.isEmpty(table.physical.name) !== false) return
  throw unsupported(
    `table "${table.declared.name}" cannot be changed like this while it has rows`,
    'Spanner cannot change a primary key or the type of a stored column: create a new table, copy the rows and rename it.',
  )
}

function finish(
  change: TableChange,
  context: MappingContext,
  made: DraftColumns & { readonly kept: StoredTable | undefined },
): Omit<TableDraft, 'replaced'> {
  const declared = declaredAfter(change)
  const { kept } = made
  const schema =
    kept === undefined
      ? context.physicalSchema(declared.schema)
      : physicalSchemaOf(kept.physical.name)
  const physicalName =
    kept?.physical.name ?? qualifyPhysical(schema, context.names(schema).allocate(declared.name))
  const checks = mapChecks(change, context, { ...made, physicalName })
  return {
    change,
    declared,
    ...made,
    physicalName,
    primaryKey: primaryKeyOf(declared, made, context.domains.after),
    ...checks,
  }
}

function primaryKeyOf(declared: DeclaredTable, made: DraftColumns, domains: DomainTypes): string[] {
  const key = declared.constraints.find((constraint) => constraint.type === 'primary-key')
  if (key === undefined) return made.hiddenKey === undefined ? [] : [made.hiddenKey]
  const table = toIndexedTable(declared, { ...made, primaryKey: [] }, domains)
  return key.columns.map((name) => {
    const column = keyColumn(key.name, table, name)
    if (column.lowerCaseOf !== undefined) throw citextKey(key.name, name)
    return column.name
  })
}

function mapChecks(
  change: TableChange,
  context: MappingContext,
  made: DraftColumns & { readonly kept: StoredTable | undefined; readonly physicalName: string },
): { checks: PhysicalCheck[]; checkNames: Record<string, string> } {
  const declared = declaredAfter(withoutDomains(change, context.domains))
  const names = context.names(physicalSchemaOf(made.physicalName))
  const allocate = (name: string) => names.allocateOwnConstraint(name)
  const old = new Map((made.kept?.physical.checks ?? []).map((check) => [check.name, check]))
  const checks: PhysicalCheck[] = []
  const checkNames: Record<string, string> = {}
  for (const part of change.constraints) {
    if (part.kind === 'dropped' || part.after.type !== 'check') continue
    const kept =
      part.kind === 'kept'
        ? old.get(made.kept?.names.constraints[part.before.name] ?? '')
        : undefined
    const check = kept ?? {
      name: names.allocateConstraint(part.after.name),
      expression: checkExpression(part, declared, made.columnNames),
    }
    checks.push(check)
    checkNames[part.after.name] = check.name
  }
  checks.push(...undeclared([...old.values()], made.kept).filter(({ name }) => !isOwnCheck(name)))
  checks.push(...rangeChecks(declared, made, old, allocate))
  checks.push(...domainChecks({ ...made, change, allocate }, context))
  return { checks, checkNames }
}

function checkExpression(
  part: Extract<Change<DeclaredConstraint>, { after: DeclaredConstraint }>,
  declared: DeclaredTable,
  columnNames: Readonly<Record<string, string>>,
): string {
  const sql = expressionOf(part.after.expression ?? '', declared, columnNames)
  if (sql !== undefined) return sql
  throw unsupported(
    `check constraint "${part.after.name}" of table "${declared.name}" is not supported`,
    'Use comparisons, arithmetic, IN lists and simple text functions.',
  )
}

function rangeChecks(
  declared: DeclaredTable,
  made: DraftColumns & { readonly physicalName: string },
  old: ReadonlyMap<string, PhysicalCheck>,
  allocate: (name: string) => string,
): PhysicalCheck[] {
  const table = made.physicalName.slice(made.physicalName.indexOf('.') + 1)
  return declared.columns.flatMap((column) => {
    const name = made.columnNames[column.name] ?? ''
    const range = rangeCheck(column, name)
    if (range === undefined) return []
    const same = [...old.values()].find(
      (check) => check.name.startsWith(`${range.prefix}_`) && check.expression === range.expression,
    )
    return [
      same ?? { name: allocate(`${range.prefix}_${table}_${name}`), expression: range.expression },
    ]
  })
}

/** Parts of a table that stays which somebody else made and no client sees. */
export function undeclared<T extends { readonly name: string }>(
  parts: readonly T[],
  kept: StoredTable | undefined,
): T[] {
  const { constraints, indexes } = kept?.names ?? { constraints: {}, indexes: {} }
  const names = new Set([...Object.values(constraints), ...Object.values(indexes)])
  return parts.filter(({ name }) => !names.has(name))
}

/** The physical table of a finished draft. */
export function toPhysicalTable(
  draft: TableDraft,
  parts: Pick<PhysicalTable, 'foreignKeys' | 'indexes'>,
): PhysicalTable {
  const { parent, searchIndexes, unseen } = draft.kept?.physical ?? {}
  return {
    name: draft.physicalName,
    columns: draft.columns,
    primaryKey: draft.primaryKey,
    ...(draft.hiddenKey === undefined ? {} : { hiddenKey: draft.hiddenKey }),
    checks: draft.checks,
    foreignKeys: parts.foreignKeys,
    indexes: parts.indexes,
    ...(parent === undefined ? {} : { parent }),
    ...(searchIndexes === undefined ? {} : { searchIndexes }),
    ...(unseen === undefined ? {} : { unseen }),
  }
}
