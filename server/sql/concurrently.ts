import type { RawBody, RawNode } from './raw-node.ts'
import { StatementTokens } from './statement-tokens.ts'

/** Whether CONCURRENTLY was said: CREATE INDEX, DROP INDEX, REINDEX, REFRESH MATERIALIZED VIEW, ALTER TABLE DETACH PARTITION. */
export function isConcurrently(node: RawNode): boolean {
  if ('IndexStmt' in node) return node.IndexStmt.concurrent === true
  if ('DropStmt' in node) return node.DropStmt.concurrent === true
  if ('RefreshMatViewStmt' in node) return node.RefreshMatViewStmt.concurrent === true
  if ('ReindexStmt' in node) return reindexIsConcurrent(node.ReindexStmt)
  if (!('AlterTableStmt' in node)) return false
  return (node.AlterTableStmt.cmds ?? []).some((cmd) => {
    const def = 'AlterTableCmd' in cmd ? cmd.AlterTableCmd.def : undefined
    return def !== undefined && 'PartitionCmd' in def && def.PartitionCmd.concurrent === true
  })
}

function reindexIsConcurrent(body: RawBody<'ReindexStmt'>): boolean {
  return (body.params ?? []).some((p) => 'DefElem' in p && p.DefElem.defname === 'concurrently')
}

/**
 * The statement without CONCURRENTLY, so that it can run inside a transaction block; the rest of `text` as it was. PostgreSQL does not take
 * the word unquoted as the name of a table, so the first one is the one. In the option list of REINDEX it becomes `CONCURRENTLY FALSE`.
 */
export function withoutConcurrently(text: string, node: RawNode): string {
  if (!isConcurrently(node)) return text
  const source = new StatementTokens(text)
  const at = source.tokens.findIndex((token) => token.text.toLowerCase() === 'concurrently')
  const word = source.tokens[at]
  const before = source.tokens[at - 1]
  if (word === undefined || before === undefined) return text
  if (before.text !== '(' && before.text !== ',')
    return source.slice(0, before.end) + source.slice(word.end, source.endByte)
  const comma = source.find(',', at)
  const next = source.tokens[comma < 0 ? source.find(')', at) : comma]?.start ?? word.end
  return `${source.slice(0, word.end)} FALSE${source.slice(next, source.endByte)}`
}
