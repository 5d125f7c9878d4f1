import { PgError } from '../base/pg-error.ts'
import { SQL_STATE } from '../base/sql-state.ts'

/*
 * jsonb's text: what jsonb_in reads and jsonb_out prints (src/backend/utils/adt/jsonb.c, jsonb_util.c). Keys are sorted by
 * their length in bytes and then by their bytes, of equal keys the last stays; numbers are numerics and keep their scale;
 * one blank stands after each colon and comma.
 */

/** Deeper values are refused, so that nobody's JSON exhausts the stack. */
const MAX_DEPTH = 1000

/** Exponents beyond are left to PostgreSQL: their numbers have hundreds of digits. */
const MAX_EXPONENT = 400

/** Prints a string as jsonb_out does (escape_json): JSON.stringify escapes the same characters in the same way. */
export function jsonStringText(text: string): string {
  return JSON.stringify(text)
}

/** Prints the pairs of an object in jsonb's order. */
export function jsonObjectText(pairs: readonly (readonly [key: string, value: string])[]): string {
  return `{${pairs.map(([key, value]) => `${jsonStringText(key)}: ${value}`).join(', ')}}`
}

/** Prints an array. */
export function jsonArrayText(elements: readonly string[]): string {
  return `[${elements.join(', ')}]`
}

/**
 * A JSON text as jsonb_out would print it, or undefined where jsonb_in might refuse it (malformed, \u0000, lone
 * surrogates, enormous numbers): PostgreSQL is to be asked then. Text that jsonb_out printed comes back as it is.
 */
export function normaliseJsonb(text: string): string | undefined {
  const reader = new JsonReader(text)
  const value = reader.value(0)
  return value !== undefined && reader.isAtEnd() ? value : undefined
}

const BLANKS = /[ \t\n\r]*/y
// biome-ignore lint/suspicious/noControlCharactersInRegex: JSON forbids exactly these inside a string.
const PLAIN_CHARACTERS = /[^"\\\u0000-\u001f]*/y
const NUMBER = /(-?)(0|[1-9]\d*)(?:\.(\d+))?(?:[eE]([+-]?\d+))?/y
const WORD = /true|false|null/y

class JsonReader {
  readonly #text: string
  #position = 0

  constructor(text: string) {
    this.#text = text
  }

  isAtEnd(): boolean {
    this.#match(BLANKS)
    return this.#position === this.#text.length
  }

  value(depth: number): string | undefined {
    if (depth > MAX_DEPTH) {
      throw new PgError(
        SQL_STATE.programLimitExceeded,
        `JSON is nested more than ${MAX_DEPTH} levels deep`,
      )
    }
    this.#match(BLANKS)
    const char = this.#text[this.#position]
    if (char === '{') return this.#object(depth)
    if (char === '[') return this.#array(depth)
    if (char !== '"') return this.#match(WORD)?.[0] ?? this.#number()
    const string = this.#string()
    return string === undefined ? undefined : jsonStringText(string)
  }

  #object(depth: number): string | undefined {
    const pairs = new Map<string, string>()
    this.#position++
    if (this.#take('}')) return '{}'
    do {
      this.#match(BLANKS)
      const key = this.#string()
      if (key === undefined || !this.#take(':')) return undefined
      const value = this.value(depth + 1)
      if (value === undefined) return undefined
      pairs.set(key, value)
    } while (this.#take(','))
    return this.#take('}') ? jsonObjectText([...pairs].sort(compareKeys)) : undefined
  }

  #array(depth: number): string | undefined {
    const elements: string[] = []
    this.#position++
    if (this.#take(']')) return '[]'
    do {
      const value = this.value(depth + 1)
      if (value === undefined) return undefined
      elements.push(value)
    } while (this.#take(','))
    return this.#take(']') ? jsonArrayText(elements) : undefined
  }

  #string(): string | undefined {
    if (this.#text[this.#position] !== '"') return undefined
    const start = this.#position++
    let hasEscapes = false
    this.#match(PLAIN_CHARACTERS)
    while (this.#text[this.#position] === '\\') {
      hasEscapes = true
      this.#position += 2
      this.#match(PLAIN_CHARACTERS)
    }
    if (this.#text[this.#position++] !== '"') return undefined
    const literal = this.#text.slice(start, this.#position)
    const string = hasEscapes ? unescapeLiteral(literal) : literal.slice(1, -1)
    // Only escapes can make what PostgreSQL's text cannot hold.
    return string === undefined || (hasEscapes && /\0|\p{Surrogate}/u.test(string))
      ? undefined
      : string
  }

  #number(): string | undefined {
    const match = this.#match(NUMBER)
    if (match === undefined) return undefined
    const [, sign = '', whole = '', fraction = '', exponent = '0'] = match
    const shift = Number(exponent)
    if (Math.abs(shift) > MAX_EXPONENT) return undefined
    const digits = shiftPoint(whole, fraction, shift)
    return /[1-9]/.test(digits) ? sign + digits : digits
  }

  #take(char: string): boolean {
    this.#match(BLANKS)
    if (this.#text[this.#position] !== char) return false
    this.#position++
    return true
  }

  /** Matches at the position and moves past the match. */
  #match(pattern: RegExp): RegExpExecArray | undefined {
    pattern.lastIndex = this.#position
    const match = pattern.exec(this.#text)
    if (match === null) return undefined
    this.#position += match[0].length
    return match
  }
}

function unescapeLiteral(literal: string): string | undefined {
  try {
    return JSON.parse(literal)
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

/** numeric_in with an exponent: the scale shrinks or grows with it, but not below 0. */
function shiftPoint(whole: string, fraction: string, shift: number): string {
  const scale = Math.max(fraction.length - shift, 0)
  const digits = whole + fraction + '0'.repeat(Math.max(shift - fraction.length, 0))
  const padded = digits.padStart(scale + 1, '0')
  const point = padded.length - scale
  const shifted = scale > 0 ? `${padded.slice(0, point)}.${padded.slice(point)}` : padded
  return shifted.replace(/^0+(?=\d)/, '')
}

/** lengthCompareJsonbStringValue. */
function compareKeys([a]: readonly [string, string], [b]: readonly [string, string]): number {
  const left = Buffer.from(a)
  const right = Buffer.from(b)
  return left.length - right.length || Buffer.compare(left, right)
}
