import { PgError } from '../base/pg-error.ts'
import { SQL_STATE } from '../base/sql-state.ts'
import type { RawBody } from '../sql/raw-node.ts'
import type { ParsedStatement } from '../sql/statement.ts'
import { type Answer, tagOnly } from './answer.ts'
import { mustBe } from './client-error.ts'
import type { SessionState } from './session-state.ts'
import { readTexts } from './text-request.ts'

/** Whether the constraints of a name that come first in the search path can be deferred. $1: the name, $2: its schema, or nothing. */
const NAMED_SQL = `SELECT pg_catalog.bool_and(c.condeferrable)
  FROM pg_catalog.pg_constraint c JOIN pg_catalog.pg_namespace n ON n.oid = c.connamespace,
    pg_catalog.array_position(CASE $2::pg_catalog.text WHEN '' THEN pg_catalog.current_schemas(true) ELSE ARRAY[$2::pg_catalog.name] END, n.nspname) place
  WHERE c.conname = $1::pg_catalog.text AND place IS NOT NULL GROUP BY place ORDER BY place LIMIT 1`

/**
 * SET CONSTRAINTS: checks what it names as PostgreSQL does (AfterTriggerSetState of src/backend/commands/trigger.c), and changes nothing. Constraints are
 * checked after each statement, whatever they were declared as. `isSole`: nothing else is in its implicit transaction.
 */
export async function runConstraints(
  state: SessionState,
  statement: ParsedStatement,
  isSole: boolean,
): Promise<Answer> {
  const { constraints = [], deferred } = mustBe(
    'ConstraintsSetStmt' in statement.node ? statement.node.ConstraintsSetStmt : undefined,
  )
  if (state.block.state !== 'explicit' && isSole) {
    state.notice({
      severity: 'WARNING',
      code: SQL_STATE.noActiveSqlTransaction,
      message: 'SET CONSTRAINTS can only be used in transaction blocks',
    })
  }
  for (const constraint of constraints) {
    if ('RangeVar' in constraint) await demand(state, constraint.RangeVar, deferred === true)
  }
  return tagOnly(statement.tag)
}

async function demand(
  state: SessionState,
  { relname: name = '', schemaname = '' }: RawBody<'RangeVar'>,
  isDeferred: boolean,
): Promise<void> {
  const [row] = await readTexts(state, NAMED_SQL, [name, schemaname])
  if (row === undefined) {
    throw new PgError(SQL_STATE.undefinedObject, `constraint "${name}" does not exist`)
  }
  const isDeferrable = row[0] === 't'
  if (isDeferrable || !isDeferred) return
  throw new PgError(SQL_STATE.wrongObjectType, `constraint "${name}" is not deferrable`)
}
