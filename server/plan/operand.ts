/**
 * Makes an operand of an expression's SQL: in parentheses, unless it binds tighter than every operator already. That is a
 * name, a parameter, a literal, a call, a parenthesised or bracketed group, and any of these with a cast behind it.
 */
export function operand(sql: string): string {
  return isOperand(sql) ? sql : `(${sql})`
}

/** Makes an operand of AND or OR: in parentheses where it is itself joined by one of them, or may be. */
export function conjunct(sql: string): string {
  return / (?:AND|OR) |^NOT /.test(sql) ? operand(sql) : sql
}

const NAME = /(?:[A-Za-z_][\w$]*|"(?:[^"]|"")*")(?:\.(?:[A-Za-z_][\w$]*|"(?:[^"]|"")*"))*/y
const ATOM = /\$\d+|\d+(?:\.\d+)?|'(?:[^']|'')*'/y
const CAST = /::[a-z]\w*(?: [a-z]\w*)*(?:\(\d+(?:, ?\d+)?\))?(?:\[\])?/y
/** Words that begin an expression which looks like a name or a call, but is none. */
const KEYWORDS = new Set(['CASE', 'NOT', 'EXISTS', 'ARRAY', 'SELECT', 'DISTINCT'])

function isOperand(sql: string): boolean {
  let at = skipPrimary(sql)
  while (at > 0 && at < sql.length) {
    const end = matchEnd(CAST, sql, at)
    if (end === undefined) return false
    at = end
  }
  return at > 0 && at === sql.length
}

/** Where the first primary expression ends; 0 where there is none. */
function skipPrimary(sql: string): number {
  if (sql.startsWith('(')) return skipGroup(sql, 0)
  const atom = matchEnd(ATOM, sql, 0)
  if (atom !== undefined) return atom
  const name = matchEnd(NAME, sql, 0)
  if (name === undefined) return 0
  const next = sql[name]
  const word = sql.slice(0, name)
  if (word === 'ARRAY' || word === 'EXISTS') return skipGroup(sql, next === ' ' ? name + 1 : name)
  if (KEYWORDS.has(word)) return 0
  return next === '(' ? skipGroup(sql, name) : name
}

function matchEnd(pattern: RegExp, sql: string, at: number): number | undefined {
  pattern.lastIndex = at
  return pattern.test(sql) ? pattern.lastIndex : undefined
}

/** Where the group that begins there ends, behind its closing bracket; 0 where none begins. */
function skipGroup(sql: string, start: number): number {
  let depth = 0
  let at = start
  do {
    depth += DEPTHS.get(sql[at] ?? '') ?? 0
    at = matchEnd(QUOTED, sql, at) ?? at + 1
  } while (depth > 0 && at < sql.length)
  return depth === 0 && at > start + 1 ? at : 0
}

const DEPTHS: ReadonlyMap<string, number> = new Map([
  ['(', 1],
  ['[', 1],
  [')', -1],
  [']', -1],
])
const QUOTED = /'(?:[^']|'')*'|"(?:[^"]|"")*"/y
