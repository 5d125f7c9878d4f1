import { Bug, PgError } from '../base/pg-error.ts'
import { SQL_STATE } from '../base/sql-state.ts'

/**
 * The text form of PostgreSQL's node trees (nodeToString, src/backend/nodes/outfuncs.c; read by read.c): fields by name, so that
 * a newer PostgreSQL's additional fields do no harm.
 *
 *     {OPEXPR :opno 96 :args ({VAR :varno 1 ...} {CONST ... :constvalue 4 [ 1 0 0 0 0 0 0 0 ]}) :location 20}
 */
export type NodeValue = undefined | NodeAtom | NodeList | NodeObject | NodeDatum

/** A number, a boolean, a name or a string, without its escapes. */
export interface NodeAtom {
  readonly kind: 'atom'
  readonly text: string
}

/** `( ... )`; the lists of integers, `(i 1 2)`, `(o 23 25)` and `(b 8 9)`, come as atoms without their letter. */
export interface NodeList {
  readonly kind: 'list'
  readonly items: readonly NodeValue[]
}

/** `{TAG :field value ...}`. */
export interface NodeObject {
  readonly kind: 'object'
  readonly tag: string
  readonly fields: ReadonlyMap<string, NodeValue>
}

/** `length [ bytes ]`: a Datum as it lies in memory. */
export interface NodeDatum {
  readonly kind: 'datum'
  readonly bytes: Buffer
}

/** Deeper trees than this are refused, as PostgreSQL does past max_stack_depth. */
const MAX_DEPTH = 2_000

/** LINELEN of format_node_dump (src/backend/nodes/print.c): what a line of the wrapped text holds at most, in bytes. */
const LINE_BYTES = 78

/**
 * Reads one node text, wrapped into lines or not.
 *
 * @throws Bug where the text is no node text, PgError 54001 where it is nested too deeply.
 */
export function readNodeText(text: string): NodeValue {
  const tokens = new NodeTokens(unwrap(text))
  const value = readValue(tokens, 0)
  if (tokens.peek() !== undefined) throw new Bug('node text goes on after its end')
  return value
}

/**
 * Undoes format_node_dump: it puts a newline where a space was, but cuts a word that fills a whole line without one.
 */
function unwrap(text: string): string {
  const lines = text.split('\n')
  let whole = ''
  lines.forEach((line, index) => {
    const isLast = index === lines.length - 1
    whole += isLast || isCutWord(line) ? line : `${line} `
  })
  return whole
}

function isCutWord(line: string): boolean {
  return line.lastIndexOf(' ') < 1 && Buffer.byteLength(line) === LINE_BYTES
}

/** pg_strtok: words between white space, and the four brackets alone. One token is read ahead. */
class NodeTokens {
  readonly #text: string
  #at = 0
  #ahead: string | undefined

  constructor(text: string) {
    this.#text = text
    this.#ahead = this.#scan()
  }

  /** The next token as it is written, undefined at the end. */
  peek(): string | undefined {
    return this.#ahead
  }

  next(): string {
    const token = this.#ahead
    if (token === undefined) throw new Bug('node text ends too early')
    this.#ahead = this.#scan()
    return token
  }

  /** The numbers between the brackets of a datum; the next token is its `[`. A constant has as many as bytes, millions at times. */
  nextBytes(): Buffer {
    this.expect('[')
    const text = this.#text
    const start = this.#at - (this.#ahead?.length ?? 0)
    const end = text.indexOf(']', start)
    if (end < 0) throw new Bug('node text ends too early')
    const bytes = bytesIn(text, start, end)
    this.#at = end + 1
    this.#ahead = this.#scan()
    return bytes
  }

  expect(raw: string): void {
    const found = this.next()
    if (found !== raw) throw new Bug(`node text: expected ${raw}, found ${found}`)
  }

