import { namedRelations, type RelationName } from '../sql/named-relations.ts'
import type { ParsedStatement } from '../sql/statement.ts'
import { OID } from '../types/pg-type.ts'
import type { SessionState } from './session-state.ts'
import { catalogSource } from './temporary-tables.ts'

/** Rejects with 42P01 (3F000 ...) as PostgreSQL does where a relation that a utility statement names does not exist. */
export async function demandRelations(
  state: SessionState,
  statement: ParsedStatement,
): Promise<void> {
  const source = catalogSource(state)
  for (const relation of namedRelations(statement.node)) {
    await source.read({
      text: 'SELECT $1::pg_catalog.text::pg_catalog.regclass',
      paramTypes: [OID.text],
      paramFormats: [],
      params: [Buffer.from(quotedName(relation))],
      resultFormats: [],
      session: state.context(),
      signal: state.scope.signal,
    })
  }
}

function quotedName({ schema, name }: RelationName): string {
  const parts = schema === undefined ? [name] : [schema, name]
  return parts.map((part) => `"${part.replaceAll('"', '""')}"`).join('.')
}
