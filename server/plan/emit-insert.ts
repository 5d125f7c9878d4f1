import { type Column, quotePhysical, type Table } from '../schema/logical-schema.ts'
import { typedLiteral } from '../sql/dialect-printers.ts'
import type { Expr, Query, RangeTableEntry, TargetEntry } from '../sql/query-tree.ts'
import type { Emission, EmittedSelect, Place } from './emission.ts'
import { emitAgain } from './emit-again.ts'
import { filteredRows, keysToFilter } from './emit-conflict-filter.ts'
import {
  emitNewValue,
  emitReturning,
  isFromDefault,
  openDml,
  type WrittenTable,
} from './emit-dml.ts'
import { assignedValue, omittedDomains } from './emit-domain.ts'
import { emitFrom } from './emit-from.ts'
import { emitOnConflict } from './emit-on-conflict.ts'
import { mustFindColumn } from './emit-var.ts'
import { DEFAULT, type InsertSource, plainRows } from './insert-source.ts'
import { newUuid } from './new-uuid.ts'
import { NotPushable } from './not-pushable.ts'
import type { ComputedExpressions } from './plan.ts'
import type { UserTypeNames } from './print-postgres.ts'
import { outputsOf } from './query-outputs.ts'
import { rowsOfEntry } from './rows-of-query.ts'
import { allDraws, drawnFor, returningDraws } from './sequence-draws.ts'
import { substituteColumns } from './substitute.ts'
import { type Assignment, writtenRow } from './written-row.ts'

/*
 * PostgreSQL:  INSERT INTO t (name) VALUES ($1) RETURNING id       the tree has id = nextval('t_id_seq') as well
 * Spanner:     INSERT INTO "t" AS t1 ("name") VALUES ($1) RETURNING t1."id"
 */
export function emitInsert(emission: Emission, query: Query): EmittedSelect {
  const written = openDml(emission, query)
  const { table, alias } = written
  const named = query.targetList
    .filter((target) => !target.junk)
    .map((target) => ({ column: columnOf(table, target), expr: target.expr }))
    .filter(({ column }) => !column.generated)
  const assignments = [...named, ...omittedDomains(table.columns, named)]
  const known = knownRows(written, assignments)
  const source =
    known === undefined
      ? emitQuery(emission, written, assignments)
      : emitRows(emission, written, known)
  const keys = keysToFilter(emission, written, source.columns)
  const rows =
    keys.length === 0 ? plainRows(source) : filteredRows(emission, written, { source, keys })
  const conflict = emitOnConflict(written, source.columns)
  const returning = emitReturning(emission, written)
  const drawing = returningDraws(written, {
    rows: known ?? [assignments],
    returnsRows: query.onConflict?.action !== 'update',
    returning: returning.sql,
  })
  const head = `INSERT INTO ${quotePhysical(table.physicalName)} AS ${alias} ${rows}${conflict}`
  const leftOut = assignments
    .map(({ column }) => column)
    .filter((column) => !source.columns.includes(column))
  return {
    sql: `${head}${returning.sql}`,
    columns: returning.columns,
    again:
      keys.length > 0
        ? undefined
        : emitAgain(written, {
            source,
            leftOut,
            paramCount: emission.params.sources.length,
            conflict,
            // What the client is not told is not compared.
            returning: returning.sql === '' ? '' : drawing.sql,
            returned: drawing.columns,
            isDrawn: (row, column) => isDrawn(known?.[row], column),
          }),
    draws: allDraws(`${head}${drawing.sql}`, drawing.sequences, emission.drawnSequences),
    written: {
      table: table.physicalName,
      row: onlyRow(written, known, emission.context.schema.userTypes.names),
    },
  }
}

function isDrawn(row: readonly Assignment[] | undefined, column: Column): boolean {
  return drawnFor(row?.find((cell) => cell.column === column)?.expr) !== undefined
}

function columnOf(table: Table, target: TargetEntry): Column {
  return mustFindColumn(table, { attribute: target.resno })
}

/** What the statement itself says of its rows; undefined where a query finds them. */
function knownRows(
  written: WrittenTable,
  assignments: readonly Assignment[],
): readonly (readonly Assignment[])[] | undefined {
  const [item] = written.query.from
  return item === undefined ? [assignments] : rowsOf(written, sourceIndex(written), assignments)
}

/** The place in FROM of what an INSERT reads: PostgreSQL puts one item there. */
function sourceIndex({ query }: WrittenTable): number {
  const [item, another] = query.from
  if (item?.kind !== 'RangeTableRef' || another !== undefined)
    throw new NotPushable('INSERT from a join')
  return item.rtindex
}

/** ON CONFLICT DO UPDATE may fail with the row as updated. */
function onlyRow(
  { query, table }: WrittenTable,
  rows: readonly (readonly Assignment[])[] | undefined,
  userTypes: UserTypeNames,
): ComputedExpressions | undefined {
  const [row, another] = rows ?? []
  if (row === undefined || another !== undefined) return undefined
  return query.onConflict?.action === 'update' ? undefined : writtenRow(table, row, userTypes)
}

/*
 * PostgreSQL:  INSERT INTO t (name) SELECT x FROM (VALUES ('a', 0), ('b', 1)) AS v (x, n) ORDER BY n RETURNING id
 * Spanner:     INSERT INTO "t" AS t1 ("name") VALUES ('a'), ('b') RETURNING t1."id"
 *
 * Of rows of VALUES alone, Spanner returns what RETURNING asks for in the order in which they were given: clients that insert many rows
 * at once rely on it.
 */
