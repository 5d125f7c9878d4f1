import { findCalls, replaceSites } from '../sql/call-sites.ts'
import type { ParsedStatement } from '../sql/statement.ts'

/**
 * The statement with the channels of the client in the place of each pg_listening_channels(). PostgreSQL runs functions of its own that stand in a select
 * list by their OID, so that the companion's cannot be another one.
 */
export function replaceListeningChannels(
  { text, node }: Pick<ParsedStatement, 'text' | 'node'>,
  channels: ReadonlySet<string>,
): string {
  if (!/pg_listening_channels/i.test(text)) return text
  const sites = findCalls(text, node, (name) => name === NAME)
  const literals = [...channels].map((channel) => `E'${channel.replaceAll(/['\\]/g, '\\$&')}'`)
  const rows = `pg_catalog.unnest(CAST(ARRAY[${literals.join(', ')}] AS pg_catalog.text[]))`
  return replaceSites(text, sites, ({ isFromItem, hasAlias }) =>
    isFromItem && !hasAlias ? `${rows} AS "${NAME}"` : rows,
  )
}

const NAME = 'pg_listening_channels'
