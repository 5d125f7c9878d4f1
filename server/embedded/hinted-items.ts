import type { RawBody, RawNode } from '../sql/raw-node.ts'
import { type ParsedStatement, parseStatements, SyntaxProblem } from '../sql/statement.ts'
import type { HintPlace } from './hints.ts'
import type { SqlToken } from './sql-tokens.ts'

/**
 * What of a statement can have a hint behind it: the names of tables that are read, updated or deleted from, and calls of functions. By where they end in the
 * text. Undefined where it does not parse.
 */
export function findHintedItems(
  sql: string,
  tokens: readonly SqlToken[],
): ReadonlyMap<number, HintPlace> | undefined {
  let statements: readonly ParsedStatement[]
  try {
    statements = parseStatements(sql)
  } catch (error) {
    if (error instanceof SyntaxProblem) return undefined
    throw error
  }
  const finder = new ItemFinder(tokens)
  for (const statement of statements) finder.search(statement, sql)
  return finder.items
}

/** What lies between a function of FROM and its call. */
const WITHIN_FROM = new Set(['functions', 'List', 'items'])

class ItemFinder {
  readonly items = new Map<number, HintPlace>()
  readonly #tokens: readonly SqlToken[]
  /** Index of the token that begins there. */
  readonly #starts: ReadonlyMap<number, number>
  #withNames = new Set<string>()
  #toIndex = (_byte: number) => 0

  constructor(tokens: readonly SqlToken[]) {
    this.#tokens = tokens
    this.#starts = new Map(tokens.map(({ start }, index) => [start, index]))
  }

  search({ node, text, offset }: ParsedStatement, sql: string): void {
    const bytes = Buffer.from(text)
    const start = [...sql].slice(0, offset).join('').length
    this.#toIndex = (byte) => start + bytes.subarray(0, byte).toString('utf8').length
    this.#withNames = new Set()
    collectWithNames(node, this.#withNames)
    this.#visit(node)
  }

  #visit(value: unknown, isInFrom = false): void {
    if (Array.isArray(value)) for (const item of value) this.#visit(item, isInFrom)
    else if (typeof value === 'object' && value !== null)
      for (const [name, body] of Object.entries(value)) this.#take(name, body, isInFrom)
  }

  #take(name: string, body: unknown, isInFrom: boolean): void {
    if (name === 'InsertStmt') {
      const { relation: _, ...rest } = body as RawBody<'InsertStmt'>
      this.#visit(rest)
      return
    }
    if (name === 'RangeVar' || name === 'relation') this.#takeTable(body as RawBody<'RangeVar'>)
    else if (name === 'FuncCall') this.#takeCall(body as RawBody<'FuncCall'>, isInFrom)
    this.#visit(body, name === 'RangeFunction' || (isInFrom && WITHIN_FROM.has(name)))
  }

  #takeTable({ schemaname, relname = '', location = 0 }: RawBody<'RangeVar'>): void {
    let at = this.#starts.get(this.#toIndex(location))
    if (at === undefined) return
    while (this.#tokens[at + 1]?.text === '.') at += 2
    const isWithName = schemaname === undefined && this.#withNames.has(relname)
    const place: HintPlace = isWithName
      ? { kind: 'other' }
      : { kind: 'table', schema: schemaname, table: relname }
    if (this.#tokens[at + 1]?.text === '*') at++
    this.items.set(this.#tokens[at]?.end ?? 0, place)
  }

  #takeCall({ location = 0 }: RawBody<'FuncCall'>, isInFrom: boolean): void {
    let at = this.#starts.get(this.#toIndex(location))
    if (at === undefined) return
    while (this.#tokens[at + 1]?.text === '.') at += 2
    let depth = 0
    do {
      at++
      const text = this.#tokens[at]?.text
      if (text === '(') depth++
      else if (text === ')') depth--
    } while (depth > 0 && at < this.#tokens.length)
    const end = this.#tokens[at]
    if (end?.text === ')') this.items.set(end.end, { kind: isInFrom ? 'other' : 'function' })
  }
}

function collectWithNames(value: unknown, into: Set<string>): void {
  if (Array.isArray(value)) for (const item of value) collectWithNames(item, into)
  else if (typeof value === 'object' && value !== null) {
    if ('CommonTableExpr' in value) {
      const node = value as Extract<RawNode, { CommonTableExpr: unknown }>
      into.add(node.CommonTableExpr.ctename ?? '')
    }
    for (const body of Object.values(value)) collectWithNames(body, into)
  }
}
