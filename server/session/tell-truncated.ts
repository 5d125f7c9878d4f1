import { SQL_STATE } from '../base/sql-state.ts'
import type { ParsedStatement } from '../sql/statement.ts'
import { truncatedIdentifiers } from '../sql/truncated-identifiers.ts'
import type { SessionState } from './session-state.ts'

/** Statements whose names the proxy alone reads: of others PostgreSQL itself tells. */
const CATEGORIES: ReadonlySet<ParsedStatement['category']> = new Set([
  'deallocate',
  'execute',
  'listen',
  'transaction',
])

/** Notices about names that are longer than PostgreSQL keeps. */
export function tellTruncated(state: SessionState, { category, text }: ParsedStatement): void {
  if (!CATEGORIES.has(category)) return
  for (const { written, kept } of truncatedIdentifiers(text)) {
    state.notice({
      severity: 'NOTICE',
      code: SQL_STATE.nameTooLong,
      message: `identifier "${written}" will be truncated to "${kept}"`,
    })
  }
}
