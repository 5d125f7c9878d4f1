import { BackendError, type BackendFailure } from '../backend/backend-error.ts'
import type { SpannerTypeCode } from '../types/spanner-type.ts'
import { maxLength } from './expanded-schema.ts'
import { quotePhysical } from './logical-schema.ts'
import {
  missingFrom,
  type PhysicalForeignKey,
  type PhysicalIndex,
  type PhysicalSchema,
  type PhysicalTable,
} from './physical-schema.ts'
import type { TextRow } from './spanner-query.ts'

/*
 * What a transaction demands of rows that it wrote itself can be declared only when they are committed. So that the one does not come without
 * the other, the rows are asked first, in the transaction.
 */

/** A query of rows that do not meet a demand, and the failure that they would be to Spanner. */
export interface WaitingDemand {
  /** Gives a row where one is there: of a key, where the failure has none. */
  readonly sql: string
  readonly failure: BackendFailure
}

/** What the schema after demands and the one that Spanner holds does not, of tables that both have. */
export function waitingDemands(
  held: PhysicalSchema,
  after: PhysicalSchema,
): readonly WaitingDemand[] {
  const known = new Map(held.tables.map((table) => [table.name, table]))
  return after.tables.flatMap((table) => {
    const now = known.get(table.name)
    if (now === undefined) return []
    return [
      ...columnDemands(now, table),
      ...missingFrom(table.checks, now.checks).map(({ name, expression }) => ({
        sql: violatedBy(table.name, `NOT (${expression})`),
        failure: { kind: 'check-violation', table: table.name, constraint: name } as const,
      })),
      ...missingFrom(table.foreignKeys, now.foreignKeys).map((key) => referenceDemand(table, key)),
      ...missingFrom(table.indexes, now.indexes)
        .filter(({ unique }) => unique)
        .map((index) => uniqueDemand(table, index)),
    ]
  })
}

/** The failure as a call to Spanner would have told it of the row that was found. */
export function toBackendError({ failure }: WaitingDemand, row: TextRow): BackendError {
  const hasKey = failure.kind === 'unique-violation' || failure.kind === 'foreign-key-violation'
  return new BackendError(`rows do not meet what was declared: ${failure.kind}`, {
    failure: hasKey && row[0] !== NO_KEY ? { ...failure, key: row } : failure,
    grpcCode: FAILED_PRECONDITION,
  })
}

const NO_KEY = '-'

/** The columns of a key, where their values read as PostgreSQL prints them. */
function keyList(table: PhysicalTable, columns: readonly string[], prefix = ''): string {
  const types = new Map(table.columns.map(({ name, type }) => [name, type.code]))
  const isPlain = columns.every((name) => PLAIN.has(types.get(name) ?? 'JSON'))
  if (!isPlain) return `'${NO_KEY}'`
  return columns.map((name) => `${prefix}${quotePhysical(name)}`).join(', ')
}

const PLAIN: ReadonlySet<SpannerTypeCode> = new Set(['INT64', 'STRING', 'DATE'])

const FAILED_PRECONDITION = 9

function columnDemands(now: PhysicalTable, after: PhysicalTable): WaitingDemand[] {
  const held = new Map(now.columns.map((column) => [column.name, column]))
  const table = after.name
  return after.columns.flatMap(({ name, notNull, sqlType }): WaitingDemand[] => {
    const column = held.get(name)
    if (column === undefined) return []
    const quoted = quotePhysical(name)
    const limit = maxLength(sqlType)
    const isShorter = limit < maxLength(column.sqlType)
    return [
      ...(notNull && !column.notNull
        ? [
            {
              sql: violatedBy(table, `${quoted} IS NULL`),
              failure: { kind: 'not-null-violation', table, column: name } as const,
            },
          ]
        : []),
      ...(isShorter
        ? [
            {
              sql: violatedBy(table, `length(${quoted}) > ${limit}`),
              failure: { kind: 'string-too-long', table, column: name, limit } as const,
            },
          ]
        : []),
    ]
  })
}

function violatedBy(table: string, condition: string): string {
  return `SELECT 'x' FROM ${quotePhysical(table)} WHERE ${condition} LIMIT 1`
}

function referenceDemand(owner: PhysicalTable, key: PhysicalForeignKey): WaitingDemand {
  const { name: table } = owner
  const own = key.columns.map((column) => `a.${quotePhysical(column)}`)
  const theirs = key.referencedColumns.map((column) => `b.${quotePhysical(column)}`)
  const isWhole = own.map((column) => `${column} IS NOT NULL`).join(' AND ')
  const isSame = own.map((column, index) => `${column} = ${theirs[index]}`).join(' AND ')
  return {
    sql: `SELECT ${keyList(owner, key.columns, 'a.')} FROM ${quotePhysical(table)} AS a WHERE ${isWhole} AND NOT EXISTS (SELECT 1 FROM ${quotePhysical(key.referencedTable)} AS b WHERE ${isSame}) LIMIT 1`,
    failure: { kind: 'foreign-key-violation', table, constraint: key.name, side: 'referencing' },
  }
}

/** Rows with a NULL in the key are unequal to all others, in PostgreSQL as in the index that is made for it. */
function uniqueDemand(owner: PhysicalTable, index: PhysicalIndex): WaitingDemand {
  const { name: table } = owner
  const names = index.columns.map(({ name }) => name)
  const columns = names.map((name) => quotePhysical(name))
  const compared = [...new Set([...names, ...index.notNull])]
  const isWhole = compared.map((name) => `${quotePhysical(name)} IS NOT NULL`).join(' AND ')
  return {
    sql: `SELECT ${keyList(owner, names)} FROM ${quotePhysical(table)} WHERE ${isWhole} GROUP BY ${columns.join(', ')} HAVING count(*) > 1 LIMIT 1`,
    failure: { kind: 'unique-violation', table, index: index.name },
  }
}
