import { unreachable } from '../base/unreachable.ts'
import type { DeclaredTable } from './declared-object.ts'
import { toDeclaredColumn } from './introspect.ts'
import type {
  PhysicalSchema,
  PhysicalTable,
  PhysicalTableColumn,
  StoredObject,
  StoredTable,
} from './physical-schema.ts'

/*
 * Somebody else may run DDL on the same database. Spanner is right: what is gone there is gone, what is new there is there,
 * what was stored says how the rest was declared.
 */

/** The stored rows as far as Spanner still has what they say, and after them `foreign`'s rows that no stored row stands for. */
export function reconcile(
  stored: readonly StoredObject[],
  actual: PhysicalSchema,
  foreign: readonly StoredObject[],
): readonly StoredObject[] {
  const tables = new Map(actual.tables.map((table) => [table.name, table]))
  const sequences = new Set(actual.sequences.map((sequence) => sequence.name))
  const kept = stored.flatMap((row): StoredObject[] => {
    switch (row.kind) {
      case 'table': {
        const table = tables.get(row.physical.name)
        return table === undefined ? [] : [reconcileTable(row, table)]
      }
      case 'sequence':
        return sequences.has(row.physical.name) ? [row] : []
      case 'schema':
        return row.physical === '' || actual.schemas.includes(row.physical) ? [row] : []
      case 'enum':
      case 'view':
        return [row]
      default:
        return unreachable(row)
    }
  })
  const known = new Set(kept.flatMap(physicalKey))
  const added = foreign.filter((row) => physicalKey(row).every((key) => !known.has(key)))
  return [...kept, ...added]
}

function physicalKey(row: StoredObject): string[] {
  switch (row.kind) {
    case 'schema':
      return [`schema ${row.physical}`]
    case 'enum':
    case 'view':
      return []
    default:
      return [`${row.kind} ${row.physical.name}`]
  }
}

function reconcileTable(row: StoredTable, actual: PhysicalTable): StoredTable {
  const real = new Map(actual.columns.map((column) => [column.name, column]))
  const isSame =
    actual.columns.length === row.physical.columns.length &&
    row.physical.columns.every((column) => isSameColumn(column, real.get(column.name)))
  if (isSame) return row
  const logical = new Map(
    Object.entries(row.names.columns).map(([name, physical]) => [physical, name]),
  )
  const stored = new Map(row.physical.columns.map((column) => [column.name, column]))
  const declaredOf = new Map(row.declared.columns.map((column) => [column.name, column]))
  const columns = actual.columns.filter((column) => column.name !== row.physical.hiddenKey)
  const declared = columns.map((column) => {
    const name = logical.get(column.name)
    const old = name === undefined ? undefined : declaredOf.get(name)
    const isKept = old !== undefined && isSameColumn(stored.get(column.name), column)
    return isKept
      ? old
      : { ...toDeclaredColumn(column, actual, new Set()), name: name ?? column.name }
  })
  const names = Object.fromEntries(
    columns.map((column) => [logical.get(column.name) ?? column.name, column.name]),
  )
  return {
    ...row,
    declared: withoutColumns(row.declared, new Set(Object.keys(names)), declared),
    physical: {
      ...row.physical,
      columns: actual.columns.map((column) => stored.get(column.name) ?? column),
    },
    names: { ...row.names, columns: names },
  }
}

function isSameColumn(
  stored: PhysicalTableColumn | undefined,
  real: PhysicalTableColumn | undefined,
): boolean {
  return stored?.sqlType === real?.sqlType && stored?.notNull === real?.notNull
}

/** Constraints and indexes go with the columns that they need. */
function withoutColumns(
  table: DeclaredTable,
  left: ReadonlySet<string>,
  columns: DeclaredTable['columns'],
): DeclaredTable {
  const hasAll = (names: readonly (string | undefined)[]): boolean =>
    names.every((name) => name === undefined || left.has(name))
  return {
    ...table,
    columns,
    constraints: table.constraints.filter((constraint) => hasAll(constraint.columns)),
    indexes: table.indexes.filter((index) =>
      hasAll([...index.columns.map(({ column }) => column), ...(index.include ?? [])]),
    ),
  }
}
