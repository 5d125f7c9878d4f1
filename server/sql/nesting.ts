import { PgError } from '../base/pg-error.ts'

/**
 * libpg-query walks trees by recursion inside WebAssembly. A tree that is too deep throws there without unwinding the module's own stack, and
 * some thirty such statements leave the parser dead for everybody. So the depth is bounded before it is called.
 *
 * Measured on Node 20 with 1 MB of stack: nested subqueries fail from 2,000 levels, chains of AT TIME ZONE from 4,000, of `+` from 8,000. The shortest
 * text that can fail has some 16,000 characters.
 */
const ALWAYS_SAFE_CHARACTERS = 8_000
const MAX_DEPTH = 1_200
/** What an operator of a chain counts for. */
const OPERATOR_LEVELS = 0.5

/** Two adjacent quotes inside a string end one token and begin the next, which comes to the same. */
const TOKEN =
  /'[^']*'|"[^"]*"|--[^\n]*|\/\*|[\p{L}_\u0080-\uffff][\w$\u0080-\uffff]*|(?:(?!--|\/\*)[-+*/<>=~!@#%^&|`?:])+|[()[\],;$]|[\s\S]/gu

/** Words that make the tree one level deeper for everything before them, and stay so until the parenthesis closes. */
const LASTING = new Set(['union', 'intersect', 'except', 'join'])
const DEEPENING = new Set([
  ...['is', 'isnull', 'notnull', 'collate', 'at', 'in', 'between', 'like', 'ilike', 'similar'],
  ...['not', 'operator', 'overlaps'],
])
/** What stands before them is no part of what follows: AND and OR make flat lists. */
const RESETTING = new Set(['and', 'or', 'when', 'then', 'else', 'select', 'where'])

/**
 * Throws PostgreSQL's own 54001 where a statement nests so deeply, or chains so many operators, that the parser could not survive it.
 * The estimate is generous: some 1,200 levels, 2,400 operators in a chain; PostgreSQL's limit (max_stack_depth 2 MB) lies at a few thousand.
 */
export function checkNesting(text: string): void {
  if (text.length <= ALWAYS_SAFE_CHARACTERS) return
  const level = new Levels()
  TOKEN.lastIndex = 0
  for (let match = TOKEN.exec(text); match !== null; match = TOKEN.exec(text)) {
    const token = match[0]
    if (token === '/*') TOKEN.lastIndex = endOfComment(text, TOKEN.lastIndex)
    else if (token === '$') TOKEN.lastIndex = endOfDollarQuote(text, match.index)
    else if ((token === 'e' || token === 'E') && text[TOKEN.lastIndex] === "'")
      TOKEN.lastIndex = endOfEscapeString(text, TOKEN.lastIndex + 1)
    else level.take(token)
    if (level.depth > MAX_DEPTH) throw tooDeep()
  }
}

class Levels {
  depth = 0
  readonly #open: { lasting: number; chain: number }[] = [{ lasting: 0, chain: 0 }]

  take(token: string): void {
    const first = token.charCodeAt(0)
    if (token === '(' || token === '[') this.#enter()
    else if (token === ')' || token === ']') this.#leave()
    else if (token === ',') this.#reset()
    else if (token === ';') this.#start()
    else if (first === 0x22 || first === 0x27 || first <= 0x20 || token.startsWith('--')) return
    else if (isOperator(first)) this.#deepen(OPERATOR_LEVELS)
    else if (token.length <= 9) this.#word(token.toLowerCase())
  }

  #word(word: string): void {
    if (LASTING.has(word)) {
      this.#top().lasting++
      this.depth++
      this.#reset()
    } else if (DEEPENING.has(word)) this.#deepen()
    else if (RESETTING.has(word)) this.#reset()
    else if (word === 'case') this.#enter()
    else if (word === 'end') this.#leave()
  }

  #top(): { lasting: number; chain: number } {
    return this.#open.at(-1) ?? { lasting: 0, chain: 0 }
  }

  #deepen(levels = 1): void {
    this.#top().chain += levels
    this.depth += levels
  }

  #enter(): void {
    this.#open.push({ lasting: 0, chain: 0 })
    this.depth++
  }

  #leave(): void {
    if (this.#open.length === 1) return
    const { lasting, chain } = this.#top()
    this.#open.pop()
    this.depth -= lasting + chain + 1
  }

  #reset(): void {
    this.depth -= this.#top().chain
    this.#top().chain = 0
  }

  #start(): void {
    if (this.#open.length > 1) return
    this.#open[0] = { lasting: 0, chain: 0 }
    this.depth = 0
  }
}

function isOperator(code: number): boolean {
  return '-+*/<>=~!@#%^&|`?:'.includes(String.fromCharCode(code))
}

/** Comments nest in PostgreSQL. `from` is behind the opening mark. */
function endOfComment(text: string, from: number): number {
  const mark = /\/\*|\*\//g
  mark.lastIndex = from
  for (let open = 1; open > 0; ) {
    const match = mark.exec(text)
    if (match === null) return text.length
    open += match[0] === '/*' ? 1 : -1
  }
  return mark.lastIndex
}

/** Behind a dollar-quoted string that begins at `from`; behind the dollar where none does. */
function endOfDollarQuote(text: string, from: number): number {
  const tag = /\$(?:[\p{L}_\u0080-\uffff][\w\u0080-\uffff]*)?\$/uy
  tag.lastIndex = from
  const match = tag.exec(text)
  if (match === null) return from + 1
  const end = text.indexOf(match[0], tag.lastIndex)
  return end < 0 ? text.length : end + match[0].length
}

/** Behind the closing quote of an E'...' string whose contents begin at `from`. */
function endOfEscapeString(text: string, from: number): number {
  const stop = /[\\']/g
  stop.lastIndex = from
  for (let match = stop.exec(text); match !== null; match = stop.exec(text)) {
    if (match[0] === "'") return stop.lastIndex
    stop.lastIndex++
  }
  return text.length
}

function tooDeep(): PgError {
  return new PgError('54001', 'stack depth limit exceeded', {
    hint: 'Split the statement, or write long chains of operators as lists (IN, ARRAY[...], VALUES).',
  })
}
