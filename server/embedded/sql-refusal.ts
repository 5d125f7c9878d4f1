import { status as GRPC } from '@grpc/grpc-js'
import { GrpcStatus } from './grpc-status.ts'
import type { SqlToken } from './sql-tokens.ts'

/** What a statement is to a transaction. */
export type StatementKind = 'query' | 'dml'

const DDL_WORDS = new Set(['create', 'alter', 'drop', 'grant', 'revoke', 'comment', 'truncate'])
const QUERY_WORDS = new Set(['select', 'with', 'values', 'table'])
const DML_WORDS = new Set(['insert', 'update', 'delete'])

/**
 * Whether a statement reads or writes. Throws what Spanner says of everything that is neither: it takes no utility statement through
 * ExecuteSql.
 */
export function classify(tokens: readonly SqlToken[]): StatementKind {
  const first = tokens.find((token) => token.text !== '(')
  const word = first?.kind === 'word' ? first.value : ''
  if (QUERY_WORDS.has(word)) return 'query'
  if (DML_WORDS.has(word)) return 'dml'
  if (word === 'call') throw new GrpcStatus(GRPC.NOT_FOUND, 'Procedure not found')
  if (first === undefined) {
    throw new GrpcStatus(GRPC.INVALID_ARGUMENT, 'Statement is empty')
  }
  if (DDL_WORDS.has(word) && word !== 'truncate') {
    throw unimplemented('DDL statements cannot be issued as SELECT/DML statements')
  }
  if (UTILITY_WORDS.has(word)) throw unimplemented('Utility SQL statements are not supported')
  if (word === 'merge') throw unimplemented('MERGE statements are not supported.')
  throw new GrpcStatus(GRPC.INVALID_ARGUMENT, `syntax error at or near "${first.text}"`)
}

const UTILITY_WORDS = new Set(
  (
    'abort analyze begin checkpoint close cluster commit copy deallocate declare discard do end execute explain fetch listen ' +
    'load lock move notify prepare reassign refresh reindex release reset rollback savepoint security set show start truncate ' +
    'unlisten vacuum'
  ).split(' '),
)

function unimplemented(text: string): GrpcStatus {
  return new GrpcStatus(GRPC.UNIMPLEMENTED, text)
}

/** Where a token stands: its place in the statement, and how many parentheses are open. */
interface Place {
  readonly tokens: readonly SqlToken[]
  readonly index: number
  readonly depth: number
  readonly command: string
}

type Rule = (place: Place) => string | undefined

function isWord(token: SqlToken | undefined, ...words: readonly string[]): boolean {
  return token?.kind === 'word' && words.includes(token.value)
}

function next(place: Place, offset = 1): SqlToken | undefined {
  return place.tokens[place.index + offset]
}

/**
 * By keyword: what Spanner's PostgreSQL dialect says of constructs that PostgreSQL has and it has not. A keyword that is also a good name
 * needs its surroundings. Not complete: the pushdown table decides what the proxy sends.
 */
