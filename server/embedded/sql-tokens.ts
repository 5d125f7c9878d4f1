/** A token of Spanner's SQL. Comments and white space are not tokens. */
export interface SqlToken {
  /** A hint is `/*@ .. *\/` as a whole: a comment to PostgreSQL. */
  readonly kind: 'word' | 'quoted' | 'string' | 'number' | 'param' | 'symbol' | 'hint'
  /** As written. */
  readonly text: string
  /** Keywords and unquoted names folded to lower case, quoted names without their quotes; else as `text`. */
  readonly value: string
  readonly start: number
  readonly end: number
}

/** One alternative a kind of token (manual, section 4.1). Nested comments are cut out before, by hand. */
const TOKEN =
  /(?<space>\s+|--[^\n]*)|(?<string>[bBxXnN]?'(?:[^']|'')*')|(?<escape>[eE]'(?:[^'\\]|\\.|'')*')|(?<quoted>"(?:[^"]|"")*")|(?<word>[A-Za-z_\u0080-\uffff][A-Za-z0-9_$\u0080-\uffff]*)|(?<param>\$\d+)|(?<dollar>\$(?<tag>[A-Za-z_][A-Za-z0-9_]*|)\$[\s\S]*?\$\k<tag>\$)|(?<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)|(?<symbol>::|[<>]=|<>|!=|->>|->|\|\||[\s\S])/uy

/** Cuts SQL into tokens, hints left out. What is malformed (an open quote) comes out as single symbols; PostgreSQL words the error. */
export function tokenize(sql: string): SqlToken[] {
  return tokenizeWithHints(sql).filter(({ kind }) => kind !== 'hint')
}

/** {@link tokenize} with the hints; one without an end is left to PostgreSQL. */
export function tokenizeWithHints(sql: string): SqlToken[] {
  const tokens: SqlToken[] = []
  let at = 0
  while (at < sql.length) {
    if (sql.startsWith('/*', at)) {
      const end = endOfComment(sql, at)
      const text = sql.slice(at, end)
      if (/^\/\*@[\s\S]*\*\/$/.test(text))
        tokens.push({ kind: 'hint', text, value: text, start: at, end })
      at = end
      continue
    }
    TOKEN.lastIndex = at
    const match = TOKEN.exec(sql)
    if (match === null) break
    const text = match[0]
    const end = at + text.length
    const kind = kindOf(match.groups ?? {})
    if (kind !== undefined)
      tokens.push({ kind, text, value: foldedText(kind, text), start: at, end })
    at = end
  }
  return tokens
}

function kindOf(
  groups: Readonly<Record<string, string | undefined>>,
): SqlToken['kind'] | undefined {
  if (groups['space'] !== undefined) return undefined
  if (groups['word'] !== undefined) return 'word'
  if (groups['quoted'] !== undefined) return 'quoted'
  if (groups['number'] !== undefined) return 'number'
  if (groups['param'] !== undefined) return 'param'
  return groups['symbol'] === undefined ? 'string' : 'symbol'
}

function foldedText(kind: SqlToken['kind'], text: string): string {
  if (kind === 'word') return text.toLowerCase()
  if (kind === 'quoted') return text.slice(1, -1).replaceAll('""', '"')
  return text
}

/** Comments nest (src/backend/parser/scan.l, xcstart). */
function endOfComment(sql: string, start: number): number {
  let depth = 1
  const marks = /\/\*|\*\//g
  marks.lastIndex = start + 2
  for (let match = marks.exec(sql); match !== null; match = marks.exec(sql)) {
    depth += match[0] === '/*' ? 1 : -1
    if (depth === 0) return marks.lastIndex
  }
  return sql.length
}
