import { type Column, quotePhysical, type Table } from '../schema/logical-schema.ts'
import type { Expr, OnConflict } from '../sql/query-tree.ts'
import type { Emission } from './emission.ts'
import type { WrittenTable } from './emit-dml.ts'
import { mustFindColumn } from './emit-var.ts'
import { NotPushable } from './not-pushable.ts'

/*
 * PostgreSQL:  ON CONFLICT DO NOTHING                   on a table whose only unique key is its primary key
 * Spanner:     ON CONFLICT ("id") DO NOTHING
 *
 * PostgreSQL:  ON CONFLICT (id) DO UPDATE SET name = excluded.name
 * Spanner:     ON CONFLICT ("id") DO UPDATE SET "id" = excluded."id", "name" = excluded."name"
 *
 * Spanner takes the whole primary key as target, and an update that sets every inserted column to what was to be inserted. The key's
 * columns have that value already.
 */
export function emitOnConflict(
  _emission: Emission,
  written: WrittenTable,
  inserted: readonly Column[],
): string {
  const { onConflict } = written.query
  if (onConflict === undefined) return ''
  const key = keyOf(written.table)
  if (key.length === 0) return withoutKey(written.table, onConflict)
  refuseForeignTarget(written.table, onConflict, key)
  const target = ` ON CONFLICT (${key.map((column) => quotePhysical(column.physical.name)).join(', ')})`
  if (onConflict.action === 'nothing') return `${target} DO NOTHING`
  return `${target} DO UPDATE SET ${emitSets(written, onConflict, { key, inserted })}`
}

/** The columns of the primary key that the client declared, in its order. */
export function keyOf(table: Table): readonly Column[] {
  const key = table.constraints.find((constraint) => constraint.type === 'primary-key')
  return (key?.columns ?? []).map((attribute) => mustFindColumn(table, { attribute }))
}

/** Nothing conflicts with a row of a table that has no unique key. */
function withoutKey(table: Table, onConflict: OnConflict): string {
  if (onConflict.action === 'nothing' && !hasOtherUniqueKey(table)) return ''
  throw refusal('a table without a primary key')
}

function refuseForeignTarget(table: Table, onConflict: OnConflict, key: readonly Column[]): void {
  if (onConflict.hasArbiterWhere) throw refusal('a target with WHERE')
  if (onConflict.constraint !== 0) {
    const constraint = table.constraints.find(
      (candidate) => candidate.oid === onConflict.constraint,
    )
    if (constraint?.type === 'primary-key') return
    throw refusal('another target than the primary key')
  }
  if (onConflict.arbiterElements.length === 0) {
    if (!hasOtherUniqueKey(table)) return
    throw refusal('no target, on a table with further unique keys')
  }
  const target = onConflict.arbiterElements.map((element) => attributeOf(element))
  const isKey =
    target.length === key.length && key.every((column) => target.includes(column.attribute))
  if (!isKey) throw refusal('another target than the primary key')
}

function hasOtherUniqueKey(table: Table): boolean {
  return (
    table.constraints.some((constraint) => constraint.type === 'unique') ||
    table.indexes.some((index) => index.unique && !isPrimaryKeyIndex(table, index.name))
  )
}

/** The index behind the primary key bears the constraint's name. */
function isPrimaryKeyIndex(table: Table, name: string): boolean {
  return table.constraints.some(
    (constraint) => constraint.type === 'primary-key' && constraint.name === name,
  )
}

function attributeOf(element: Expr): number | undefined {
  return element.kind === 'Var' ? element.attribute : undefined
}

interface ConflictColumns {
  readonly key: readonly Column[]
  readonly inserted: readonly Column[]
}

function emitSets(
  written: WrittenTable,
  onConflict: OnConflict,
  { key, inserted }: ConflictColumns,
): string {
  if (onConflict.where !== undefined) throw refusal('DO UPDATE with WHERE')
  const set = new Set<number>()
  for (const target of onConflict.set.filter((candidate) => !candidate.junk)) {
    const { expr, resno } = target
    const isExcluded =
      expr.kind === 'Var' && expr.rtindex === onConflict.excludedRtindex && expr.attribute === resno
    const column = mustFindColumn(written.table, { attribute: resno })
    if (!isExcluded || !inserted.includes(column)) {
      throw refusal('DO UPDATE to something else than the values that were to be inserted')
    }
    set.add(resno)
  }
  const missing = inserted.find((column) => !set.has(column.attribute) && !key.includes(column))
  if (missing !== undefined)
    throw refusal(`DO UPDATE of some of the inserted columns (not of ${missing.name})`)
  return inserted
    .map((column) => quotePhysical(column.physical.name))
    .map((name) => `${name} = excluded.${name}`)
    .join(', ')
}

function refusal(what: string): NotPushable {
  return new NotPushable(`ON CONFLICT with ${what}`, {
    hint: 'Spanner takes ON CONFLICT (primary key) DO NOTHING, and DO UPDATE SET of every inserted column to its excluded value.',
  })
}
