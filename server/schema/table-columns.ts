import type { SpannerParam } from '../backend/backend.ts'
import { lowerCase } from '../sql/letter-case.ts'
import { DEFAULT_FORMAT_SETTINGS } from '../types/format-settings.ts'
import { findTextInput } from '../types/text-input.ts'
import { findTypeForm } from '../types/type-forms.ts'
import { CITEXT } from '../types/user-type.ts'
import type { DeclaredColumn, DeclaredTable } from './declared-object.ts'
import type { Change, TableChange } from './difference.ts'
import type { DomainTypes } from './domain-types.ts'
import { quotePhysical } from './logical-schema.ts'
import type { MappingContext } from './mapping-context.ts'
import {
  isSameStoredMeaning,
  toBackfill,
  toExpressionColumn,
  toPhysicalColumn,
} from './physical-column.ts'
import { toSpannerExpression } from './physical-expression.ts'
import { assignGenerated } from './physical-generated.ts'
import type { IndexedColumn, IndexedTable } from './physical-index.ts'
import { PhysicalNames } from './physical-name.ts'
import type { PhysicalTableColumn, StoredTable } from './physical-schema.ts'
import { type AddedValue, addedKey } from './transaction-tables.ts'
import { unsupported } from './unsupported.ts'

/** Spanner's name of the key column of a table without a primary key. */
const HIDDEN_KEY = 'spanwire_key'

/** The columns of a table half way. */
export interface DraftColumns {
  readonly columns: readonly PhysicalTableColumn[]
  readonly columnNames: Readonly<Record<string, string>>
  readonly hiddenKey: string | undefined
  /** Defaults that fill rows that are there, by Spanner's name of the column, and values that an UPDATE fills them with. */
  readonly backfills: ReadonlyMap<string, string>
  readonly fills: ReadonlyMap<string, SpannerParam>
}

/** What is declared in the end. */
export function declaredAfter(change: TableChange): DeclaredTable {
  const { table } = change
  return table.kind === 'dropped' ? table.before.declared : table.after.declared
}

/** The columns of a table that Spanner does not have yet. */
export function freshColumns(declared: DeclaredTable, context: MappingContext): DraftColumns {
  const names = new PhysicalNames()
  const columnNames: Record<string, string> = {}
  const columns = declared.columns.map((column) => {
    const name = names.allocate(column.name)
    columnNames[column.name] = name
    return withDefault(column, toPhysicalColumn(column, name, context.storageOf), context, declared)
  })
  const hasKey = declared.constraints.some((constraint) => constraint.type === 'primary-key')
  const hiddenKey = hasKey ? undefined : names.allocateOwn(HIDDEN_KEY)
  if (hiddenKey !== undefined) columns.push(hiddenColumn(hiddenKey))
  return {
    columns: withLowerCase(withGenerated(columns, declared, columnNames), declared, {
      columnNames,
      allocate: (name) => names.allocateOwn(name),
    }),
    columnNames,
    hiddenKey,
    backfills: new Map(),
    fills: new Map(),
  }
}

function hiddenColumn(name: string): PhysicalTableColumn {
  return {
    name,
    type: { code: 'STRING' },
    sqlType: 'character varying(36)',
    notNull: true,
    default: 'spanner.generate_uuid()',
  }
}

