import { Bug } from '../base/pg-error.ts'
import { replaceMoments } from '../sql/replace-moments.ts'
import {
  type NamedRelation,
  namesOfCtes,
  relationsInFrom,
  replaceRelations,
} from '../sql/replace-relations.ts'
import { replaceSettings } from '../sql/replace-settings.ts'
import { type ParsedStatement, parseStatements } from '../sql/statement.ts'
import { timestampLiteral } from '../types/moment.ts'
import { replaceListeningChannels } from './listening-channels.ts'
import { shownByProxy } from './run-settings.ts'
import type { SessionState } from './session-state.ts'
import { replaceSharedCatalogs } from './shared-catalogs.ts'
import { readTexts } from './text-request.ts'

/** A statement's text with its raw tree. */
export type StatementText = Pick<ParsedStatement, 'text' | 'node'>

/**
 * The statement as the companion is to run it for this client: what stands for the client's transaction (now() and its relatives, settings and channels
 * that only the proxy knows) is written in as constants, and so are, where they hold such a moment, the views that the statement reads. Databases and roles are
 * those of the client's server.
 */
export async function companionText(
  state: SessionState,
  statement: StatementText,
  mustExpandViews: boolean,
): Promise<StatementText> {
  const expanded = mustExpandViews ? await expandViews(state, statement) : statement
  return withSharedCatalogs(atMoment(state, withOwnSettings(state, expanded)))
}

function withSharedCatalogs({ text, node }: StatementText): StatementText {
  return renewed({ text, node }, replaceSharedCatalogs(text, node))
}

/** A query of the proxy's own making with the settings that only the proxy knows written in. */
export function textWithOwnSettings(state: SessionState, text: string): string {
  if (!/current_setting|pg_listening_channels/i.test(text)) return text
  const [statement] = parseStatements(text)
  return statement === undefined ? text : withOwnSettings(state, statement).text
}

function withOwnSettings(state: SessionState, { text, node }: StatementText): StatementText {
  const findValue = (name: string) => shownByProxy(state, name)
  const told = renewed({ text, node }, replaceSettings(text, node, findValue))
  return renewed(told, replaceListeningChannels(told, state.notifications.channels))
}

function atMoment(state: SessionState, { text, node }: StatementText): StatementText {
  const { startMicros } = state.block
  if (startMicros === undefined) return { text, node }
  return renewed({ text, node }, replaceMoments(text, node, timestampLiteral(startMicros)))
}

function renewed(statement: StatementText, text: string): StatementText {
  if (text === statement.text) return statement
  const [only, ...others] = parseStatements(text)
  if (only === undefined || others.length > 0) throw new Bug('a rewritten statement is not one')
  return only
}

/** Deeper than views are ever nested. */
const MAX_DEPTH = 32

/** Puts the definitions of the client's views in their places, until none is left. */
async function expandViews(state: SessionState, statement: StatementText): Promise<StatementText> {
  let current = statement
  for (let depth = 0; depth < MAX_DEPTH; depth++) {
    const relations = relationsInFrom(current.node)
    const definitions = await viewDefinitions(state, relations)
    const ctes = namesOfCtes(current.node)
    const replacements = relations.flatMap((relation) => {
      const query = definitions.get(relation.name)
      return query === undefined || isCaptured(relation, query, ctes) ? [] : [{ relation, query }]
    })
    if (replacements.length === 0) return current
    current = renewed(current, replaceRelations(current.text, replacements))
  }
  return current
}

/** Whether a CTE would be taken for the view, or for something that the view reads. */
function isCaptured(relation: NamedRelation, query: string, ctes: ReadonlySet<string>): boolean {
  if (ctes.size === 0) return false
  const [view] = parseStatements(query)
  const read = view === undefined ? [] : relationsInFrom(view.node)
  return [relation, ...read].some(({ plainName }) => plainName !== undefined && ctes.has(plainName))
}

/** Definitions of the client's views among the names, by name, without the semicolon; with the schemas of what they name, so that no CTE is taken for it. */
async function viewDefinitions(
  state: SessionState,
  relations: readonly NamedRelation[],
): Promise<ReadonlyMap<string, string>> {
  const names = [...new Set(relations.map(({ name }) => name))]
  const rows = await readTexts(
    state,
    `WITH found AS MATERIALIZED (
        SELECT n.name, c.oid FROM pg_catalog.json_array_elements_text($1::pg_catalog.json) n(name)
        JOIN pg_catalog.pg_class c ON c.oid = pg_catalog.to_regclass(n.name) AND c.relkind = 'v' AND c.oid >= 16384 ORDER BY n.name)
      SELECT name, CASE WHEN pg_catalog.set_config('search_path', 'pg_catalog', true) IS NOT NULL THEN pg_catalog.pg_get_viewdef(oid) END FROM found`,
    [JSON.stringify(names)],
  )
  return new Map(
    rows.map(([name = '', definition = '']) => [name, definition.replace(/;\s*$/, '')]),
  )
}
