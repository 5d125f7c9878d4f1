import { skipBlanks, trimBlanks, trimBlanksEnd } from './blanks.ts'

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

/** MAXDIM. */
const MAX_DIMENSIONS = 6
/** As array_out writes them: `[0:2]=`, `[1:2][1:3]=`. */
const BOUNDS = /^(?:\[-?\d+:-?\d+\])+=/
const ONE_BOUND = /^\[(-?\d+):(-?\d+)\]=$/

/** Reads what array_in reads, as far as it has one dimension; leaves every error to PostgreSQL. */
export function parseArrayText(text: string): ParsedArray {
  const trimmed = trimBlanks(text)
  const bounds = BOUNDS.exec(trimmed)?.[0] ?? ''
  const list = new ArrayTextParser(trimmed.slice(bounds.length)).parse()
  const dimensions = list === undefined ? undefined : dimensionsOf(list)
  if (list === undefined || dimensions === undefined) return { kind: 'unknown' }
  if (dimensions > 1) return { kind: 'unsupported' }
  const [, lower = '1', upper = String(list.length)] = ONE_BOUND.exec(bounds) ?? []
  if (Number(upper) - Number(lower) + 1 !== list.length) return { kind: 'unknown' }
  if (lower !== '1') return { kind: 'unsupported' }
  return { kind: 'elements', elements: list.filter(isElement) }
}

type Item = string | null | List
type List = readonly Item[]

function isElement(item: Item): item is string | null {
  return item === null || typeof item === 'string'
}

/** The number of dimensions; undefined where lists and elements are mixed or lists have different lengths. */
function dimensionsOf(list: List): number | undefined {
  if (list.every(isElement)) return 1
  const shapes = new Set(
    list.map((item) => (isElement(item) ? 'element' : `${item.length} ${dimensionsOf(item)}`)),
  )
  const [first] = list
  if (shapes.size !== 1 || first === undefined || isElement(first) || first.length === 0) {
    return undefined
  }
  const inner = dimensionsOf(first)
  return inner === undefined || inner >= MAX_DIMENSIONS ? undefined : inner + 1
}

class ArrayTextParser {
  readonly #text: string
  #position = 0

  constructor(text: string) {
    this.#text = text
  }

  /** The whole text as one list, or undefined. */
  parse(): List | undefined {
    const list = this.#text.startsWith('{') ? this.#list(1) : undefined
    return this.#position === this.#text.length ? list : undefined
  }

  #list(depth: number): List | undefined {
    this.#position++
    this.#skipBlanks()
    const items: Item[] = []
    if (this.#text[this.#position] === '}') {
      this.#position++
      return items
    }
    while (depth <= MAX_DIMENSIONS) {
      const item = this.#item(depth)
      if (item === undefined) return undefined
      items.push(item)
      this.#skipBlanks()
      const delimiter = this.#text[this.#position++]
      if (delimiter === '}') return items
      if (delimiter !== ',') return undefined
    }
    return undefined
  }

  #item(depth: number): Item | undefined {
    this.#skipBlanks()
    const char = this.#text[this.#position]
    if (char === '{') return this.#list(depth + 1)
    return char === '"' ? this.#quoted() : this.#unquoted()
  }

  #skipBlanks(): void {
    this.#position = skipBlanks(this.#text, this.#position)
  }

  #quoted(): string | undefined {
    const pieces: string[] = []
    this.#position++
    while (this.#position < this.#text.length) {
      pieces.push(this.#run(/[^"\\]*/y))
      const char = this.#text[this.#position++]
      if (char === '"') return pieces.join('')
      pieces.push(this.#text[this.#position++] ?? '')
    }
    return undefined
  }

  /** Backslashes may hide anything in an unquoted element: such texts are left to PostgreSQL. */
  #unquoted(): string | null | undefined {
    const element = trimBlanksEnd(this.#run(/[^,{}"\\]*/y))
    if (element === '') return undefined
    return element.toLowerCase() === 'null' ? null : element
  }

  /** The characters that match from here on. */
  #run(pattern: RegExp): string {
    pattern.lastIndex = this.#position
    const run = pattern.exec(this.#text)?.[0] ?? ''
    this.#position += run.length
    return run
  }
}
