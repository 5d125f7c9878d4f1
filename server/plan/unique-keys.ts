import { PgError } from '../base/pg-error.ts'
import { SQL_STATE } from '../base/sql-state.ts'
import type { Column, Index, Table } from '../schema/logical-schema.ts'
import type { Expr, OnConflict } from '../sql/query-tree.ts'
import { mustFindColumn } from './emit-var.ts'
import { NotPushable } from './not-pushable.ts'

/** A primary key, a UNIQUE constraint or a unique index over plain columns. */
export interface UniqueKey {
  readonly isPrimary: boolean
  /** Attribute numbers. */
  readonly columns: readonly number[]
}

/** The columns of the primary key that the client declared, in its order. */
export function keyOf(table: Table): readonly Column[] {
  const key = table.constraints.find((constraint) => constraint.type === 'primary-key')
  return (key?.columns ?? []).map((attribute) => mustFindColumn(table, { attribute }))
}

/** The unique keys of a table over plain columns and all of its rows, each once. */
function plainKeysOf(table: Table): readonly UniqueKey[] {
  const keys = table.constraints.flatMap((constraint): readonly UniqueKey[] =>
    constraint.type === 'primary-key' || constraint.type === 'unique'
      ? [{ isPrimary: constraint.type === 'primary-key', columns: constraint.columns }]
      : [],
  )
  for (const index of table.indexes.filter((candidate) => candidate.unique && isPlain(candidate))) {
    if (!keys.some((key) => isSameSet(key.columns, index.columns))) {
      keys.push({ isPrimary: false, columns: index.columns })
    }
  }
  return keys
}

/**
 * All unique keys of a table.
 *
 * @throws NotPushable where one of them is over expressions, over some of the rows, or takes NULLs as equal.
 */
export function uniqueKeysOf(table: Table): readonly UniqueKey[] {
  if (table.indexes.some((index) => index.unique && !isPlain(index))) {
    throw refusal('a unique index over expressions or some of the rows')
  }
  return plainKeysOf(table)
}

function isPlain(index: Index): boolean {
  return !index.columns.includes(0) && !/ WHERE |NULLS NOT DISTINCT/.test(index.definition)
}

/** The key that ON CONFLICT names, by its columns or its constraint; undefined where it names none. */
export function arbiterOf(table: Table, onConflict: OnConflict): UniqueKey | undefined {
  if (onConflict.hasArbiterWhere) throw refusal('a target with WHERE')
  const constraint = table.constraints.find((candidate) => candidate.oid === onConflict.constraint)
  if (constraint !== undefined) {
    return { isPrimary: constraint.type === 'primary-key', columns: constraint.columns }
  }
  if (onConflict.constraint !== 0) throw refusal('a constraint that Spanner does not have')
  if (onConflict.arbiterElements.length === 0) return undefined
  const columns = onConflict.arbiterElements.map(attributeOf)
  const keys = plainKeysOf(table).filter((key) => isSameSet(key.columns, columns))
  const arbiter = keys.find((key) => key.isPrimary) ?? keys[0]
  if (arbiter !== undefined) return arbiter
  // Another kind of key may be meant; where there is none, PostgreSQL finds none either.
  uniqueKeysOf(table)
  throw noMatchingKey()
}

/** infer_arbiter_indexes (src/backend/optimizer/util/plancat.c). */
function noMatchingKey(): PgError {
  return new PgError(
    SQL_STATE.invalidColumnReference,
    'there is no unique or exclusion constraint matching the ON CONFLICT specification',
  )
}

function attributeOf(element: Expr): number {
  if (element.kind !== 'Var') throw refusal('a target over expressions')
  return element.attribute
}

function isSameSet(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((attribute) => b.includes(attribute))
}

function refusal(what: string): NotPushable {
  return new NotPushable(`ON CONFLICT with ${what}`)
}
