import { status as GRPC } from '@grpc/grpc-js'
import { isReservedWord } from '../sql/keyword.ts'
import { GrpcStatus } from './grpc-status.ts'
import { findHintedItems } from './hinted-items.ts'
import { type SqlToken, tokenize } from './sql-tokens.ts'

/*
 * Hints: `/*@ name = value, .. *\/` at the start of a statement, behind the name of a table, behind JOIN, behind IN before a subquery and behind the
 * call of a function ("Spanner query hint extensions to open source PostgreSQL"). They are comments to PostgreSQL, which changes nothing for them;
 * what Spanner refuses of them is refused here. hint-rules.ts knows their names.
 */

/** What a hint is about. */
export type HintPlace =
  | { readonly kind: 'statement' }
  | { readonly kind: 'table'; readonly schema: string | undefined; readonly table: string }
  | { readonly kind: 'join' | 'array-join' | 'subquery' | 'function' }
  /** What Spanner knows no hints of, and takes any for: a name of WITH, a function in FROM. */
  | { readonly kind: 'other' }

/** Names are folded as those of columns are. */
export interface Hint {
  readonly qualifier: string | undefined
  readonly name: string
  /** `shown` is as in Spanner's messages. */
  readonly value: { readonly kind: 'text' | 'boolean' | 'other'; readonly shown: string }
}

export interface HintGroup {
  readonly place: HintPlace
  readonly hints: readonly Hint[]
}

/** The hints of a statement. Throws where one is not written as it must be, or stands where none can. */
export function readHints(sql: string, tokens: readonly SqlToken[]): readonly HintGroup[] {
  if (tokens.every(({ kind }) => kind !== 'hint')) return []
  const items = findHintedItems(sql, tokens)
  // What does not parse is left to PostgreSQL.
  if (items === undefined) return []
  return tokens.flatMap((token, index) => {
    if (token.kind !== 'hint') return []
    const place = placeOf(tokens, index) ?? items.get(tokens[index - 1]?.end ?? 0)
    if (place === undefined) throw syntaxError(`${tokens[index - 1]?.text ?? ''} /*@`.trimStart())
    return [{ place, hints: readGroup(token) }]
  })
}

/** The place that the tokens around a hint tell. */
function placeOf(tokens: readonly SqlToken[], index: number): HintPlace | undefined {
  const before = tokens[index - 1]
  const next = tokens[index + 1]
  if (before === undefined) return { kind: 'statement' }
  if (before.kind !== 'word') return undefined
  if (before.value === 'join') return { kind: isWord(next, 'unnest') ? 'array-join' : 'join' }
  if (before.value !== 'in' || next?.text !== '(') return undefined
  const first = tokens.slice(index + 1).find(({ text }) => text !== '(')
  if (isWord(first, 'select', 'values', 'table', 'with')) return { kind: 'subquery' }
  throw invalid('HINTs cannot be specified on IN clause with value list')
}

function isWord(token: SqlToken | undefined, ...words: readonly string[]): boolean {
  return token?.kind === 'word' && words.includes(token.value)
}

function readGroup({ text }: SqlToken): Hint[] {
  const tokens = tokenize(text.slice('/*@'.length, -'*/'.length))
  const hints: Hint[] = []
  let at = 0
  do {
    const name = nameAt(tokens, at)
    const isQualified = tokens[at + 1]?.text === '.'
    const last = isQualified ? nameAt(tokens, at + 2) : name
    const equals = at + (isQualified ? 3 : 1)
    if (tokens[equals]?.text !== '=') throw near(tokens[equals])
    const { value, end } = readValue(tokens, equals + 1)
    hints.push({ qualifier: isQualified ? name : undefined, name: last, value })
    at = end + 1
  } while (tokens[at - 1]?.text === ',')
  if (tokens[at - 1] !== undefined) throw near(tokens[at - 1])
  return hints
}

function nameAt(tokens: readonly SqlToken[], at: number): string {
  const token = tokens[at]
  const isName =
    token?.kind === 'quoted' || (token?.kind === 'word' && !isReservedWord(token.value))
  if (token === undefined || !isName) throw near(token)
  return token.value
}

/** A value, and which token comes behind it. */
function readValue(
  tokens: readonly SqlToken[],
  at: number,
): { readonly value: Hint['value']; readonly end: number } {
  const token = tokens[at]
  if (token === undefined) throw near(token)
  if (token.text === '-') {
    if (tokens[at + 1]?.kind !== 'number') throw near(tokens[at + 1])
    return { value: { kind: 'other', shown: `-${tokens[at + 1]?.text}` }, end: at + 2 }
  }
  const end = at + 1
  if (token.kind === 'number') return { value: { kind: 'other', shown: token.text }, end }
  if (isWord(token, 'true', 'false')) return { value: { kind: 'boolean', shown: token.value }, end }
  if (isWord(token, 'null')) return { value: { kind: 'other', shown: 'NULL' }, end }
  if (token.kind === 'param')
    throw invalid('Unable to resolve argument type. Please consider adding an explicit cast')
  if (token.kind === 'string') return { value: { kind: 'text', shown: constantOf(token) }, end }
  const name = nameAt(tokens, at)
  if (tokens[end]?.text === '.')
    throw new GrpcStatus(
      GRPC.UNIMPLEMENTED,
      'Too many names in hint value; if a string is intended, please enclose it with quotation marks',
    )
  return { value: { kind: 'text', shown: name }, end }
}

/** The text of a string constant; escapes stay as they are written. */
function constantOf({ text }: SqlToken): string {
  const open = text.indexOf("'")
  return text.slice(open + 1, -1).replaceAll("''", "'")
}

function near(token: SqlToken | undefined): GrpcStatus {
  return syntaxError(token?.text ?? '*/')
}

function syntaxError(text: string): GrpcStatus {
  return invalid(`syntax error at or near "${text}"`)
}

function invalid(text: string): GrpcStatus {
  return new GrpcStatus(GRPC.INVALID_ARGUMENT, text)
}
