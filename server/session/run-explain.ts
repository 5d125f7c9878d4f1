import { findCalls } from '../sql/call-sites.ts'
import { explainCommand } from '../sql/explain-command.ts'
import { type ParsedStatement, parseStatements } from '../sql/statement.ts'
import type { Answer } from './answer.ts'
import type { BoundStatement } from './bound-statement.ts'
import { mustBe } from './client-error.ts'
import { describeStatement } from './describe.ts'
import { refuseStatement } from './refuse-statement.ts'
import { runQuery } from './run-query.ts'
import { isSessionFunction } from './session-functions.ts'
import type { SessionState } from './session-state.ts'

/** EXPLAIN of a query that the companion runs by itself: its plan is the one that is shown. Spanner's plans have no form of PostgreSQL's. */
export async function runExplain(
  state: SessionState,
  bound: BoundStatement & { readonly statement: ParsedStatement },
): Promise<Answer> {
  const { statement } = bound
  const { text, statement: node, analyze } = mustBe(explainCommand(statement.text, statement.node))
  const isQuery = 'SelectStmt' in node && node.SelectStmt.intoClause === undefined
  if (!isQuery) return refuseStatement(state, statement)
  const explained = mustBe(parseStatements(text)[0])
  const types = bound.described.paramTypes
  const { plan } = await describeStatement(state, explained, types)
  // The proxy calls these, not the companion.
  const callsProxy = findCalls(text, explained.node, isSessionFunction).length > 0
  if (plan?.route.kind !== 'catalog' || (analyze && callsProxy)) {
    return refuseStatement(state, statement)
  }
  return runQuery(state, bound, false)
}
