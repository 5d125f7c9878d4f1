import { quotePhysical } from './logical-schema.ts'
import type {
  PhysicalCheck,
  PhysicalForeignKey,
  PhysicalIndex,
  PhysicalSchema,
  PhysicalSequence,
  PhysicalTable,
  PhysicalTableColumn,
  PhysicalView,
} from './physical-schema.ts'
import { missingFrom, physicalSchemaOf, qualifyPhysical } from './physical-schema.ts'
import { childrenFirst, orderByReference } from './table-order.ts'

/*
 * From one physical schema to the next, in the order in which a failure does least harm: first everything new, then changes
 * of tables that stay (which may fail on their data), then everything that goes. A statement that can be taken back carries
 * its undo; drops carry none, and nothing that can fail on data comes after them.
 */

/** One statement of a batch. */
export interface SpannerDdl {
  readonly sql: string
  /** What takes it back, where something does. */
  readonly undo?: string
  /** The physical table that it is about, for errors that name none. */
  readonly table?: string
}

/** Statements in order. Names that both schemas have are the same thing in both. */
export function emitSpannerDdl(
  before: PhysicalSchema,
  after: PhysicalSchema,
  backfills: ReadonlyMap<string, ReadonlyMap<string, string>>,
): readonly SpannerDdl[] {
  const old = new Map(before.tables.map((table) => [table.name, table]))
  const created = orderByReference(after.tables.filter((table) => !old.has(table.name)))
  const kept = after.tables.flatMap((table) => {
    const previous = old.get(table.name)
    if (previous === undefined) return []
    const left = withoutInterrupted(previous, findInterrupted(previous, table))
    return [{ previous, left, table, fills: backfills.get(table.name) }]
  })
  const gone = childrenFirst(missingFrom(before.tables, after.tables))
  const late = lateKeys(created, old)
  return [
    ...after.schemas.filter((name) => !before.schemas.includes(name)).map(createSchema),
    ...missingFrom(after.sequences, before.sequences).map(createSequence),
    ...created.flatMap((table) => createTable(table, late.get(table.name) ?? [])),
    ...created.flatMap((table) =>
      (late.get(table.name) ?? []).map((key) => addForeignKey(table.name, key)),
    ),
    ...kept.flatMap(({ previous, table, fills }) => alterTable(previous, table, fills)),
    ...missingFrom(before.views, after.views).map(dropView),
    ...kept.flatMap(({ left, table }) => dropConstraints(left, table)),
    ...gone.flatMap((table) =>
      table.foreignKeys.map((key) => dropConstraint(table.name, key.name)),
    ),
    ...kept.flatMap(({ left, table }) => dropParts(left, table)),
    ...gone.flatMap((table) => [
      ...(table.searchIndexes ?? []).map((index) => dropSearchIndex(table, index)),
      ...table.indexes.map((index) => dropIndex(table, index)),
      dropTable(table),
    ]),
    ...missingFrom(before.sequences, after.sequences).map(dropSequence),
    ...before.schemas.filter((name) => !after.schemas.includes(name)).map(dropSchema),
  ]
}

/** Foreign keys of new tables that must wait until all of them are there: those of a cycle. */
function lateKeys(
  created: readonly PhysicalTable[],
  old: ReadonlyMap<string, PhysicalTable>,
): Map<string, PhysicalForeignKey[]> {
  const known = new Set(old.keys())
  const late = new Map<string, PhysicalForeignKey[]>()
  for (const table of created) {
    known.add(table.name)
    late.set(
      table.name,
      table.foreignKeys.filter((key) => !isReady(key, known, old)),
    )
  }
  return late
}

/** A kept table may still lack the columns that a new key references: they are added after the new tables. */
function isReady(
  key: PhysicalForeignKey,
  known: ReadonlySet<string>,
  old: ReadonlyMap<string, PhysicalTable>,
): boolean {
  const target = old.get(key.referencedTable)
  if (target === undefined) return known.has(key.referencedTable)
  return key.referencedColumns.every((name) => target.columns.some((c) => c.name === name))
}

function createSchema(name: string): SpannerDdl {
  return { sql: `CREATE SCHEMA ${quotePhysical(name)}`, undo: dropSchema(name).sql }
}

function createSequence(sequence: PhysicalSequence): SpannerDdl {
  const start = sequence.startCounter
  const counter = start === undefined ? '' : ` START COUNTER WITH ${start}`
  return {
    sql: `CREATE SEQUENCE ${quotePhysical(sequence.name)} BIT_REVERSED_POSITIVE${counter}`,
    undo: dropSequence(sequence).sql,
  }
}

function createTable(table: PhysicalTable, late: readonly PhysicalForeignKey[]): SpannerDdl[] {
  const lines = [
    ...table.columns.map((column) => columnDefinition(column)),
    ...table.checks.map(checkDefinition),
    ...table.foreignKeys.filter((key) => !late.includes(key)).map(foreignKeyDefinition),
    `PRIMARY KEY (${quoteList(table.primaryKey)})`,
  ]
  return [
    {
      sql: `CREATE TABLE ${quotePhysical(table.name)} (\n  ${lines.join(',\n  ')}\n)`,
      undo: dropTable(table).sql,
      table: table.name,
    },
    ...table.indexes.map((index) => createIndex(table, index)),
  ]
}

