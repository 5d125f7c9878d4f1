import type { SpannerStatement } from '../backend/backend.ts'
import { BackendError } from '../backend/backend-error.ts'
import { Bug } from '../base/pg-error.ts'
import type { PushdownRoute } from '../plan/plan.ts'
import { type ParsedStatement, parseStatements } from '../sql/statement.ts'
import type { Format } from '../wire/field-description.ts'
import { formatAt } from './answer.ts'
import {
  type BoundParams,
  type BoundStatement,
  bindStatement,
  type RunnableStatement,
} from './bound-statement.ts'
import { clientError } from './client-error.ts'
import { describeStatement } from './describe.ts'
import { explainFailedWrite } from './failed-write.ts'
import type { Described } from './prepared-statement.ts'
import { recordUnseen } from './record-draws.ts'
import type { SessionState } from './session-state.ts'

/** Values of one row in their formats. */
export type WrittenRow = readonly (Buffer | null)[]

/** Up to so many rows, each has a statement of its own, so that errors can name the row. */
const SINGLE_ROWS = 1_000
const MAX_ROWS_PER_STATEMENT = 100
/** Spanner takes 950 ("Quotas and limits"); expressions that the companion computes need some, too. */
const MAX_PARAMS = 900
const MAX_STATEMENT_BYTES = 1024 * 1024
const MAX_BATCH_STATEMENTS = 1_000
const MAX_BATCH_BYTES = 4 * 1024 * 1024

/** The statement that writes rows. */
export interface RowWriter {
  /** What a read-only transaction says it cannot execute. */
  readonly command: string
  /** The statement for so many rows; the first value of the first row is `$(n + 1)` behind the n of `params`. */
  readonly textFor: (rowCount: number) => string
  /** Where there is a bound beside that of parameters. */
  readonly rowsPerStatement?: number | undefined
  /** Of the values of a row: OIDs, 0 for what the statement itself makes of a text. */
  readonly types: readonly number[]
  readonly formats: readonly Format[]
  /** Parameters of the statement beside the rows, with their types. */
  readonly params: BoundParams & { readonly types: readonly number[] }
}

export interface RowFailure {
  /** The row that could not be written, from 0; undefined where it was one of several. */
  readonly row: number | undefined
  readonly error: unknown
}

/** What writing came to. */
export interface RowsWritten {
  /** As Spanner counts: ON CONFLICT passes over some. */
  readonly rowCount: bigint
  readonly failure: RowFailure | undefined
}

/** Rows to be written. */
export interface RowsToWrite {
  readonly writer: RowWriter
  readonly rows: readonly WrittenRow[]
  /** Nothing else will be in their implicit transaction. */
  readonly isSole: boolean
}

/** Some of the rows, to be written by one statement. */
interface Group {
  readonly first: number
  readonly rows: readonly WrittenRow[]
  readonly sizeBytes: number
}

/** Writes rows in the client's transaction, in batches of statements. */
export async function writeRows(
  state: SessionState,
  { writer, rows, isSole }: RowsToWrite,
): Promise<RowsWritten> {
  const statements = new RowStatements(state, writer)
  const batches = inBatches(groupsOf(rows, writer))
  let rowCount = 0n
  for (const [index, groups] of batches.entries()) {
    const bound: BoundStatement[] = []
    for (const group of groups) bound.push(await statements.bind(group.rows))
    const { rowCounts, error } = await state.block.executeBatch(
      bound.map(toSpanner),
      writer.command,
      {
        ...state.scope.callOptions(),
        isLast: isSole && index === batches.length - 1,
        written: bound.flatMap((statement) => routeOf(statement).written?.table ?? []),
        writesDrawn: bound.some((statement) => routeOf(statement).writesDrawn),
      },
    )
    for (const count of rowCounts) rowCount += count
    for (const insert of bound.slice(0, rowCounts.length)) recordUnseen(state, routeOf(insert))
    const failed = bound[rowCounts.length]
    if (failed === undefined) continue
    const group = groups[rowCounts.length]
    const failure = {
      row: group?.rows.length === 1 ? group.first : undefined,
      error: await explained(state, failed, error),
    }
    return { rowCount, failure }
  }
  return { rowCount, failure: undefined }
}

async function explained(
  state: SessionState,
  failed: BoundStatement,
  error: unknown,
): Promise<unknown> {
  const told = await explainFailedWrite(state, failed, error)
  return told instanceof BackendError && told.failure.kind.endsWith('violation')
    ? clientError(told, state.schema, state.scope.signal)
    : told
}

