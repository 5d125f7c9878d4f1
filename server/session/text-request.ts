import type { CompanionDatabase, ReadRequest } from '../companion/companion-types.ts'
import { OID } from '../types/pg-type.ts'
import type { SessionState } from './session-state.ts'
import { catalogSource } from './temporary-tables.ts'
import { textCells } from './text-answer.ts'

/** A query of the proxy's own: its parameters are of type text, and so is how its results come. */
export function textQuery(
  text: string,
  params: readonly string[] = [],
): Omit<ReadRequest, 'session' | 'signal'> {
  return {
    text,
    paramTypes: params.map(() => OID.text),
    paramFormats: [],
    params: params.map((param) => Buffer.from(param)),
    resultFormats: [],
  }
}

/** The same, asked in the client's session, for as long as its statement may run. */
export function textRequest(
  state: SessionState,
  text: string,
  params: readonly string[] = [],
): ReadRequest {
  return { ...textQuery(text, params), session: state.context(), signal: state.scope.signal }
}

/** The rows that it returns: the text of each cell, empty for NULL. Rejects with what PostgreSQL says. */
export async function readTexts(
  state: SessionState,
  text: string,
  params: readonly string[] = [],
  source: Pick<CompanionDatabase, 'read'> = catalogSource(state),
): Promise<readonly (readonly string[])[]> {
  const { rows } = await source.read(textRequest(state, text, params))
  return rows.map(textCells)
}
