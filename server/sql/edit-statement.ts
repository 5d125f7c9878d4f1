import { checkNesting } from './nesting.ts'
import { postgresParser } from './postgres-parser.ts'
import type { RawBody, RawNode } from './raw-node.ts'
import { StatementTokens } from './statement-tokens.ts'

/*
 * Pieces of the client's text give way to others: the tree says which, and where each begins, but not where it ends. So the end is looked for
 * until the piece, parsed by itself, is the node that it stands for; and the text that comes out must be the tree that it is meant to be.
 */

/** What takes the place of a part of a statement. */
export interface Edit {
  /** The node's body, or the node where it is an item of FROM: the very object of the tree. */
  readonly target: object
  readonly startByte: number
  readonly endByte: number
  readonly sql: string
  /** What `sql` is in the tree; for an item of a list, items. */
  readonly replacement: object
}

/** The text with its parts replaced; undefined where that is not the statement that was meant. Edits do not overlap. */
export function editStatement(
  text: string,
  node: RawNode,
  edits: readonly Edit[],
): string | undefined {
  const source = new StatementTokens(text)
  let result = ''
  let done = 0
  for (const { startByte, endByte, sql } of [...edits].sort((a, b) => a.startByte - b.startByte)) {
    result += `${source.slice(done, startByte)}${sql}`
    done = endByte
  }
  result += source.slice(done, source.endByte)
  const byTarget = new Map(edits.map(({ target, replacement }) => [target, replacement]))
  const meant = withReplaced(node, byTarget)
  const [only, ...others] = parseAlone(result)
  return only !== undefined && others.length === 0 && isSameTree(only, meant) ? result : undefined
}

/** Where a query stands in the text, without parentheses around it. */
export function selectExtent(
  source: StatementTokens,
  select: RawBody<'SelectStmt'>,
): Pick<Edit, 'startByte' | 'endByte'> | undefined {
  const locations = locationsIn(select)
  const first = source.indexAt(Math.min(...locations))
  const last = source.indexAt(Math.max(...locations))
  for (let start = first; start >= 0; start--) {
    if (!BEGINS_QUERY.has(wordAt(source, start))) continue
    const end = endOfQuery(source, start)
    if (end < last) continue
    const extent = extentOf(source, start, end)
    const [only] = parseAlone(source.slice(extent.startByte, extent.endByte))
    if (only !== undefined && 'SelectStmt' in only && isSameTree(only.SelectStmt, select))
      return extent
  }
  return undefined
}

/** Where an expression stands in the text. */
export function exprExtent(
  source: StatementTokens,
  node: RawNode,
): Pick<Edit, 'startByte' | 'endByte'> | undefined {
  const locations = locationsIn(node)
  const first = source.indexAt(Math.min(...locations))
  const last = source.indexAt(Math.max(...locations))
  // What begins with a parenthesis is placed behind it.
  for (let start = first; start === first || wordAt(source, start) === '('; start--) {
    for (let end = last; end < Math.min(last + MAX_TOKENS_BEHIND, source.tokens.length); end++) {
      const extent = extentOf(source, start, end)
      if (isSameTree(parseExpr(source.slice(extent.startByte, extent.endByte)), node)) return extent
    }
  }
  return undefined
}

/** Tokens behind the last that has a place in the tree, such as those of `count(*)`. */
const MAX_TOKENS_BEHIND = 20

function parseExpr(text: string): RawNode | undefined {
  const [only] = parseAlone(`SELECT ${text}`)
  const targets = only !== undefined && 'SelectStmt' in only ? only.SelectStmt.targetList : []
  const [target, another] = targets ?? []
  if (another !== undefined || target === undefined || !('ResTarget' in target)) return undefined
  return target.ResTarget.name === undefined ? target.ResTarget.val : undefined
}

const BEGINS_QUERY = new Set(['select', 'with', 'values', 'table'])
const ENDS_PART = new Set(['union', 'intersect', 'except'])
const OPENING = new Set(['(', '['])
const CLOSING = new Set([')', ']'])

export function wordAt(source: StatementTokens, index: number): string {
  return source.tokens[index]?.text.toLowerCase() ?? ''
}

/** The last token of a query that begins at `start`, or of the part of a set operation that does. */
function endOfQuery(source: StatementTokens, start: number): number {
  let depth = 0
  for (let i = start; i < source.tokens.length; i++) {
    const word = wordAt(source, i)
    if (depth === 0 && (CLOSING.has(word) || ENDS_PART.has(word))) return i - 1
    if (OPENING.has(word)) depth++
    if (CLOSING.has(word)) depth--
  }
  return source.tokens.length - 1
}

/** The bytes of the tokens from one to another. */
export function extentOf(
  source: StatementTokens,
  first: number,
  last: number,
): Pick<Edit, 'startByte' | 'endByte'> {
  return {
    startByte: source.tokens[first]?.start ?? source.endByte,
    endByte: source.tokens[last]?.end ?? source.endByte,
  }
}

/** The statements of a text; none where it is not PostgreSQL. */
export function parseAlone(text: string): readonly RawNode[] {
  checkNesting(text)
  const parser = postgresParser()
  try {
    return (parser.parseSync(text).stmts ?? []).flatMap(({ stmt }) =>
      stmt === undefined ? [] : [stmt],
    )
  } catch (error) {
    if (error instanceof parser.SqlError) return []
    throw error
  }
}

/** The places of all nodes in a tree; a node at the very beginning says nothing. */
export function locationsIn(value: unknown): readonly number[] {
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([key, field]) =>
    key === 'location' && typeof field === 'number' && field >= 0 ? [field] : locationsIn(field),
  )
}

function withReplaced(value: unknown, replacements: ReadonlyMap<object, object>): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) {
    return value.flatMap((item) => {
      const items = replacements.get(item)
      return Array.isArray(items) ? items : [withReplaced(item, replacements)]
    })
  }
  return Object.fromEntries(
    Object.entries(replacements.get(value) ?? value).map(([key, field]) => [
      key,
      withReplaced(field, replacements),
    ]),
  )
}

const PLACE_KEY = /(?:^|_)(?:location|len|list_start|list_end)$/

/** Whether two parts of raw trees are the same but for where they were written, and what `isSame` says of nodes' bodies. */
export function isSameTree(
  a: unknown,
  b: unknown,
  isSame: (a: object, b: object) => boolean = () => false,
): boolean {
  if (a === b) return true
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false
  if (isSame(a, b)) return true
  if (Array.isArray(a) !== Array.isArray(b)) return false
  const left = fieldsOf(a)
  const right = new Map(fieldsOf(b))
  return (
    left.length === right.size &&
    left.every(([key, field]) => right.has(key) && isSameTree(field, right.get(key), isSame))
  )
}

function fieldsOf(value: object): readonly (readonly [string, unknown])[] {
  return Object.entries(value).filter(([key, field]) => field !== undefined && !PLACE_KEY.test(key))
}
