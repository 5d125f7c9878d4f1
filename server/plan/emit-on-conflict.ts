import { type Column, quotePhysical } from '../schema/logical-schema.ts'
import type { OnConflict } from '../sql/query-tree.ts'
import type { WrittenTable } from './emit-dml.ts'
import { mustFindColumn } from './emit-var.ts'
import { columnList } from './insert-source.ts'
import { NotPushable } from './not-pushable.ts'
import { arbiterOf, keyOf } from './unique-keys.ts'

/*
 * PostgreSQL:  ON CONFLICT DO NOTHING
 * Spanner:     ON CONFLICT ("id") DO NOTHING            further unique keys: emit-conflict-filter.ts
 *
 * PostgreSQL:  ON CONFLICT (id) DO UPDATE SET name = excluded.name
 * Spanner:     ON CONFLICT ("id") DO UPDATE SET "id" = excluded."id", "name" = excluded."name"
 *
 * Spanner takes the whole primary key as target, and an update that sets every inserted column to what was to be inserted. The key's
 * columns have that value already.
 */
export function emitOnConflict(written: WrittenTable, inserted: readonly Column[]): string {
  const { table, query } = written
  const { onConflict } = query
  if (onConflict === undefined) return ''
  const key = keyOf(table)
  const arbiter = arbiterOf(table, onConflict)
  if (onConflict.action === 'nothing') {
    const isPrimary = arbiter === undefined ? key.length > 0 : arbiter.isPrimary
    return isPrimary ? `${targetOf(key)} DO NOTHING` : ''
  }
  if (arbiter?.isPrimary !== true)
    throw refusal('DO UPDATE and another target than the primary key')
  return `${targetOf(key)} DO UPDATE SET ${emitSets(written, onConflict, { key, inserted })}`
}

function targetOf(key: readonly Column[]): string {
  return ` ON CONFLICT ${columnList(key)}`
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
    hint: 'Spanner takes ON CONFLICT (primary key) DO UPDATE SET of every inserted column to its excluded value.',
  })
}
