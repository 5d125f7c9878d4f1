import { quotePhysical } from '../schema/logical-schema.ts'
import type { Expr } from '../sql/query-tree.ts'
import { OID } from '../types/pg-type.ts'
import { sequenceDrawnBy } from './emit-call.ts'
import type { WrittenTable } from './emit-dml.ts'
import { mustFindColumn } from './emit-var.ts'
import { childrenOf } from './expression-tree.ts'
import { typeOf } from './expression-type.ts'
import type { SequenceDraw, SequenceDraws } from './plan.ts'
import type { Assignment } from './written-row.ts'

/*
 * PostgreSQL:  INSERT INTO t (name) VALUES ($1)                       then currval('t_id_seq'), lastval()
 * Spanner:     INSERT INTO "t" AS t1 ("name") VALUES ($1) RETURNING t1."id"
 *
 * Spanner keeps nothing for a session: what it draws from a sequence is read where it was written to.
 */

/** The draws of a statement whose results do not show them. */
export function unseenDraws(
  sql: string,
  sequences: ReadonlySet<number>,
): SequenceDraws | undefined {
  return allDraws(sql, [], sequences)
}

/** The draws of an INSERT: those that RETURNING shows, and whatever else its SQL draws from. */
export function allDraws(
  sql: string,
  shown: readonly SequenceDraw[],
  drawn: ReadonlySet<number>,
): SequenceDraws | undefined {
  const others = [...drawn].filter((sequence) => !shown.some((draw) => draw.sequence === sequence))
  const sequences = [...others.map(unseen), ...shown]
  return sequences.length === 0 ? undefined : { sql, sequences }
}

/** An INSERT as it is known before RETURNING. */
export interface DrawingInsert {
  /** The rows of VALUES, or one that stands for all that a query finds. */
  readonly rows: readonly (readonly Assignment[])[]
  /** Every row comes back just as it was given. */
  readonly returnsRows: boolean
  /** As the client asked for it: ` RETURNING ..` or nothing, and its columns. */
  readonly returning: string
}

/** RETURNING with what is drawn. */
export interface DrawingReturning {
  readonly sql: string
  /** Attribute numbers of the columns that come as they are, with their place in the result. */
  readonly columns: ReadonlyMap<number, number>
  readonly sequences: readonly SequenceDraw[]
}

/** What RETURNING has to have so that the draws of an INSERT are seen. */
export function returningDraws(written: WrittenTable, insert: DrawingInsert): DrawingReturning {
  const columns = returnedColumns(written)
  const added: string[] = []
  const { query } = written
  let width = query.returningList.filter((target) => !target.junk).length
  const sequences: SequenceDraw[] = []
  for (const [cell, { column }] of (insert.rows[0] ?? []).entries()) {
    const draws = insert.rows.map((row) => drawnFor(row[cell]?.expr))
    const sequence = draws.find((drawn) => drawn !== undefined)
    if (sequence === undefined) {
      sequences.push(...insert.rows.flatMap((row) => drawnWithin(row[cell]?.expr)).map(unseen))
      continue
    }
    const isSeen =
      insert.returnsRows && draws.every((drawn) => drawn === undefined || drawn === sequence)
    if (isSeen && !columns.has(column.attribute)) {
      added.push(`${written.alias}.${quotePhysical(column.physical.name)}`)
      columns.set(column.attribute, width++)
    }
    sequences.push({
      sequence,
      column: isSeen ? columns.get(column.attribute) : undefined,
      row: lastOf(draws),
    })
  }
  const separator = insert.returning === '' ? ' RETURNING ' : ', '
  const sql = added.length === 0 ? '' : `${separator}${added.join(', ')}`
  return { sql: `${insert.returning}${sql}`, columns, sequences }
}

function unseen(sequence: number): SequenceDraw {
  return { sequence, column: undefined }
}

/** The sequences that parts of an expression draw from. */
function drawnWithin(expr: Expr | undefined): readonly number[] {
  if (expr === undefined) return []
  const drawn = sequenceDrawnBy(expr)
  return drawn === undefined ? childrenOf(expr).flatMap(drawnWithin) : [drawn]
}

function lastOf(draws: readonly (number | undefined)[]): SequenceDraw['row'] {
  if (draws.every((drawn) => drawn !== undefined)) return undefined
  return { index: draws.findLastIndex((drawn) => drawn !== undefined), rowCount: draws.length }
}

/** The sequence whose next value an expression is, through casts between integers. */
export function drawnFor(expr: Expr | undefined): number | undefined {
  if (expr === undefined) return undefined
  const drawn = sequenceDrawnBy(expr)
  if (drawn !== undefined || !INTEGERS.has(typeOf(expr))) return drawn
  const isCast = expr.kind === 'RelabelType' || (expr.kind === 'FuncExpr' && expr.format !== 0)
  return isCast ? drawnFor(childrenOf(expr)[0]) : undefined
}

const INTEGERS: ReadonlySet<number> = new Set([OID.int2, OID.int4, OID.int8])

/** Attribute numbers of the columns that the client's RETURNING gives as they are, with their place in the result. */
function returnedColumns({ query, table }: WrittenTable): Map<number, number> {
  const found = new Map<number, number>()
  const targets = query.returningList.filter((target) => !target.junk)
  for (const [index, { expr }] of targets.entries()) {
    if (expr.kind !== 'Var' || expr.rtindex !== query.resultRelation || expr.levelsUp !== 0)
      continue
    found.set(mustFindColumn(table, expr).attribute, index)
  }
  return found
}
