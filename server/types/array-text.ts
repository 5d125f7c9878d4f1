/*
 * Text of one-dimensional arrays (array_out, array_in in src/backend/utils/adt/arrayfuncs.c). The delimiter is a comma for
 * every type but box, which Spanner does not have.
 */

/** What array_out puts into quotes: empty text, the word NULL, and text with a brace, delimiter, quote, backslash or blank. */
const NEEDS_QUOTES = /^$|^null$|[{},"\\ \t\n\r\v\f]/i

/** One element as array_out writes it; undefined is SQL NULL. */
export function quoteArrayElement(text: string | undefined): string {
  if (text === undefined) return 'NULL'
  if (!NEEDS_QUOTES.test(text)) return text
  return `"${text.replace(/["\\]/g, '\\$&')}"`
}

/** `{a,"b c",NULL}`. */
export function arrayText(elements: readonly (string | undefined)[]): string {
  return `{${elements.map(quoteArrayElement).join(',')}}`
}

/** What became of the text of an array. */
export type ParsedArray =
  | { readonly kind: 'elements'; readonly elements: readonly (string | null)[] }
  /** Dimensions beyond the first, or a lower bound that is not 1. */
  | { readonly kind: 'unsupported' }
  /** Not what array_out writes: perhaps malformed, perhaps not. */
  | { readonly kind: 'unknown' }

const BLANK = /[ \t\n\r\v\f]/

/** Reads what array_in reads, as far as it has one dimension; leaves every error to PostgreSQL. */
export function parseArrayText(text: string): ParsedArray {
  const trimmed = text.replace(/^[ \t\n\r\v\f]+|[ \t\n\r\v\f]+$/g, '')
  if (/^(\[[+-]?\d+(:[+-]?\d+)?\])+\s*=\s*\{/.test(trimmed)) return { kind: 'unsupported' }
  if (!trimmed.startsWith('{') || !trimmed.endsWith('}')) return { kind: 'unknown' }
  if (/^\{\s*\}$/.test(trimmed)) return { kind: 'elements', elements: [] }
  if (/^\{\s*\{/.test(trimmed)) return { kind: 'unsupported' }
  return new ArrayTextParser(trimmed).parse()
}

class ArrayTextParser {
  readonly #text: string
  #position = 1

  constructor(text: string) {
    this.#text = text
  }

  parse(): ParsedArray {
    const elements: (string | null)[] = []
    while (true) {
      const element = this.#element()
      if (element === undefined) return { kind: 'unknown' }
      elements.push(element)
      const delimiter = this.#text[this.#position++]
      if (delimiter === ',') continue
      if (delimiter === '}' && this.#position === this.#text.length) {
        return { kind: 'elements', elements }
      }
      return { kind: 'unknown' }
    }
  }

  #element(): string | null | undefined {
    this.#skipBlanks()
    if (this.#text[this.#position] !== '"') return this.#unquoted()
    const quoted = this.#quoted()
    this.#skipBlanks()
    return quoted
  }

  #skipBlanks(): void {
    while (BLANK.test(this.#text[this.#position] ?? '')) this.#position++
  }

  #quoted(): string | undefined {
    let element = ''
    for (let at = this.#position + 1; at < this.#text.length; at++) {
      const char = this.#text[at]
      if (char === '"') {
        this.#position = at + 1
        return element
      }
      element += char === '\\' ? (this.#text[++at] ?? '') : char
    }
    return undefined
  }

  /** Backslashes may hide anything in an unquoted element: such texts are left to PostgreSQL. */
  #unquoted(): string | null | undefined {
    const match = /[^,{}"\\]*/y
    match.lastIndex = this.#position
    const raw = match.exec(this.#text)?.[0] ?? ''
    this.#position += raw.length
    const element = raw.replace(/[ \t\n\r\v\f]+$/, '')
    if (element === '') return undefined
    return element.toLowerCase() === 'null' ? null : element
  }
}