  #scan(): string | undefined {
    const text = this.#text
    let at = this.#at
    while (isSpace(text.charCodeAt(at))) at += 1
    if (at >= text.length) return undefined
    const start = at
    if (isBracket(text.charCodeAt(at))) at += 1
    else at = this.#endOfWord(at)
    this.#at = at
    return text.slice(start, at)
  }

  #endOfWord(start: number): number {
    const text = this.#text
    let at = start
    while (at < text.length) {
      const code = text.charCodeAt(at)
      if (code === BACKSLASH) at += 1
      else if (isSpace(code) || isBracket(code)) break
      at += 1
    }
    return Math.min(at, text.length)
  }
}

const BACKSLASH = 0x5c
const MINUS = 0x2d
const ZERO = 0x30

/** The bytes that numbers between two places of a text are. */
function bytesIn(text: string, start: number, end: number): Buffer {
  // A digit and a space each, at least.
  const bytes = Buffer.allocUnsafe((end - start + 1) >> 1)
  let count = 0
  for (let at = start; at < end; at++) {
    if (isSpace(text.charCodeAt(at))) continue
    const first = at
    const isNegative = text.charCodeAt(at) === MINUS
    let value = 0
    for (at += Number(isNegative); at < end && !isSpace(text.charCodeAt(at)); at++)
      value = value * 10 + digitAt(text, at)
    if (!(value <= (isNegative ? 128 : 255))) throw noByte(text.slice(first, at))
    bytes[count++] = isNegative ? -value : value
  }
  return bytes.subarray(0, count)
}

/** NaN where there is none. */
function digitAt(text: string, at: number): number {
  const digit = text.charCodeAt(at) - ZERO
  return digit >= 0 && digit <= 9 ? digit : Number.NaN
}

function noByte(raw: string): Bug {
  return new Bug(`node text: ${raw} is no byte of a datum`)
}

function isSpace(code: number): boolean {
  return code === 0x20 || code === 0x0a || code === 0x09
}

function isBracket(code: number): boolean {
  return code === 0x28 || code === 0x29 || code === 0x7b || code === 0x7d
}

function readValue(tokens: NodeTokens, depth: number): NodeValue {
  if (depth > MAX_DEPTH)
    throw new PgError(SQL_STATE.statementTooComplex, 'stack depth limit exceeded')
  const raw = tokens.next()
  switch (raw) {
    case '<>':
      return undefined
    case '{':
      return readObject(tokens, depth)
    case '(':
      return readList(tokens, depth)
    case ')':
    case '}':
      throw new Bug(`node text: ${raw} where a value should be`)
    default:
      return tokens.peek() === '[' ? readDatum(tokens) : { kind: 'atom', text: withoutEscapes(raw) }
  }
}

function readObject(tokens: NodeTokens, depth: number): NodeObject {
  const tag = tokens.next()
  const fields = new Map<string, NodeValue>()
  for (let name = tokens.next(); name !== '}'; name = tokens.next()) {
    if (!name.startsWith(':')) throw new Bug(`node text: ${name} where a field name should be`)
    fields.set(name.slice(1), readValue(tokens, depth + 1))
  }
  return { kind: 'object', tag, fields }
}

function readList(tokens: NodeTokens, depth: number): NodeList {
  const items: NodeValue[] = []
  const first = tokens.peek()
  if (first === 'i' || first === 'o' || first === 'b' || first === 'x') tokens.next()
  while (tokens.peek() !== ')') items.push(readValue(tokens, depth + 1))
  tokens.expect(')')
  return { kind: 'list', items }
}

/** The bytes are printed as signed numbers on some platforms, as unsigned ones on others. */
function readDatum(tokens: NodeTokens): NodeDatum {
  return { kind: 'datum', bytes: tokens.nextBytes() }
}

/** Strings of a list are in double quotes, other words are not; both have their special characters escaped (outToken). */
function withoutEscapes(raw: string): string {
  const isQuoted = raw.length >= 2 && raw.startsWith('"') && raw.endsWith('"')
  const body = isQuoted ? raw.slice(1, -1) : raw
  return body.includes('\\') ? body.replace(/\\([\s\S])/g, '$1') : body
}