function rowsOf(
  { scope }: WrittenTable,
  rtindex: number,
  assignments: readonly Assignment[],
): readonly (readonly Assignment[])[] | undefined {
  const rows: (readonly Assignment[])[] = []
  for (const cells of rowsOfEntry(scope.entry(rtindex)) ?? []) {
    const row = assignments.flatMap(({ column, expr }): readonly Assignment[] => {
      const cell = isFromDefault(expr) ? expr : substituteColumns(expr, rtindex, cells)
      return cell === undefined ? [] : [{ column, expr: cell }]
    })
    if (row.length < assignments.length) return undefined
    rows.push(row)
  }
  return rows.length === 0 ? undefined : rows
}

/*
 * PostgreSQL:  INSERT INTO t (id, name) VALUES (1, 'a'), (DEFAULT, 'b')
 * Spanner:     INSERT INTO "t" AS t1 ("id", "name") VALUES (1, 'a'), (DEFAULT, 'b')
 *
 * A column whose default Spanner fills in for every row is left out.
 */
function emitRows(
  emission: Emission,
  written: WrittenTable,
  rows: readonly (readonly Assignment[])[],
): InsertSource {
  const place: Place = { scope: written.scope, noticesRange: true, isOnce: true }
  const [first = []] = rows
  const kept = first.map((_cell, i) => !rows.every((row) => leavesToSpanner(row[i])))
  const columns = first.flatMap(({ column }, i) => (kept[i] === true ? [column] : []))
  const values = rows.map((row) =>
    row
      .filter((_cell, i) => kept[i])
      .map((cell) =>
        leavesToSpanner(cell) ? DEFAULT : emitNewValue(emission, assignedValue(cell), place),
      ),
  )
  return { kind: 'rows', columns, values }
}

/** Whether a value came from the column's default, and Spanner has that default too. */
function leavesToSpanner(cell: Assignment | undefined): boolean {
  if (cell === undefined) return false
  const { column, expr } = cell
  const isDeclared = column.defaultText !== undefined || column.identity !== undefined
  return isDeclared && column.physical.hasDefault && isFromDefault(expr)
}

/*
 * PostgreSQL:  INSERT INTO t (a, b) SELECT x, y FROM u
 * Spanner:     INSERT INTO "t" AS t1 ("a", "b") SELECT t3."x", t3."y" FROM "u" AS t3
 */
function emitQuery(
  emission: Emission,
  written: WrittenTable,
  assignments: readonly Assignment[],
): InsertSource {
  const rtindex = sourceIndex(written)
  const kept = assignments.filter((assignment) => !leavesToSpanner(assignment))
  const columns = kept.map(({ column }) => column)
  const { scope } = written
  const direct = directQuery(scope.entry(rtindex), rtindex, kept)
  if (direct !== undefined) {
    return {
      kind: 'query',
      columns,
      select: ({ namesColumns }) =>
        emission.select(direct, {
          parent: scope,
          noticesRange: true,
          isAssigned: true,
          namesColumns,
        }).sql,
    }
  }
  return {
    kind: 'query',
    columns,
    select: (options) => selectFrom(emission, written, { kept, ...options }),
  }
}

interface SelectedColumns {
  readonly kept: readonly Assignment[]
  readonly namesColumns: boolean
}

/** The source query as a derived table, and what the table makes of its columns. */
function selectFrom(
  emission: Emission,
  { scope, query }: WrittenTable,
  { kept, namesColumns }: SelectedColumns,
): string {
  const from = emitFrom(emission, scope, query.from)
  const place: Place = { scope, noticesRange: true }
  const list = kept.map((assignment, i) => {
    const value = assignedValue(assignment)
    const sql = newUuid(emission, value) ?? typedLiteral(emission.expression(value, place))
    return namesColumns ? `${sql} AS c${i + 1}` : sql
  })
  return `SELECT ${list.join(', ')}${from}`
}

/**
 * The source query with what the table does to its columns (casts, other order) done in its own select list; undefined where
 * that would change which rows it has, or their order.
 */
function directQuery(
  entry: RangeTableEntry,
  rtindex: number,
  assignments: readonly Assignment[],
): Query | undefined {
  if (entry.kind !== 'subquery') return undefined
  const { query } = entry
  if (query.setOperations !== undefined || query.distinctClause.length > 0) return undefined
  const outputs = outputsOf(query)
  const cells = outputs.map((target) => target.expr)
  const targetList: TargetEntry[] = query.targetList.filter((target) => target.junk)
  for (const [i, { column, expr }] of assignments.entries()) {
    const written = isFromDefault(expr) ? expr : substituteColumns(expr, rtindex, cells)
    if (written === undefined) return undefined
    targetList.push(plainTarget(assignedValue({ column, expr: written }), i + 1))
  }
  const referenced = outputs.filter((target) => target.sortGroupRef !== 0)
  return {
    ...query,
    targetList: [...targetList, ...referenced.map((target) => ({ ...target, junk: true }))],
  }
}

function plainTarget(expr: Expr, resno: number): TargetEntry {
  return {
    expr,
    resno,
    name: undefined,
    sortGroupRef: 0,
    originTable: 0,
    originColumn: 0,
    junk: false,
  }
}
