import { NodeFields } from '../sql/node-fields.ts'
import type { NodeValue } from '../sql/node-text.ts'
import type { DatabaseNames } from './database-names.ts'
import type { TableWrites } from './table-writes.ts'

/*
 * How Spanner counts the mutations of DML: "Quotas and limits" says that columns and index entries count, and the public note
 * spanner/note/mutation-count of gcpug/nouhau found by experiment how many. INSERT: the columns that get values, and one for each index.
 * UPDATE: the columns that are set, those of the key, and two for each index that has one of them, whose old entry goes. DELETE: one, and one
 * for each index. Rows of interleaved tables that go along count nothing, but their index entries do.
 */

/** What a statement counts in mutations. */
export interface MutationCost {
  /** OID of the table that is named. */
  readonly table: number
  readonly perRow: number
  /** Tables that may lose rows along with the one that is named, and what each such row counts. */
  readonly cascades: readonly { readonly oid: number; readonly perRow: number }[]
  /** It stores values: INSERT and UPDATE. */
  readonly storesValues: boolean
}

/** enum CmdType of nodes.h. */
const CMD = { update: 2, insert: 3, delete: 4 } as const

/** What DML counts, from the tree that PostgreSQL has analysed; undefined for a query. */
export function mutationCost(tree: NodeValue, names: DatabaseNames): MutationCost | undefined {
  if (tree?.kind !== 'object') return undefined
  const query = new NodeFields(tree)
  const entry = query.objects('rtable')[query.int('resultRelation') - 1]
  if (entry === undefined) return undefined
  const table = new NodeFields(entry).int('relid')
  const writes = names.relationAt(table)?.writes
  if (writes === undefined) return undefined
  const named = query.objects('targetList').map((target) => new NodeFields(target).int('resno'))
  switch (query.int('commandType')) {
    case CMD.insert:
      return { table, perRow: insertCost(writes, named), cascades: [], storesValues: true }
    case CMD.update:
      return { table, perRow: updateCost(writes, named), cascades: [], storesValues: true }
    case CMD.delete:
      return {
        table,
        perRow: deleteCost(writes),
        cascades: cascadesOf(table, names),
        storesValues: false,
      }
    default:
      return undefined
  }
}

/** What a row counts that is inserted with values for the named columns. */
export function insertCost(writes: TableWrites, named: readonly number[]): number {
  return new Set([...named, ...writes.key, ...writes.defaults]).size + writes.indexes.length
}

/** What a row counts whose named columns are set. */
export function updateCost(writes: TableWrites, named: readonly number[]): number {
  const computed = writes.generated
    .filter(({ from }) => from.some((column) => named.includes(column)))
    .map(({ column }) => column)
  const changed = new Set([...named, ...computed])
  const indexes = writes.indexes.filter(({ columns }) =>
    columns.some((column) => changed.has(column)),
  )
  return new Set([...changed, ...writes.key]).size + 2 * indexes.length
}

/** What a row counts that is deleted. */
export function deleteCost(writes: TableWrites): number {
  return 1 + writes.indexes.length
}

/** All tables that lose rows with those of one, itself included where it refers to itself; those whose rows count nothing are left out. */
function cascadesOf(table: number, names: DatabaseNames): MutationCost['cascades'] {
  const found = new Map<number, number>()
  const follow = (parent: number): void => {
    for (const child of names.relationAt(parent)?.writes.cascades ?? []) {
      const writes = names.relationAt(child.oid)?.writes
      if (writes === undefined || found.has(child.oid)) continue
      found.set(child.oid, deleteCost(writes) - (child.isInterleaved ? 1 : 0))
      follow(child.oid)
    }
  }
  follow(table)
  return [...found].filter(([, perRow]) => perRow > 0).map(([oid, perRow]) => ({ oid, perRow }))
}