/** The columns of the table as it stands and is altered; undefined where Spanner cannot alter it so. */
export function keepColumns(
  change: TableChange,
  before: StoredTable,
  context: MappingContext,
): DraftColumns | undefined {
  const declared = declaredAfter(change)
  if (!keepsKey(change, before)) return undefined
  const names = new PhysicalNames(before.physical.columns.map((column) => column.name))
  const old = new Map(before.physical.columns.map((column) => [column.name, column]))
  const stored = ({ name }: DeclaredColumn) => old.get(before.names.columns[name] ?? '')
  const columnNames: Record<string, string> = {}
  const backfills = new Map<string, string>()
  const fills = new Map<string, SpannerParam>()
  const columns = new Map<string, PhysicalTableColumn>()
  for (const part of change.columns) {
    if (part.kind === 'dropped') continue
    const previous = part.kind === 'kept' ? stored(part.before) : undefined
    const name = previous?.name ?? names.allocate(part.after.name)
    columnNames[part.after.name] = name
    const next = toNextColumn(part, { previous, name, context })
    if (previous !== undefined && !canAlter(previous, next, before)) return undefined
    if (part.kind === 'kept' && !keepsValues(part)) return undefined
    const column = withDefault(part.after, next, context, declared)
    columns.set(part.after.name, column)
    if (previous === undefined) {
      const added = addedTo(change, part.after, context)
      addBackfill(part.after, column, { backfills, fills, before, context, added })
    }
  }
  const { hiddenKey } = before.physical
  const hidden = before.physical.columns.filter(({ name }) => name === hiddenKey)
  const inOrder = declared.columns.flatMap((column) => columns.get(column.name) ?? [])
  const all = [...inOrder, ...hidden]
  return {
    columns: withLowerCase(withGenerated(all, declared, columnNames, old), declared, {
      columnNames,
      allocate: (name) => names.allocateOwn(name),
      old: before.physical.columns,
    }),
    columnNames,
    hiddenKey,
    backfills,
    fills,
  }
}

/** Whether what is stored in the column means what it is to mean. */
function keepsValues({
  before,
  after,
}: Extract<Change<DeclaredColumn>, { kind: 'kept' }>): boolean {
  return isSameStoredMeaning(before, after) && !isAssignedOtherwise(before, after)
}

/** A column whose type and default did not change keeps what is stored, also where that is not what we would choose today. */
function toNextColumn(
  part: Exclude<Change<DeclaredColumn>, { kind: 'dropped' }>,
  options: {
    readonly previous: PhysicalTableColumn | undefined
    readonly name: string
    readonly context: MappingContext
  },
): PhysicalTableColumn {
  const { previous, name, context } = options
  const isRetyped =
    part.kind === 'created' ||
    part.before.typeOid !== part.after.typeOid ||
    part.before.typmod !== part.after.typmod
  if (previous === undefined || isRetyped)
    return toPhysicalColumn(part.after, name, context.storageOf)
  const { default: value, ...kept } = previous
  const isKept =
    part.before.default === part.after.default && part.before.identity === part.after.identity
  return {
    ...kept,
    ...(isKept && value !== undefined ? { default: value } : {}),
    notNull: part.after.notNull,
  }
}

/** Spanner's primary key never changes: the declared one must still be it. */
function keepsKey(change: TableChange, before: StoredTable): boolean {
  const key = declaredAfter(change).constraints.find((c) => c.type === 'primary-key')
  if (key === undefined) return before.physical.hiddenKey !== undefined
  const physical = key.columns.map((name) => {
    const column = change.columns.find((part) => part.kind === 'kept' && part.after.name === name)
    return column?.kind === 'kept' ? before.names.columns[column.before.name] : undefined
  })
  return JSON.stringify(physical) === JSON.stringify(before.physical.primaryKey)
}

/** Whether another type of a generated column gives it other values. */
function isAssignedOtherwise(before: DeclaredColumn, after: DeclaredColumn): boolean {
  if (before.typeOid === after.typeOid && before.typmod === after.typmod) return false
  return (
    after.generated !== undefined && assignGenerated('x', before) !== assignGenerated('x', after)
  )
}

/** What ALTER COLUMN .. TYPE takes: the length of a text, outside the key (Spanner manual, "Make schema updates"). */
function canAlter(
  before: PhysicalTableColumn,
  after: PhysicalTableColumn,
  table: StoredTable,
): boolean {
  const isKey = table.physical.primaryKey.includes(before.name)
  if (isKey) return before.sqlType === after.sqlType && before.notNull === after.notNull
  if (before.generated !== undefined) return before.sqlType === after.sqlType
  return baseType(before.sqlType) === baseType(after.sqlType)
}

