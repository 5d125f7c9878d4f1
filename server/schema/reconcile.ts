import { INTERLEAVING } from '../backend/backend-error.ts'
import { unreachable } from '../base/unreachable.ts'
import type { DeclaredTable } from './declared-object.ts'
import { toDeclaredColumn } from './introspect.ts'
import type {
  PhysicalSchema,
  PhysicalTable,
  PhysicalTableColumn,
  PhysicalView,
  StoredObject,
  StoredTable,
  StoredView,
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
  const sequences = new Set(actual.sequences.map((sequence) => sequence.name))
  const views = new Map(actual.views.map((view) => [view.name, view]))
  const asStored = new Map(
    foreign.flatMap((row) => (row.kind === 'table' ? [[row.physical.name, row] as const] : [])),
  )
  const kept = stored.flatMap((row): StoredObject[] => {
    switch (row.kind) {
      case 'table': {
        const seen = asStored.get(row.physical.name)
        if (seen === undefined) return []
        return [reconcileParts(reconcileColumns(row, seen.physical), seen)]
      }
      case 'sequence':
        return only(row, sequences.has(row.physical.name))
      case 'schema':
        return only(row, row.physical === '' || actual.schemas.includes(row.physical))
      case 'view':
        return only(row, hasView(row, views))
      case 'extension':
      case 'enum':
      case 'domain':
      case 'function':
        return [row]
      default:
        return unreachable(row)
    }
  })
  const known = new Set(kept.flatMap(physicalKey))
  const added = foreign.filter((row) => physicalKey(row).every((key) => !known.has(key)))
  return [...kept, ...added]
}

function only(row: StoredObject, isThere: boolean): StoredObject[] {
  return isThere ? [row] : []
}

/** Whether Spanner has the view as it was made there, where it was. */
function hasView({ physical }: StoredView, views: ReadonlyMap<string, PhysicalView>): boolean {
  return physical === undefined || views.get(physical.name)?.definition === physical.definition
}

function physicalKey(row: StoredObject): string[] {
  switch (row.kind) {
    case 'schema':
      return [`schema ${row.physical}`]
    case 'extension':
    case 'enum':
    case 'domain':
    case 'function':
      return []
    case 'view':
      return row.physical === undefined ? [] : [`view ${row.physical.name}`]
    default:
      return [`${row.kind} ${row.physical.name}`]
  }
}

function reconcileColumns(row: StoredTable, actual: PhysicalTable): StoredTable {
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
  const columns = actual.columns.filter(
    ({ name }) => name !== row.physical.hiddenKey && stored.get(name)?.lowerCaseOf === undefined,
  )
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

/** Keys, checks and indexes that are gone are not declared any more, and those that are new are declared as they are stored. */
function reconcileParts(row: StoredTable, seen: StoredTable): StoredTable {
  const before = partNames(row.physical)
  const after = partNames(seen.physical)
  const gone = new Set(before.filter((name) => !after.includes(name)))
  const fresh = new Set(after.filter((name) => !before.includes(name)))
  const { parent: _parent, searchIndexes: _search, unseen: _unseen, ...own } = row.physical
  const { parent, searchIndexes, unseen } = seen.physical
  const physical: PhysicalTable = {
    ...own,
    checks: merge(own.checks, seen.physical.checks, fresh, gone),
    foreignKeys: merge(own.foreignKeys, seen.physical.foreignKeys, fresh, gone),
    indexes: merge(own.indexes, seen.physical.indexes, fresh, gone),
    ...(parent === undefined ? {} : { parent }),
    ...(searchIndexes === undefined ? {} : { searchIndexes }),
    ...(unseen === undefined ? {} : { unseen }),
  }
  if (gone.size === 0 && fresh.size === 0) return { ...row, physical }
  return withParts({ ...row, physical }, seen, { fresh, gone })
}

/** All that a constraint or an index of the client's can stand for. */
function partNames({ foreignKeys, checks, indexes, parent }: PhysicalTable): string[] {
  const named = [...foreignKeys, ...checks, ...indexes].map(({ name }) => name)
  return parent === undefined ? named : [...named, INTERLEAVING]
}

function merge<T extends { readonly name: string }>(
  own: readonly T[],
  actual: readonly T[],
  fresh: ReadonlySet<string>,
  gone: ReadonlySet<string>,
): T[] {
  return [
    ...own.filter(({ name }) => !gone.has(name)),
    ...actual.filter(({ name }) => fresh.has(name)),
  ]
}

function withParts(
  row: StoredTable,
  seen: StoredTable,
  { fresh, gone }: { readonly fresh: ReadonlySet<string>; readonly gone: ReadonlySet<string> },
): StoredTable {
  const left = (names: Readonly<Record<string, string>>) =>
    Object.entries(names).filter(([, physical]) => !gone.has(physical))
  const constraints = Object.fromEntries(left(row.names.constraints))
  const indexes = Object.fromEntries(left(row.names.indexes))
  const isLeft = ({ name }: { readonly name: string }, old: Readonly<Record<string, string>>) =>
    !gone.has(old[name] ?? '')
  const taken = new Set([...Object.keys(constraints), ...Object.keys(indexes)])
  // Their definitions are in Spanner's names: as long as these are the client's, too.
  const isFresh = (name: string, physical: string | undefined) =>
    isNamedAsStored(row) && fresh.has(physical ?? '') && !taken.has(name)
  const newConstraints = seen.declared.constraints.filter(({ name }) =>
    isFresh(name, seen.names.constraints[name]),
  )
  const newIndexes = seen.declared.indexes.filter(({ name }) =>
    isFresh(name, seen.names.indexes[name]),
  )
  for (const { name } of newConstraints) constraints[name] = seen.names.constraints[name] ?? ''
  for (const { name } of newIndexes) indexes[name] = seen.names.indexes[name] ?? ''
  const { declared } = row
  return {
    ...row,
    declared: {
      ...declared,
      constraints: [
        ...declared.constraints.filter((part) => isLeft(part, row.names.constraints)),
        ...newConstraints,
      ].sort((a, b) => (a.name < b.name ? -1 : 1)),
      indexes: [
        ...declared.indexes.filter((part) => isLeft(part, row.names.indexes)),
        ...newIndexes,
      ].sort((a, b) => (a.name < b.name ? -1 : 1)),
    },
    names: { ...row.names, constraints, indexes },
  }
}

function isNamedAsStored({ declared, physical, names }: StoredTable): boolean {
  const qualified =
    declared.schema === 'public' ? declared.name : `${declared.schema}.${declared.name}`
  return (
    qualified === physical.name &&
    Object.entries(names.columns).every(([name, stored]) => name === stored)
  )
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
