import { isTableEmpty } from '../schema/ddl-plan.ts'
import { unsupported } from '../schema/unsupported.ts'
import { computedColumns } from '../sql/computed-columns.ts'
import type { RawBody } from '../sql/raw-node.ts'
import { type ParsedStatement, parseStatements } from '../sql/statement.ts'
import { mustBe } from './client-error.ts'
import { companionText } from './companion-text.ts'
import type { DdlParticipant } from './ddl-participant.ts'
import type { SessionState } from './session-state.ts'
import { textCells } from './text-answer.ts'
import { readTexts, textRequest } from './text-request.ts'

/**
 * After DDL: keeps what ALTER TABLE filled new columns with, under the labels of today. Rejects with 0A000 where it computed columns of a table with rows anew
 * (ALTER .. TYPE .. USING): Spanner keeps what it has stored.
 */
export async function noteAlteredColumns(
  state: SessionState,
  ddl: DdlParticipant,
  statement: ParsedStatement,
): Promise<void> {
  const { node } = statement
  if ('AlterEnumStmt' in node) await noteLabelRenamed(state, ddl, node.AlterEnumStmt)
  if (!('AlterTableStmt' in node)) return
  await ddl.noteAdded((expression) => evaluate(state, ddl, expression))
  const computed = computedColumns(node)
  if (computed === undefined) return
  const asked = 'SELECT pg_catalog.to_regclass($1)::pg_catalog.oid'
  const [[relid] = []] = await readTexts(state, asked, [computed.table], ddl.pinned)
  const table = state.schema.relations.get(Number(relid))
  // A table that the transaction made, and that Spanner does not have yet, has no rows.
  if (table?.kind !== 'table') return
  const { physicalName } = table
  const { backend } = state.database
  const isWritten = state.block.spanner.written.has(physicalName)
  if (!isWritten && (await isTableEmpty(backend, physicalName, state.scope.callOptions()))) return
  throw unsupported(
    `column "${computed.columns[0]}" cannot be computed by USING: table "${table.name}" has rows`,
    'Add a column, fill it with UPDATE, drop the old one and rename the new one.',
  )
}

async function noteLabelRenamed(
  state: SessionState,
  ddl: DdlParticipant,
  { typeName = [], oldVal, newVal }: RawBody<'AlterEnumStmt'>,
): Promise<void> {
  if (oldVal === undefined || newVal === undefined) return
  const parts = typeName.map((part) => ('String' in part ? (part.String.sval ?? '') : ''))
  const name = parts.map((part) => `"${part.replaceAll('"', '""')}"`).join('.')
  const asked = 'SELECT pg_catalog.to_regtype($1)::pg_catalog.oid'
  const [[typeOid] = []] = await readTexts(state, asked, [name], ddl.pinned)
  ddl.noteLabelRenamed({ typeOid: Number(typeOid), from: oldVal, to: newVal })
}

/** Values are read again under other settings. */
const VALUE_SETTINGS = [
  ['DateStyle', 'ISO, YMD'],
  ['IntervalStyle', 'postgres'],
  ['extra_float_digits', '3'],
  ['bytea_output', 'hex'],
] as const

/** A default as text, at the start of the client's transaction; null is NULL. */
async function evaluate(
  state: SessionState,
  { pinned }: DdlParticipant,
  expression: string,
): Promise<string | null> {
  const query = `SELECT x.value IS NULL, x.value FROM (SELECT CAST(${expression} AS pg_catalog.text) AS value) x`
  const { text } = await companionText(state, mustBe(parseStatements(query)[0]), false)
  const { session, ...request } = textRequest(state, text)
  const settings = new Map([...session.settings, ...VALUE_SETTINGS])
  const { rows } = await pinned.read({ ...request, session: { ...session, settings } })
  const [isNull, value] = rows.flatMap(textCells)
  return isNull === 'f' ? (value ?? null) : null
}