function columnDefinition(column: PhysicalTableColumn, fill?: string): string {
  const value = fill ?? column.default
  return [
    quotePhysical(column.name),
    column.sqlType,
    value === undefined ? '' : `DEFAULT (${value})`,
    column.generated === undefined ? '' : `GENERATED ALWAYS AS (${column.generated}) STORED`,
    column.notNull ? 'NOT NULL' : '',
  ]
    .filter((part) => part !== '')
    .join(' ')
}

function checkDefinition(check: PhysicalCheck): string {
  return `CONSTRAINT ${quotePhysical(check.name)} CHECK (${check.expression})`
}

function foreignKeyDefinition(key: PhysicalForeignKey): string {
  const action = key.onDelete === 'cascade' ? ' ON DELETE CASCADE' : ''
  return `CONSTRAINT ${quotePhysical(key.name)} FOREIGN KEY (${quoteList(key.columns)}) REFERENCES ${quotePhysical(key.referencedTable)} (${quoteList(key.referencedColumns)})${action}`
}

function quoteList(names: readonly string[]): string {
  return names.map((name) => quotePhysical(name)).join(', ')
}

function createIndex(table: PhysicalTable, index: PhysicalIndex): SpannerDdl {
  const columns = index.columns.map(({ name, descending, nullsFirst }) => {
    const order = descending ? ' DESC' : ''
    // PostgreSQL's and Spanner's own order puts NULLs last, or first where descending.
    const nulls = nullsFirst === descending ? '' : nullsFirst ? ' NULLS FIRST' : ' NULLS LAST'
    return `${quotePhysical(name)}${order}${nulls}`
  })
  const include = index.include.length === 0 ? '' : ` INCLUDE (${quoteList(index.include)})`
  const where = index.notNull.map((name) => `${quotePhysical(name)} IS NOT NULL`).join(' AND ')
  return {
    sql: `CREATE ${index.unique ? 'UNIQUE ' : ''}INDEX ${quotePhysical(index.name)} ON ${quotePhysical(table.name)} (${columns.join(', ')})${include}${where === '' ? '' : ` WHERE ${where}`}`,
    undo: dropIndex(table, index).sql,
    table: table.name,
  }
}

function alterTable(
  before: PhysicalTable,
  after: PhysicalTable,
  backfills: ReadonlyMap<string, string> | undefined,
): SpannerDdl[] {
  const { name } = after
  const old = new Map(before.columns.map((column) => [column.name, column]))
  const columns = after.columns.flatMap((column) => {
    const previous = old.get(column.name)
    return previous === undefined
      ? addColumn(name, column, backfills?.get(column.name))
      : alterColumn(name, previous, column)
  })
  const interrupted = findInterrupted(before, after)
  const left = withoutInterrupted(before, interrupted)
  return [
    ...interrupted.foreignKeys.map((key) => ({
      ...dropConstraint(name, key.name),
      undo: addForeignKey(name, key).sql,
    })),
    ...interrupted.indexes.map((index) => ({
      ...dropIndex(before, index),
      undo: createIndex(before, index).sql,
    })),
    ...columns,
    ...missingFrom(after.checks, before.checks).map((check) => addCheck(name, check)),
    ...missingFrom(after.foreignKeys, left.foreignKeys).map((key) => addForeignKey(name, key)),
    ...missingFrom(after.indexes, left.indexes).map((index) => createIndex(after, index)),
  ]
}

function withoutInterrupted(before: PhysicalTable, interrupted: Interrupted): PhysicalTable {
  return {
    ...before,
    foreignKeys: missingFrom(before.foreignKeys, interrupted.foreignKeys),
    indexes: missingFrom(before.indexes, interrupted.indexes),
  }
}

/** A NOT NULL column needs a value for the rows that are there; without one it is added first and demanded then. */
function addColumn(
  table: string,
  column: PhysicalTableColumn,
  fill: string | undefined,
): SpannerDdl[] {
  const isFilled =
    fill !== undefined || column.default !== undefined || column.generated !== undefined
  const added = column.notNull && !isFilled ? { ...column, notNull: false } : column
  const name = quotePhysical(column.name)
  const statements: SpannerDdl[] = [
    {
      sql: `ALTER TABLE ${quotePhysical(table)} ADD COLUMN ${columnDefinition(added, fill)}`,
      undo: dropColumn(table, column).sql,
      table,
    },
  ]
  if (fill !== undefined) {
    statements.push({
      sql: `ALTER TABLE ${quotePhysical(table)} ALTER COLUMN ${name} DROP DEFAULT`,
      table,
    })
  }
  if (added.notNull !== column.notNull) statements.push({ sql: setType(table, column), table })
  return statements
}