const RULES: Readonly<Record<string, Rule>> = {
  over: (place) => {
    if (next(place, -1)?.text !== ')') return undefined
    refuseUnknownWindowFunction(place)
    return 'Statements with WINDOW clauses are not supported'
  },
  filter: (place) =>
    next(place, -1)?.text === ')' && next(place)?.text === '('
      ? 'Aggregate functions with FILTER clauses are not supported'
      : undefined,
  within: (place) =>
    isWord(next(place), 'group')
      ? 'Aggregate functions with ORDER BY are not supported'
      : undefined,
  with: (place) => {
    if (place.depth > 0 && next(place, -1)?.text === '(' && isWord(next(place, 2), 'as')) {
      return 'WITH expressions in subqueries are not supported'
    }
    return place.command === 'with' && place.index === 0 && !mainIsSelect(place.tokens)
      ? 'WITH expressions are only supported for SELECT statements'
      : undefined
  },
  insert: modifyingCte,
  update: modifyingCte,
  delete: modifyingCte,
  lateral: (place) =>
    next(place)?.text === '(' ? 'Lateral subqueries are not supported' : undefined,
  tablesample: () => 'TABLESAMPLE is not supported',
  on: (place) => {
    if (isWord(next(place, -1), 'distinct') && next(place)?.text === '(') {
      return 'Statements with DISTINCT ON clauses are not supported'
    }
    return isWord(next(place), 'constraint') && isWord(next(place, -1), 'conflict')
      ? 'ON CONFLICT ON CONSTRAINT is not supported'
      : undefined
  },
  conflict: (place) => {
    if (!isWord(next(place, -1), 'on') || !isWord(next(place), 'do')) return undefined
    throw new GrpcStatus(GRPC.INVALID_ARGUMENT, 'ON CONFLICT target must list all key columns')
  },
  grouping: groupingSets,
  rollup: groupingSets,
  cube: groupingSets,
  overriding: (place) =>
    isWord(next(place), 'system', 'user')
      ? 'Statements with OVERRIDING clauses are not supported'
      : undefined,
  using: (place) =>
    place.command === 'delete' && place.depth === 0
      ? 'DELETE...USING statements are not supported.'
      : undefined,
  from: (place) =>
    place.command === 'update' && place.depth === 0 && !isWord(next(place, -1), 'distinct')
      ? 'UPDATE...FROM statements are not supported.'
      : undefined,
  current: (place) => {
    if (!isWord(next(place), 'of') || !isWord(next(place, -1), 'where')) return undefined
    if (place.command === 'select')
      throw new GrpcStatus(GRPC.INVALID_ARGUMENT, 'WHERE CURRENT OF is not supported')
    return 'UPDATE...CURRENT OF and DELETE...CURRENT OF statements are not supported.'
  },
  for: (place) =>
    isWord(next(place), 'share', 'no', 'key')
      ? 'Statements with ROW MARK clauses are not supported'
      : undefined,
  nowait: lockWait,
  skip: (place) =>
    isWord(next(place), 'locked')
      ? 'Statements with ROW MARK clauses are not supported'
      : undefined,
  values: (place) =>
    place.depth > 0 && next(place, -1)?.text === '(' && isWord(next(place, -2), 'from', 'join')
      ? 'VALUES lists in FROM clause are not supported'
      : undefined,
  into: (place) =>
    place.depth === 0 && place.command === 'select' ? 'Statement is not supported.' : undefined,
}

/** Window functions that take integer arguments: Spanner's catalog has those without only. */
function refuseUnknownWindowFunction({ tokens, index }: Place): void {
  let depth = 0
  let hasSeveral = false
  let at = index - 1
  for (; at > 0; at--) {
    const { text } = tokens[at] ?? { text: '' }
    if (text === ')') depth++
    else if (text === '(' && --depth === 0) break
    else if (text === ',' && depth === 1) hasSeveral = true
  }
  const name = tokens[at - 1]?.value ?? ''
  if (name === 'ntile' || name === 'nth_value' || (hasSeveral && /^(?:lead|lag)$/.test(name)))
    throw new GrpcStatus(GRPC.NOT_FOUND, `function ${name} does not exist`)
}

function modifyingCte(place: Place): string | undefined {
  return next(place, -1)?.text === '(' && isWord(next(place, -2), 'as', 'materialized')
    ? 'WITH subexpressions must be SELECT statements'
    : undefined
}

function groupingSets(place: Place): string | undefined {
  return isWord(next(place), 'sets') || (next(place)?.text === '(' && isWord(next(place, -1), 'by'))
    ? 'Statements with GROUPING SET clauses are not supported'
    : undefined
}

function lockWait(place: Place): string | undefined {
  return isWord(next(place, -1), 'update')
    ? 'Statements with ROW MARK clauses are not supported'
    : undefined
}

/** The first command word outside parentheses after WITH. */
function mainIsSelect(tokens: readonly SqlToken[]): boolean {
  let depth = 0
  for (const token of tokens) {
    if (token.text === '(') depth++
    else if (token.text === ')') depth--
    else if (depth === 0 && isWord(token, 'select', 'values', 'table')) return true
    else if (depth === 0 && isWord(token, 'insert', 'update', 'delete', 'merge')) return false
  }
  return true
}

/** Throws UNIMPLEMENTED where the statement uses a construct that Spanner's dialect lacks. */
export function refuseUnsupported(tokens: readonly SqlToken[]): void {
  const command = tokens.find((token) => token.text !== '(')?.value ?? ''
  let depth = 0
  for (const [index, token] of tokens.entries()) {
    if (token.text === '(') depth++
    else if (token.text === ')') depth--
    if (token.kind !== 'word' || !Object.hasOwn(RULES, token.value)) continue
    const text = RULES[token.value]?.({ tokens, index, depth, command })
    if (text !== undefined) throw unimplemented(text)
  }
}