function baseType(sqlType: string): string {
  return sqlType.replace(/\(\d+\)/, '')
}

function withDefault(
  column: DeclaredColumn,
  physical: PhysicalTableColumn,
  context: MappingContext,
  table: DeclaredTable,
): PhysicalTableColumn {
  const sql = context.sequenceDefault(column, table)
  return sql === undefined ? physical : { ...physical, default: sql }
}

/** Generated columns: Spanner stores them too; their expression never changes. */
function withGenerated(
  columns: readonly PhysicalTableColumn[],
  declared: DeclaredTable,
  columnNames: Readonly<Record<string, string>>,
  old?: ReadonlyMap<string, PhysicalTableColumn>,
): PhysicalTableColumn[] {
  return columns.map((physical) => {
    const column = declared.columns.find((c) => columnNames[c.name] === physical.name)
    if (column?.generated === undefined) return physical
    const kept = old?.get(physical.name)?.generated
    return {
      ...physical,
      generated: kept ?? generationOf(column, column.generated, { declared, columnNames }),
    }
  })
}

/** Spanner's expression of a generated column; 0A000 where it has none. */
function generationOf(
  column: DeclaredColumn,
  text: string,
  { declared, columnNames }: Pick<DraftColumns, 'columnNames'> & { declared: DeclaredTable },
): string {
  const sql = expressionOf(text, declared, columnNames)
  const assigned = sql === undefined ? undefined : assignGenerated(sql, column)
  if (assigned !== undefined) return assigned
  throw sql === undefined
    ? unsupported(
        `generation expression of column "${column.name}" is not supported`,
        'Use comparisons, arithmetic and simple text functions, or compute the value in the application.',
      )
    : unsupported(
        `generation expression of column "${column.name}" cannot be cast to ${column.type}`,
        'Declare the column with the type of the expression.',
      )
}

/*
 * Declared:  email citext
 * Spanner:   "email" character varying, "spw_lower_email" character varying GENERATED ALWAYS AS (lower(..)) STORED
 */
function withLowerCase(
  columns: readonly PhysicalTableColumn[],
  declared: DeclaredTable,
  made: {
    readonly columnNames: Readonly<Record<string, string>>
    readonly allocate: (name: string) => string
    readonly old?: readonly PhysicalTableColumn[]
  },
): PhysicalTableColumn[] {
  const lowered = declared.columns.flatMap((column): PhysicalTableColumn[] => {
    const name = made.columnNames[column.name]
    if (column.typeOid !== CITEXT || name === undefined) return []
    const old = made.old?.find(({ lowerCaseOf }) => lowerCaseOf === name)
    return [
      old ?? {
        name: made.allocate(`spw_lower_${name}`),
        type: { code: 'STRING' },
        sqlType: 'character varying',
        notNull: false,
        generated: lowerCase(quotePhysical(name)),
        lowerCaseOf: name,
      },
    ]
  })
  return [...columns, ...lowered]
}

function addedTo(
  { table }: TableChange,
  { name }: DeclaredColumn,
  { added }: MappingContext,
): AddedValue | undefined {
  if (table.kind === 'dropped') return undefined
  const { oid, declared, attributes } = table.after
  const place = declared.columns.findIndex((column) => column.name === name)
  return added.get(addedKey(oid, attributes[place] ?? 0))
}

interface Backfilled {
  readonly backfills: Map<string, string>
  readonly fills: Map<string, SpannerParam>
  readonly before: StoredTable
  readonly context: MappingContext
  readonly added: AddedValue | undefined
}

