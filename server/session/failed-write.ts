import { BackendError, type BackendFailureKind } from '../backend/backend-error.ts'
import { PgError } from '../base/pg-error.ts'
import type { WrittenRelation } from '../plan/plan.ts'
import { toPgError } from '../schema/constraint-errors.ts'
import { TEXT_FORMAT } from '../wire/field-description.ts'
import { type BoundStatement, computeExpressions } from './bound-statement.ts'
import type { SessionState } from './session-state.ts'

/** Failures whose words speak of the row or of a key in it. */
const SPEAKS_OF_ROW: ReadonlySet<BackendFailureKind> = new Set([
  'unique-violation',
  'foreign-key-violation',
  'not-null-violation',
  'check-violation',
])

/**
 * An error of a statement that writes, with what Spanner does not say of it: which table it was, which row. Every other error stays
 * what it is.
 */
export async function explainFailedWrite(
  state: SessionState,
  bound: BoundStatement,
  error: unknown,
): Promise<unknown> {
  const route = bound.described.plan?.route
  if (!(error instanceof BackendError) || route?.kind !== 'pushdown') return error
  const { written } = route
  if (written === undefined || !SPEAKS_OF_ROW.has(error.failure.kind)) return error
  const schema = state.schema
  const table = schema.tablesByPhysicalName.get(written.table)
  if (table === undefined) return error
  return toPgError(error, schema, { table, row: await computeRow(state, bound, written) })
}

/** Undefined where the row is not known, or PostgreSQL cannot make it: then the error says less. */
async function computeRow(
  state: SessionState,
  bound: BoundStatement,
  { row }: WrittenRelation,
): Promise<readonly (string | null)[] | undefined> {
  if (row === undefined) return undefined
  try {
    const cells = await computeExpressions(state, row, bound.params, { format: TEXT_FORMAT })
    return cells.map((cell) => cell?.toString('utf8') ?? null)
  } catch (error) {
    if (error instanceof PgError) return undefined
    throw error
  }
}