function toSpanner(bound: BoundStatement): SpannerStatement {
  return { sql: routeOf(bound).sql, params: bound.spannerParams }
}

function routeOf({ described }: BoundStatement): PushdownRoute {
  const route = described.plan?.route
  if (route?.kind !== 'pushdown')
    throw new Bug('a statement that writes rows does not go to Spanner')
  return route
}

/** How many rows one statement takes. */
export function rowsPerStatement({ types, rowsPerStatement: bound }: RowWriter): number {
  return bound ?? Math.max(1, Math.floor(MAX_PARAMS / Math.max(1, types.length)))
}

/** As many rows in a group as a statement may have; rows beside large ones go alone, and the last ones in powers of two, so that few different texts come of it. */
function groupsOf(rows: readonly WrittenRow[], writer: RowWriter): readonly Group[] {
  const fitting = Math.min(MAX_ROWS_PER_STATEMENT, rowsPerStatement(writer))
  const whole = rows.length <= SINGLE_ROWS ? 1 : fitting
  const groups: Group[] = []
  for (let first = 0; first < rows.length; ) {
    const left = rows.length - first
    const size = left >= whole ? whole : 2 ** Math.floor(Math.log2(left))
    const some = rows.slice(first, first + size)
    const sizeBytes = some.reduce((sum, row) => sum + bytesOf(row), 0)
    if (sizeBytes <= MAX_STATEMENT_BYTES) groups.push({ first, rows: some, sizeBytes })
    else {
      for (const [index, row] of some.entries())
        groups.push({ first: first + index, rows: [row], sizeBytes: bytesOf(row) })
    }
    first += size
  }
  return groups
}

function bytesOf(row: WrittenRow): number {
  return row.reduce((sum, value) => sum + (value?.length ?? 0), 0)
}

function inBatches(groups: readonly Group[]): readonly (readonly Group[])[] {
  const batches: Group[][] = []
  let sizeBytes = 0
  for (const group of groups) {
    const current = batches.at(-1)
    const isFull =
      current === undefined ||
      current.length >= MAX_BATCH_STATEMENTS ||
      sizeBytes + group.sizeBytes > MAX_BATCH_BYTES
    if (isFull) {
      batches.push([group])
      sizeBytes = group.sizeBytes
    } else {
      current.push(group)
      sizeBytes += group.sizeBytes
    }
  }
  return batches
}

/** The statements for numbers of rows, described once for each number. */
export class RowStatements {
  readonly #state: SessionState
  readonly #writer: RowWriter
  readonly #known = new Map<number, { statement: ParsedStatement; described: Described }>()

  constructor(state: SessionState, writer: RowWriter) {
    this.#state = state
    this.#writer = writer
  }

  /** Rejects with 0A000 where Spanner cannot run the statement. */
  async bind(
    rows: readonly WrittenRow[],
    resultFormats: readonly Format[] = [],
  ): Promise<RunnableStatement> {
    const { params, formats } = this.#writer
    const target = this.#known.get(rows.length) ?? (await this.#describe(rows.length))
    const values = [...params.values, ...rows.flat()]
    const leading = params.values.map((_value, index) => formatAt(params.formats, index))
    const bound = await bindStatement(
      this.#state,
      target,
      { formats: [...leading, ...rows.flatMap(() => formats)], values },
      resultFormats,
    )
    return { ...bound, statement: target.statement }
  }

  async #describe(rowCount: number) {
    const { params, types, textFor } = this.#writer
    const [statement] = parseStatements(textFor(rowCount))
    if (statement === undefined) throw new Bug('a statement that writes rows is none')
    const declared = [...params.types, ...Array.from({ length: rowCount }, () => types).flat()]
    const described = await describeStatement(this.#state, statement, declared)
    if (described.plan?.route.kind === 'unsupported') throw described.plan.route.error
    const known = { statement, described }
    this.#known.set(rowCount, known)
    return known
  }
}

/** `($3, $4), ($5, $6)`, behind `before` other parameters. */
export function rowsOfParams(rowCount: number, columnCount: number, before: number): string {
  const rows = Array.from({ length: rowCount }, (_, row) => {
    const first = before + row * columnCount + 1
    return `(${Array.from({ length: columnCount }, (_cell, i) => `$${first + i}`).join(', ')})`
  })
  return rows.join(', ')
}
