import type { RawNode } from './raw-node.ts'
import { StatementTokens } from './statement-tokens.ts'

/** What an EXPLAIN asks about. */
export interface ExplainCommand {
  /** The statement, as written. */
  readonly text: string
  readonly statement: RawNode
  /** The statement is run, too. */
  readonly analyze: boolean
}

const OPTION_WORDS = new Set(['analyze', 'analyse', 'verbose'])

/** What an EXPLAIN says; undefined for any other statement. `text` is that of the ParsedStatement. */
export function explainCommand(text: string, node: RawNode): ExplainCommand | undefined {
  if (!('ExplainStmt' in node)) return undefined
  const { query, options = [] } = node.ExplainStmt
  if (query === undefined) return undefined
  const source = new StatementTokens(text)
  let first = 1
  if (options.length > 0 && source.tokens[1]?.text === '(') first = source.closing(1) + 1
  else while (OPTION_WORDS.has(source.tokens[first]?.text.toLowerCase() ?? '')) first++
  const names = options.map((option) => ('DefElem' in option ? option.DefElem.defname : ''))
  return {
    text: source.slice(source.tokens[first]?.start ?? 0, source.endByte),
    statement: query,
    // Whatever is said of it: `ANALYZE off` is taken for on.
    analyze: names.includes('analyze'),
  }
}
