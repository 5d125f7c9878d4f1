import type { SpannerStatement } from '../backend/backend.ts'
import { BackendError } from '../backend/backend-error.ts'
import { Bug } from '../base/pg-error.ts'
import type { PushdownRoute } from '../plan/plan.ts'
import { emitPostgresName, quoteIdentifier } from '../schema/postgres-text.ts'
import { type ParsedStatement, parseStatements } from '../sql/statement.ts'
import { BINARY_FORMAT } from '../wire/field-description.ts'
import { type BoundStatement, bindStatement } from './bound-statement.ts'
import { clientError } from './client-error.ts'
import type { CopyTarget } from './copy-target.ts'
import { describeStatement } from './describe.ts'
import { explainFailedWrite } from './failed-write.ts'
import type { Described } from './prepared-statement.ts'
import { recordUnseen } from './record-draws.ts'
import type { SessionState } from './session-state.ts'

/** Values of one row in the columns' binary formats. */
type CopiedRow = readonly (Buffer | null)[]

/** Up to so many rows, each has a statement of its own, so that errors can name the row. */
const SINGLE_ROWS = 1_000
const MAX_ROWS_PER_STATEMENT = 100
/** Spanner takes 950 ("Quotas and limits"); expressions that the companion computes need some, too. */
const MAX_PARAMS = 900
const MAX_STATEMENT_BYTES = 1024 * 1024
const MAX_BATCH_STATEMENTS = 1_000
const MAX_BATCH_BYTES = 4 * 1024 * 1024

export interface RowFailure {
  /** The row that could not be written, from 0; undefined where it was one of several. */
  readonly row: number | undefined
  readonly error: unknown
}

interface Copied {
  readonly target: CopyTarget
  readonly rows: readonly CopiedRow[]
  /** Nothing else will be in their implicit transaction. */
  readonly isSole: boolean
}

/** Some of the rows, to be written by one statement. */
interface Group {
  readonly first: number
  readonly rows: readonly CopiedRow[]
  readonly sizeBytes: number
}

/** Writes rows by INSERT in the client's transaction, in batches. Resolves to what failed. */
export async function insertCopied(
  state: SessionState,
  copied: Copied,
): Promise<RowFailure | undefined> {
  const { target, rows, isSole } = copied
  const inserts = new Inserts(state, target)
  const batches = inBatches(groupsOf(rows, target.columns.length))
  for (const [index, groups] of batches.entries()) {
    const bound: BoundStatement[] = []
    for (const group of groups) bound.push(await inserts.bind(group.rows))
    const { rowCounts, error } = await state.block.executeBatch(bound.map(toSpanner), 'COPY FROM', {
      ...state.scope.callOptions(),
      isLast: isSole && index === batches.length - 1,
    })
    for (const insert of bound.slice(0, rowCounts.length)) recordUnseen(state, routeOf(insert))
    const failed = bound[rowCounts.length]
    if (failed === undefined) continue
    const group = groups[rowCounts.length]
    const explained = await explainFailedWrite(state, failed, error)
    return {
      row: group?.rows.length === 1 ? group.first : undefined,
      error:
        explained instanceof BackendError && explained.failure.kind.endsWith('violation')
          ? clientError(explained, state.database.schema.current, state.scope.signal)
          : explained,
    }
  }
  return undefined
}

function toSpanner(bound: BoundStatement): SpannerStatement {
  return { sql: routeOf(bound).sql, params: bound.spannerParams }
}

function routeOf({ described }: BoundStatement): PushdownRoute {
  const route = described.plan?.route
  if (route?.kind !== 'pushdown') throw new Bug('an INSERT of COPY does not go to Spanner')
  return route
}

/** As many rows in a group as a statement may have; those beside large ones go alone, so that few different texts come of it. */
function groupsOf(rows: readonly CopiedRow[], columnCount: number): readonly Group[] {
  const fitting = Math.min(MAX_ROWS_PER_STATEMENT, Math.floor(MAX_PARAMS / columnCount))
  const size = rows.length <= SINGLE_ROWS ? 1 : Math.max(1, fitting)
  const groups: Group[] = []
  for (let first = 0; first < rows.length; first += size) {
    const some = rows.slice(first, first + size)
    const sizeBytes = some.reduce((sum, row) => sum + bytesOf(row), 0)
    if (some.length === size && sizeBytes <= MAX_STATEMENT_BYTES) {
      groups.push({ first, rows: some, sizeBytes })
      continue
    }
    for (const [index, row] of some.entries()) {
      groups.push({ first: first + index, rows: [row], sizeBytes: bytesOf(row) })
    }
  }
  return groups
}

function bytesOf(row: CopiedRow): number {
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

/** INSERT statements of one COPY, described once for each number of rows. */
class Inserts {
  readonly #state: SessionState
  readonly #target: CopyTarget
  readonly #known = new Map<number, { statement: ParsedStatement; described: Described }>()

  constructor(state: SessionState, target: CopyTarget) {
    this.#state = state
    this.#target = target
  }

  async bind(rows: readonly CopiedRow[]): Promise<BoundStatement> {
    const described = this.#known.get(rows.length) ?? (await this.#describe(rows.length))
    const params = { formats: [BINARY_FORMAT] as const, values: rows.flat() }
    return bindStatement(this.#state, described, params, [])
  }

  async #describe(rowCount: number) {
    const [statement] = parseStatements(insertText(this.#target, rowCount))
    if (statement === undefined) throw new Bug('an INSERT of COPY is no statement')
    const types = this.#target.columns.map(({ typeOid }) => typeOid)
    const declared = Array.from({ length: rowCount }, () => types).flat()
    const described = await describeStatement(this.#state, statement, declared)
    if (described.plan?.route.kind === 'unsupported') throw described.plan.route.error
    const known = { statement, described }
    this.#known.set(rowCount, known)
    return known
  }
}

/** COPY writes what the data says into identity columns, too (manual, COPY: "as if OVERRIDING SYSTEM VALUE"). */
function insertText(target: CopyTarget, rowCount: number): string {
  const { columns } = target
  const names = columns.map(({ name }) => quoteIdentifier(name)).join(', ')
  const overriding = columns.some((column) => column.isAlwaysIdentity)
    ? 'OVERRIDING SYSTEM VALUE '
    : ''
  const rows = Array.from({ length: rowCount }, (_, row) => {
    const first = row * columns.length + 1
    return `(${columns.map((_column, index) => `$${first + index}`).join(', ')})`
  })
  return `INSERT INTO ${emitPostgresName(target)} (${names}) ${overriding}VALUES ${rows.join(', ')}`
}
