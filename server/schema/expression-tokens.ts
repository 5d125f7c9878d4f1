/** A token of an expression as PostgreSQL prints it; quoted names come without their quotes, texts with theirs. */
export interface Token {
  readonly kind: 'string' | 'number' | 'word' | 'quoted' | 'symbol'
  readonly text: string
}

const TOKEN =
  /\s*(?:(E?'(?:[^']|'')*')|(\d+(?:\.\d*)?(?:e[+-]?\d+)?)|([A-Za-z_\u0080-\uffff][\w$\u0080-\uffff]*)|"((?:[^"]|"")*)"|(::|[()[\],.]|[-+*/<>=~!@#%^&|`?]+))/giy

/** The tokens of an expression; undefined where some part of it is none that is known. */
export function tokenize(text: string): Token[] | undefined {
  const tokens: Token[] = []
  const end = text.trimEnd().length
  TOKEN.lastIndex = 0
  while (TOKEN.lastIndex < end) {
    const match = TOKEN.exec(text)
    if (match === null) return undefined
    const [, string, number, word, quoted, symbol] = match
    if (string !== undefined) tokens.push({ kind: 'string', text: string })
    else if (number !== undefined) tokens.push({ kind: 'number', text: number })
    else if (word !== undefined) tokens.push({ kind: 'word', text: word })
    else if (quoted !== undefined)
      tokens.push({ kind: 'quoted', text: quoted.replaceAll('""', '"') })
    else tokens.push({ kind: 'symbol', text: symbol ?? '' })
  }
  return tokens
}