function addBackfill(
  column: DeclaredColumn,
  physical: PhysicalTableColumn,
  options: Backfilled,
): void {
  const { before, context, added } = options
  if (physical.default !== undefined) return
  const texts = initialTexts(column, options)
  if (texts.length === 0) return
  const found = texts.map((text) => toBackfill({ ...column, default: text }, physical))
  const sql = found.find((each) => each !== undefined)
  // A default fills rows that are committed. Those of the transaction itself are done again behind it.
  const isWritten = context.written.has(before.physical.name)
  const needsFill =
    isWritten || (sql === undefined && context.isEmpty(before.physical.name) === false)
  const fill = needsFill ? toFill(column, physical, added) : undefined
  if (fill !== undefined) options.fills.set(physical.name, fill)
  else if (sql !== undefined) options.backfills.set(physical.name, sql)
  else if (needsFill) {
    throw unsupported(
      `column "${column.name}" cannot be added with this default: table "${before.declared.name}" has rows`,
      'Add the column without a default, fill it with UPDATE, then set the default.',
    )
  }
}

/** The value with which an UPDATE fills a new column, where Spanner has no default that does. */
function toFill(
  { typeOid }: DeclaredColumn,
  { type }: PhysicalTableColumn,
  added: AddedValue | undefined,
): SpannerParam | undefined {
  if (added?.kind !== 'constant' || added.text === null) return undefined
  const value = findTextInput(typeOid)?.(added.text, DEFAULT_FORMAT_SETTINGS)
  return value && { type, value }
}

/**
 * What PostgreSQL has filled a new column with, in one way or another; nothing where that is NULL. The default may be another one by now, or gone.
 */
function initialTexts(column: DeclaredColumn, { context, added }: Backfilled): readonly string[] {
  const builtin = (text: string | null | undefined): readonly string[] =>
    typeof text !== 'string' || isNullConstant(text)
      ? []
      : [context.builtinDefaults.get(text) ?? text]
  if (added === undefined) return builtin(column.default)
  if (added.kind === 'drawn') return builtin(added.initial)
  if (added.text === null) return []
  const literal = `'${added.text.replaceAll("'", "''")}'::${column.type.replace(/\(.*?\)/, '')}`
  return added.isMoment || added.type !== column.type
    ? [literal]
    : [...builtin(added.initial), literal]
}

function isNullConstant(text: string): boolean {
  return /^NULL(?:::[\w "]+(?:\(\d+\))?(?:\[\])?)?$/.test(text)
}

/** What Spanner has of a table's columns. */
interface MadeColumns extends Pick<DraftColumns, 'columns' | 'columnNames'> {
  readonly primaryKey: readonly string[]
}

/** A table as keys and indexes see it. */
export function toIndexedTable(
  declared: DeclaredTable,
  made: MadeColumns,
  domains: DomainTypes,
): IndexedTable {
  const stored = new Map(made.columns.map((column) => [column.name, column]))
  const lowered = new Map(made.columns.map((column) => [column.lowerCaseOf, column]))
  const columns = new Map<string, IndexedColumn>()
  const keys = new Map<string, IndexedColumn>()
  for (const { name, typeOid } of declared.columns.map((each) => domains.withoutDomain(each))) {
    const column = stored.get(made.columnNames[name] ?? '')
    if (column === undefined) continue
    const keepsEquality = findTypeForm(typeOid)?.keeps !== 'nothing'
    columns.set(name, { ...column, keepsEquality })
    keys.set(name, { ...(lowered.get(column.name) ?? column), keepsEquality })
  }
  return { declaredName: declared.name, columns, keys, primaryKey: made.primaryKey }
}

/** Spanner's form of an expression over a table's columns, where it has one. */
export function expressionOf(
  text: string,
  declared: DeclaredTable,
  columnNames: Readonly<Record<string, string>>,
): string | undefined {
  const columns = new Map(
    declared.columns.map((column) => [
      column.name,
      toExpressionColumn(column, columnNames[column.name] ?? ''),
    ]),
  )
  return toSpannerExpression(text, { columns, isVolatileAllowed: false })
}
