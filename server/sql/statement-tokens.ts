import { postgresParser } from './postgres-parser.ts'

/** One token of a statement. Offsets are bytes (UTF-8), as in locations of nodes. */
export interface StatementToken {
  readonly start: number
  readonly end: number
  /** As written: case and quotes kept. */
  readonly text: string
}

/** One of the texts that commas part. */
export interface ListItem {
  readonly text: string
  readonly startByte: number
}

const COMMENTS = new Set(['C_COMMENT', 'SQL_COMMENT'])
const OPENING = new Set(['(', '['])
const CLOSING = new Set([')', ']'])

/**
 * The tokens of one statement by PostgreSQL's own scanner, comments left out: for cutting out pieces of the client's text exactly as written,
 * which the parse tree (it has only starting points) does not say.
 */
export class StatementTokens {
  readonly #text: string
  #scanned: readonly StatementToken[] | undefined
  #encoded: Buffer | undefined

  /** The text is scanned when a token of it is first asked for: it may hold megabytes, and nothing to cut out. */
  constructor(text: string) {
    this.#text = text
  }

  get tokens(): readonly StatementToken[] {
    this.#scanned ??= scan(this.#text)
    return this.#scanned
  }

  get #bytes(): Buffer {
    this.#encoded ??= Buffer.from(this.#text)
    return this.#encoded
  }

  get endByte(): number {
    return this.#bytes.length
  }

  slice(startByte: number, endByte: number): string {
    return this.#bytes.toString('utf8', startByte, endByte)
  }

  /** The index of the first token that begins at or behind a byte offset; `tokens.length` where none does. */
  indexAt(byte: number): number {
    let low = 0
    let high = this.tokens.length
    while (low < high) {
      const middle = (low + high) >> 1
      if ((this.tokens[middle]?.start ?? 0) < byte) low = middle + 1
      else high = middle
    }
    return low
  }

  /** The index of the first token from `from` on that reads `text` (lower case) outside every parenthesis opened since; -1 where none does. */
  find(text: string, from: number): number {
    let depth = 0
    for (let i = from; i < this.tokens.length; i++) {
      const token = this.tokens[i]?.text.toLowerCase() ?? ''
      if (depth === 0 && token === text) return i
      if (OPENING.has(token)) depth++
      if (CLOSING.has(token) && --depth < 0) return -1
    }
    return -1
  }

  /** The index of the parenthesis that closes the one at `open`; -1 where none does. */
  closing(open: number): number {
    return this.find(')', open + 1)
  }

  /** The texts between the parentheses at `open`, split at commas, as written; none for `()`. */
  listIn(open: number): readonly string[] {
    return this.itemsIn(open).map((item) => item.text)
  }

  /** As {@link listIn}, with where each text begins. */
  itemsIn(open: number): readonly ListItem[] {
    const close = this.closing(open)
    if (close <= open + 1) return []
    const items: ListItem[] = []
    let first = open + 1
    for (let at = first; at <= close; ) {
      const comma = this.find(',', at)
      const end = comma < 0 || comma > close ? close : comma
      const startByte = this.tokens[first]?.start ?? 0
      items.push({ text: this.slice(startByte, this.tokens[end - 1]?.end ?? 0), startByte })
      first = end + 1
      at = first
    }
    return items
  }
}

function scan(text: string): readonly StatementToken[] {
  if (text === '') return []
  const { tokens } = postgresParser().scanSync(text)
  return tokens.filter(({ tokenName }) => !COMMENTS.has(tokenName))
}
