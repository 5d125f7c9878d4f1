import {
  missingFrom,
  type PhysicalSchema,
  type PhysicalTable,
  type PhysicalTableColumn,
} from './physical-schema.ts'

/*
 * A transaction that declares and writes rows is two things to Spanner: a change of the schema, which knows no transaction, and the rows. Between
 * the schema before and the one after lies one in which both kinds of statements run, those from before the change and those from
 * behind it: it has what either has, and demands of the rows that were written no more than both do.
 */

/**
 * What Spanner is to hold while rows are under way. `written`: the tables whose rows were changed in the transaction by now. What is demanded of
 * others is demanded at once; nothing is gone yet that `after` does not have, but constraints.
 */
export function expandedSchema(
  before: PhysicalSchema,
  after: PhysicalSchema,
  written: ReadonlySet<string>,
): PhysicalSchema {
  const old = new Map(before.tables.map((table) => [table.name, table]))
  const left = new Set(after.tables.map(({ name }) => name))
  const gone = before.tables.filter(({ name }) => !left.has(name))
  return {
    schemas: [...new Set([...before.schemas, ...after.schemas])],
    sequences: [...after.sequences, ...missingFrom(before.sequences, after.sequences)],
    tables: [
      ...after.tables.map((table) => {
        const previous = old.get(table.name)
        if (previous === undefined) return table
        return written.has(table.name) ? lenient(previous, table) : beside(previous, table)
      }),
      // Its rows must not keep those of others from being changed.
      ...gone.map((table) => ({ ...table, foreignKeys: [] })),
    ],
    views: [...after.views, ...missingFrom(before.views, after.views)],
  }
}

/** The table after, with what it has lost: columns, and indexes that are no constraints. */
function beside(before: PhysicalTable, after: PhysicalTable): PhysicalTable {
  const indexes = missingFrom(before.indexes, after.indexes).filter(({ unique }) => !unique)
  return {
    ...after,
    columns: [...after.columns, ...missingFrom(before.columns, after.columns).map(unfilled)],
    indexes: [...after.indexes, ...indexes],
  }
}

/** The same, but what only one of both demands waits. */
function lenient(before: PhysicalTable, after: PhysicalTable): PhysicalTable {
  const old = new Map(before.columns.map((column) => [column.name, column]))
  const both = beside(before, after)
  const isOld = (items: readonly { readonly name: string }[]) => {
    const names = new Set(items.map(({ name }) => name))
    return ({ name }: { readonly name: string }) => names.has(name)
  }
  return {
    ...both,
    columns: both.columns.map((column) => {
      const previous = old.get(column.name)
      return previous === undefined ? unfilled(column) : lenientColumn(previous, column)
    }),
    checks: after.checks.filter(isOld(before.checks)),
    foreignKeys: after.foreignKeys.filter(isOld(before.foreignKeys)),
    indexes: both.indexes.filter((index) => !index.unique || isOld(before.indexes)(index)),
  }
}

/** A column that statements leave out which do not know it. */
function unfilled(column: PhysicalTableColumn): PhysicalTableColumn {
  const isFilled = column.default !== undefined || column.generated !== undefined
  return isFilled ? column : { ...column, notNull: false }
}

/** What was written before the change was written under the old default. */
function lenientColumn(
  before: PhysicalTableColumn,
  after: PhysicalTableColumn,
): PhysicalTableColumn {
  const { default: _new, ...rest } = after
  return {
    ...rest,
    ...(before.default === undefined ? {} : { default: before.default }),
    notNull: before.notNull && after.notNull,
    sqlType: widerType(before.sqlType, after.sqlType),
  }
}

/** Types of one column differ in the length of their texts alone. */
function widerType(a: string, b: string): string {
  return maxLength(a) >= maxLength(b) ? a : b
}

/** In characters, of `character varying(30)`. */
export function maxLength(sqlType: string): number {
  const [, length] = /\((\d+)\)$/.exec(sqlType) ?? []
  return length === undefined ? Number.POSITIVE_INFINITY : Number(length)
}

/** The tables of which the default of a column that was there waits for the rows: nothing more can be written to them before. */
export function tablesWithWaitingDefaults(
  expanded: PhysicalSchema,
  after: PhysicalSchema,
): readonly string[] {
  const held = new Map(expanded.tables.map((table) => [table.name, table]))
  return after.tables.flatMap((table) => {
    const columns = new Map(held.get(table.name)?.columns.map((column) => [column.name, column]))
    const waits = table.columns.some(
      (column) => columns.get(column.name)?.default !== column.default,
    )
    return waits ? [table.name] : []
  })
}
