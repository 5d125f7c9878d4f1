import type { ExecuteOptions, RowStream, SpannerStatement } from '../backend/backend.ts'
import { BackendError, type BackendFailure } from '../backend/backend-error.ts'
import type { ImpatientTransaction } from './lock-timeout.ts'
import type { BatchObservation, LogEntry, Observation } from './log.ts'
import { RowsSeen, SeenRowsFilter } from './rows-seen.ts'
import { isAnswer } from './statement-failure.ts'

/** Statements that one ExecuteBatchDml of a replay takes. */
const MAX_BATCH_STATEMENTS = 1000

/** For every call of a replay. */
export type ReplayOptions = Omit<ExecuteOptions, 'isDml' | 'isLast'>

/**
 * Runs a log in a new attempt at its transaction. Gives a few words on the first thing that the client was told and that is not
 * so any more, or undefined where all came out as before. Rejects with whatever keeps a statement from running, ABORTED first
 * of all.
 */
export async function replayLog(
  entries: Iterable<LogEntry>,
  attempt: ImpatientTransaction,
  options: ReplayOptions,
): Promise<string | undefined> {
  for (const step of groupEntries(entries)) {
    const tagged = {
      ...options,
      requestOptions: { ...options.requestOptions, requestTag: step.requestTag },
    }
    const changed =
      step.kind === 'batch'
        ? await replayBatch(attempt, step, tagged)
        : await replayStatement(attempt, step, tagged)
    if (changed !== undefined) return changed
  }
  return undefined
}

interface StatementStep {
  readonly kind: 'statement'
  readonly statement: SpannerStatement
  readonly isDml: boolean
  readonly isOrdered: boolean
  readonly requestTag?: string | undefined
  readonly observed: Observation
}

interface BatchStep {
  readonly kind: 'batch'
  readonly statements: readonly SpannerStatement[]
  readonly requestTag?: string | undefined
  readonly observed: BatchObservation
}

type Step = StatementStep | BatchStep

/** The steps of a replay: DML without RETURNING that succeeded goes in batches of the same tag, in however many pieces it came. */
function* groupEntries(entries: Iterable<LogEntry>): Generator<Step> {
  let statements: SpannerStatement[] = []
  let rowCounts: bigint[] = []
  let requestTag: string | undefined
  function* flush(): Generator<Step> {
    if (statements.length > 0) {
      yield { kind: 'batch', statements, requestTag, observed: { rowCounts, failure: undefined } }
    }
    statements = []
    rowCounts = []
  }
  for (const entry of entries) {
    const batchable = batchableStatements(entry)
    if (batchable === undefined) {
      yield* flush()
      yield* stepsOf(entry)
      continue
    }
    const isFull = statements.length + batchable.statements.length > MAX_BATCH_STATEMENTS
    if (isFull || batchable.requestTag !== requestTag) yield* flush()
    requestTag = batchable.requestTag
    statements.push(...batchable.statements)
    rowCounts.push(...batchable.rowCounts)
  }
  yield* flush()
}

interface Batchable {
  readonly statements: readonly SpannerStatement[]
  readonly requestTag: string | undefined
  readonly rowCounts: readonly bigint[]
}

function batchableStatements(entry: LogEntry): Batchable | undefined {
  switch (entry.kind) {
    case 'statement': {
      const { rows, rowCount, failure } = entry.observed
      if (!entry.isDml || rows !== undefined || rowCount === undefined || failure !== undefined) {
        return undefined
      }
      const statement = entry.again ?? entry.statement
      return { statements: [statement], requestTag: entry.requestTag, rowCounts: [rowCount] }
    }
    case 'batch':
      if (entry.observed.failure !== undefined) return undefined
      return { ...entry, requestTag: entry.requestTag, rowCounts: entry.observed.rowCounts }
    case 'load':
      return undefined
  }
}

function stepsOf(entry: LogEntry): readonly Step[] {
  switch (entry.kind) {
    case 'statement':
      return [{ ...entry, statement: entry.again ?? entry.statement }]
    case 'load':
      return [{ ...entry, kind: 'statement', isDml: false, isOrdered: false }]
    case 'batch':
      return [entry]
  }
}

async function replayStatement(
  attempt: ImpatientTransaction,
  step: StatementStep,
  options: ReplayOptions,
): Promise<string | undefined> {
  const { observed, isOrdered, isDml } = step
  const stream = attempt.execute(step.statement, { ...options, isDml })
  try {
    const hasSame = observed.isPartial
      ? await hasSeenRows(stream, observed.rows ?? new RowsSeen(), isOrdered)
      : await hasSameRows(stream, observed.rows, isOrdered)
    if (observed.failure !== undefined) return 'the outcome of a statement that had failed'
    if (!hasSame) return isDml ? 'the rows of RETURNING' : 'rows that it had read'
  } catch (error) {
    return compareFailure(error, observed.failure)
  }
  return isDml && stream.rowCount() !== observed.rowCount ? 'the count of rows' : undefined
}

/** Undefined where a statement fails as it did; throws what is no answer at all. */
function compareFailure(error: unknown, observed: BackendFailure | undefined): string | undefined {
  if (!(error instanceof BackendError) || !isAnswer(error.failure)) throw error
  if (observed === undefined) return 'the outcome of a statement that had succeeded'
  return sameFailure(error.failure, observed) ? undefined : 'the error of a statement'
}

function sameFailure(a: BackendFailure, b: BackendFailure): boolean {
  return JSON.stringify(a) === JSON.stringify(b)
}

async function hasSameRows(
  stream: RowStream,
  expected: RowsSeen | undefined,
  isOrdered: boolean,
): Promise<boolean> {
  const seen = new RowsSeen()
  for (let batch = await stream.next(); batch !== undefined; batch = await stream.next()) {
    if (expected !== undefined) seen.add(batch)
  }
  return expected === undefined || seen.digest(isOrdered) === expected.digest(isOrdered)
}

async function hasSeenRows(
  stream: RowStream,
  expected: RowsSeen,
  isOrdered: boolean,
): Promise<boolean> {
  const filter = new SeenRowsFilter(expected, isOrdered)
  for (let batch = await stream.next(); batch !== undefined; batch = await stream.next()) {
    if (filter.filter(batch) === undefined) {
      stream.cancel()
      return false
    }
  }
  return !filter.isWaiting
}

async function replayBatch(
  attempt: ImpatientTransaction,
  { statements, observed }: BatchStep,
  options: ReplayOptions,
): Promise<string | undefined> {
  const { rowCounts, error } = await attempt.executeBatch(statements, { ...options, isDml: true })
  if (error !== undefined) {
    const changed = compareFailure(error, observed.failure)
    if (changed !== undefined) return changed
  } else if (observed.failure !== undefined) return 'the outcome of a statement that had failed'
  const isSame =
    rowCounts.length === observed.rowCounts.length &&
    rowCounts.every((count, index) => count === observed.rowCounts[index])
  return isSame ? undefined : 'the count of rows'
}
