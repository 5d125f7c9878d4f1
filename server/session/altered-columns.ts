import { isTableEmpty } from '../schema/ddl-plan.ts'
import { unsupported } from '../schema/unsupported.ts'
import { computedColumns } from '../sql/computed-columns.ts'
import { type ParsedStatement, parseStatements } from '../sql/statement.ts'
import { mustBe } from './client-error.ts'
import { companionText } from './companion-text.ts'
import type { DdlParticipant } from './ddl-participant.ts'
import type { SessionState } from './session-state.ts'
import { readTexts } from './text-request.ts'

/**
 * After an ALTER TABLE: keeps what it filled new columns with. Rejects with 0A000 where it computed columns of a table with rows anew
 * (ALTER .. TYPE .. USING): Spanner keeps what it has stored.
 */
export async function noteAlteredColumns(
  state: SessionState,
  ddl: DdlParticipant,
  statement: ParsedStatement,
): Promise<void> {
  if (!('AlterTableStmt' in statement.node)) return
  await ddl.noteAdded((expression) => evaluate(state, ddl, expression))
  const computed = computedColumns(statement.node)
  if (computed === undefined) return
  const asked = 'SELECT pg_catalog.to_regclass($1)::pg_catalog.oid'
  const [[relid] = []] = await readTexts(state, asked, [computed.table], ddl.pinned)
  const { backend, schema } = state.database
  const table = schema.current.relations.get(Number(relid))
  // A table that the transaction made has no rows.
  if (table?.kind !== 'table') return
  if (await isTableEmpty(backend, table.physicalName, state.scope.callOptions())) return
  throw unsupported(
    `column "${computed.columns[0]}" cannot be computed by USING: table "${table.name}" has rows`,
    'Add a column, fill it with UPDATE, drop the old one and rename the new one.',
  )
}

/** A default as text, at the start of the client's transaction; null is NULL. */
async function evaluate(
  state: SessionState,
  { pinned }: DdlParticipant,
  expression: string,
): Promise<string | null> {
  const query = `SELECT x.value IS NULL, x.value FROM (SELECT CAST(${expression} AS pg_catalog.text) AS value) x`
  const { text } = await companionText(state, mustBe(parseStatements(query)[0]), false)
  const [row] = await readTexts(state, text, [], pinned)
  return row?.[0] === 'f' ? (row[1] ?? null) : null
}
