import { namedRelations, type RelationName } from '../sql/named-relations.ts'
import type { ParsedStatement } from '../sql/statement.ts'
import type { SessionState } from './session-state.ts'
import { readTexts } from './text-request.ts'

/** Rejects with 42P01 (3F000 ...) as PostgreSQL does where a relation that a utility statement names does not exist. */
export async function demandRelations(
  state: SessionState,
  statement: ParsedStatement,
): Promise<void> {
  for (const relation of namedRelations(statement.node)) {
    await readTexts(state, 'SELECT $1::pg_catalog.text::pg_catalog.regclass', [
      quotedName(relation),
    ])
  }
}

function quotedName({ schema, name }: RelationName): string {
  const parts = schema === undefined ? [name] : [schema, name]
  return parts.map((part) => `"${part.replaceAll('"', '""')}"`).join('.')
}