/** Type and nullability, always as a pair (Spanner manual, "PostgreSQL data definition language"). */
function setType(table: string, column: PhysicalTableColumn): string {
  const name = quotePhysical(column.name)
  return `ALTER TABLE ${quotePhysical(table)} ALTER COLUMN ${name} TYPE ${column.sqlType}, ALTER COLUMN ${name} ${column.notNull ? 'SET' : 'DROP'} NOT NULL`
}

function alterColumn(
  table: string,
  before: PhysicalTableColumn,
  after: PhysicalTableColumn,
): SpannerDdl[] {
  const statements: SpannerDdl[] = []
  if (before.default !== after.default) {
    statements.push({ sql: setDefault(table, after), undo: setDefault(table, before), table })
  }
  if (before.notNull !== after.notNull || before.sqlType !== after.sqlType) {
    statements.push({ sql: setType(table, after), undo: setType(table, before), table })
  }
  return statements
}

/** The nullability of a column cannot change under its indexes and foreign keys: they go first. */
function findInterrupted(before: PhysicalTable, after: PhysicalTable): Interrupted {
  const old = new Map(before.columns.map((column) => [column.name, column]))
  const changed = new Set(
    after.columns.flatMap((column) => {
      const previous = old.get(column.name)
      return previous !== undefined && previous.notNull !== column.notNull ? [column.name] : []
    }),
  )
  return {
    foreignKeys: before.foreignKeys.filter((key) => key.columns.some((name) => changed.has(name))),
    indexes: before.indexes.filter((index) => index.columns.some(({ name }) => changed.has(name))),
  }
}

type Interrupted = Pick<PhysicalTable, 'foreignKeys' | 'indexes'>

function setDefault(table: string, column: PhysicalTableColumn): string {
  const action = column.default === undefined ? 'DROP DEFAULT' : `SET DEFAULT (${column.default})`
  return `ALTER TABLE ${quotePhysical(table)} ALTER COLUMN ${quotePhysical(column.name)} ${action}`
}

function addCheck(table: string, check: PhysicalCheck): SpannerDdl {
  return {
    sql: `ALTER TABLE ${quotePhysical(table)} ADD ${checkDefinition(check)}`,
    undo: dropConstraint(table, check.name).sql,
    table,
  }
}

function addForeignKey(table: string, key: PhysicalForeignKey): SpannerDdl {
  return {
    sql: `ALTER TABLE ${quotePhysical(table)} ADD ${foreignKeyDefinition(key)}`,
    undo: dropConstraint(table, key.name).sql,
    table,
  }
}

function dropConstraints(before: PhysicalTable, after: PhysicalTable): SpannerDdl[] {
  return [
    ...missingFrom(before.foreignKeys, after.foreignKeys),
    ...missingFrom(before.checks, after.checks),
  ].map((constraint) => dropConstraint(before.name, constraint.name))
}

function dropParts(before: PhysicalTable, after: PhysicalTable): SpannerDdl[] {
  return [
    ...missingFrom(before.indexes, after.indexes).map((index) => dropIndex(before, index)),
    ...computedFirst(missingFrom(before.columns, after.columns)).map((column) =>
      dropColumn(before.name, column),
    ),
  ]
}

/** Generated columns go before those that they are computed from. */
function computedFirst(columns: readonly PhysicalTableColumn[]): PhysicalTableColumn[] {
  const isComputed = ({ generated }: PhysicalTableColumn) => generated !== undefined
  return [...columns.filter(isComputed), ...columns.filter((column) => !isComputed(column))]
}

function dropConstraint(table: string, name: string): SpannerDdl {
  return {
    sql: `ALTER TABLE ${quotePhysical(table)} DROP CONSTRAINT ${quotePhysical(name)}`,
    table,
  }
}

function dropColumn(table: string, column: PhysicalTableColumn): SpannerDdl {
  return {
    sql: `ALTER TABLE ${quotePhysical(table)} DROP COLUMN ${quotePhysical(column.name)}`,
    table,
  }
}

function dropIndex(table: PhysicalTable, index: PhysicalIndex): SpannerDdl {
  const name = qualifyPhysical(physicalSchemaOf(table.name), index.name)
  return { sql: `DROP INDEX ${quotePhysical(name)}`, table: table.name }
}

function dropSearchIndex(table: PhysicalTable, index: string): SpannerDdl {
  const name = qualifyPhysical(physicalSchemaOf(table.name), index)
  return { sql: `DROP SEARCH INDEX ${quotePhysical(name)}`, table: table.name }
}

function dropView(view: PhysicalView): SpannerDdl {
  return { sql: `DROP VIEW ${quotePhysical(view.name)}` }
}

function dropTable(table: PhysicalTable): SpannerDdl {
  return { sql: `DROP TABLE ${quotePhysical(table.name)}`, table: table.name }
}

function dropSequence(sequence: PhysicalSequence): SpannerDdl {
  return { sql: `DROP SEQUENCE ${quotePhysical(sequence.name)}` }
}

function dropSchema(name: string): SpannerDdl {
  return { sql: `DROP SCHEMA ${quotePhysical(name)}` }
}
