import type { TypeForm } from '../types/type-form.ts'
import { type Token, tokenize } from './expression-tokens.ts'
import { readFormComparison } from './form-comparison.ts'
import { quotePhysical } from './logical-schema.ts'

/*
 * Expressions of CHECK constraints, generated columns and backfills are taken from PostgreSQL's own printed form
 * (pg_get_expr), which is regular: every operand in parentheses, constants typed by casts, user names qualified. It is read as
 * tokens, and printed again token by token for Spanner. Everything that is not known to mean the same there makes
 * the whole expression undefined: nothing is guessed.
 */

/** How one column may be named in an expression: Spanner's name, and whether its stored form compares as the declared one. */
export interface ExpressionColumn {
  readonly physicalName: string
  readonly isPlain: boolean
  /** Where Spanner has nothing like the type: it may be compared as far as its stored form says the same. */
  readonly form?: TypeForm | undefined
}

export interface ExpressionScope {
  readonly columns: ReadonlyMap<string, ExpressionColumn>
  /** Whether the moment may be asked for: now(), gen_random_uuid(). True in backfills. */
  readonly isVolatileAllowed: boolean
}

const KEYWORDS = new Set(
  'and or not is null true false any all array case when then else end unknown coalesce greatest least nullif'.split(
    ' ',
  ),
)

/** The same result in both, for the argument types that a plain column can have. */
const FUNCTIONS: ReadonlyMap<string, string> = new Map([
  ...'length lower upper abs btrim ltrim rtrim substr replace starts_with floor ceil jsonb_typeof array_length strpos'
    .split(' ')
    .map((name): [string, string] => [name, name]),
  ['char_length', 'length'],
  ['character_length', 'length'],
  ['substring', 'substr'],
  ['ceiling', 'ceil'],
])

const VOLATILE_FUNCTIONS: ReadonlyMap<string, string> = new Map([
  ['now', 'now'],
  ['gen_random_uuid', 'spanner.generate_uuid'],
])

const VOLATILE_KEYWORDS = new Set(['current_timestamp', 'current_date'])

const OPERATORS: ReadonlyMap<string, string> = new Map([
  ...'= <> < > <= >= + - * / || & | << >> -> ->>'
    .split(' ')
    .map((name): [string, string] => [name, name]),
  ['~~', 'LIKE'],
  ['!~~', 'NOT LIKE'],
  ['~', '~'],
  ['!~', '!~'],
])

const CASTS: ReadonlyMap<string, string> = new Map([
  ['text', 'text'],
  ['character varying', 'character varying'],
  ['smallint', 'bigint'],
  ['integer', 'bigint'],
  ['bigint', 'bigint'],
  ['numeric', 'numeric'],
  ['double precision', 'double precision'],
  ['boolean', 'boolean'],
  ['date', 'date'],
  ['bytea', 'bytea'],
  ['timestamp with time zone', 'timestamp with time zone'],
])

/** Spanner's form of an expression that PostgreSQL printed, or undefined where it has none that surely means the same. */
export function toSpannerExpression(text: string, scope: ExpressionScope): string | undefined {
  const tokens = tokenize(text)
  if (tokens === undefined) return undefined
  return new ExpressionPrinter(tokens, scope).print()
}

class ExpressionPrinter {
  readonly #tokens: readonly Token[]
  readonly #scope: ExpressionScope
  readonly #out: string[] = []
  #at = 0

  constructor(tokens: readonly Token[], scope: ExpressionScope) {
    this.#tokens = tokens
    this.#scope = scope
  }

  print(): string | undefined {
    while (this.#at < this.#tokens.length) {
      if (!this.#next()) return undefined
    }
    return this.#out
      .join(' ')
      .replace(/\( /g, '(')
      .replace(/ \)/g, ')')
      .replace(/ ,/g, ',')
      .replace(/ ?:: ?/g, '::')
      .replace(/ ?\[ ?/g, '[')
      .replace(/ \]/g, ']')
  }

  #next(): boolean {
    const token = this.#tokens[this.#at++]
    switch (token?.kind) {
      case 'string':
        return this.#string(token.text)
      case 'number':
        return this.#put(token.text)
      case 'word':
        return this.#word(token.text)
      case 'quoted':
        return this.#isNext('(') ? this.#function(token.text) : this.#column(token.text)
      case 'symbol':
        return this.#symbol(token.text)
      case undefined:
        return false
    }
  }

  #put(text: string | undefined): boolean {
    if (text !== undefined) this.#out.push(text)
    return text !== undefined
  }

  #isNext(text: string): boolean {
    const token = this.#tokens[this.#at]
    return token?.kind === 'symbol' && token.text === text
  }

  #string(text: string): boolean {
    // A literal of a type without zone means UTC where it is stored.
    const type = this.#isNext('::') ? this.#typeName(this.#at + 1) : undefined
    if (type?.name !== 'timestamp without time zone') return this.#put(text)
    this.#at = type.end
    return (
      /^'\d{4,}-[\d :.-]*'$/.test(text) &&
      this.#put(`${text.slice(0, -1)}+00'::timestamp with time zone`)
    )
  }

  #word(text: string): boolean {
    const word = text.toLowerCase()
    if (this.#scope.isVolatileAllowed && VOLATILE_KEYWORDS.has(word)) return this.#put(text)
    if (KEYWORDS.has(word)) return this.#put(text)
    return this.#isNext('(') ? this.#function(text) : this.#column(text)
  }

  #function(name: string): boolean {
    const volatileForm = this.#scope.isVolatileAllowed ? VOLATILE_FUNCTIONS.get(name) : undefined
    const known = FUNCTIONS.get(name) ?? volatileForm
    this.#at++
    return known !== undefined && this.#put(`${known}(`)
  }

  #column(name: string): boolean {
    const column = this.#scope.columns.get(name)
    if (column?.form !== undefined) return this.#formColumn(name)
    return column?.isPlain === true && this.#put(quotePhysical(column.physicalName))
  }

  #formColumn(name: string): boolean {
    const { columns } = this.#scope
    const comparison = readFormComparison(this.#tokens, { name, at: this.#at, columns })
    this.#at = comparison?.end ?? this.#at
    return this.#put(comparison?.sql)
  }

  #symbol(text: string): boolean {
    if (text === '::') return this.#cast()
    if ('()[],'.includes(text)) return this.#put(text)
    if (text === '~' || text === '!~') return this.#isPlainPattern() && this.#put(text)
    return this.#put(OPERATORS.get(text))
  }

  #cast(): boolean {
    const type = this.#typeName(this.#at)
    if (type === undefined) return false
    this.#at = type.end
    const target = CASTS.get(type.name)
    return (
      target !== undefined && this.#put('::') && this.#put(`${target}${type.isArray ? '[]' : ''}`)
    )
  }

  /** The words of a type name from `start`; one with a length is none that we know. */
  #typeName(start: number): { name: string; isArray: boolean; end: number } | undefined {
    const words: string[] = []
    let at = start
    for (let token = this.#tokens[at]; token?.kind === 'word'; token = this.#tokens[++at]) {
      if (KEYWORDS.has(token.text.toLowerCase())) break
      words.push(token.text)
    }
    if (this.#isSymbol(at, '(')) return undefined
    const isArray = this.#isSymbol(at, '[') && this.#isSymbol(at + 1, ']')
    return { name: words.join(' '), isArray, end: isArray ? at + 2 : at }
  }

  #isSymbol(at: number, text: string): boolean {
    const token = this.#tokens[at]
    return token?.kind === 'symbol' && token.text === text
  }

  /** Spanner's patterns are RE2: `.` differs on newlines, and of the escapes only these are the same. */
  #isPlainPattern(): boolean {
    const token = this.#tokens[this.#at]
    if (token?.kind !== 'string' || !token.text.startsWith("'")) return false
    const pattern = token.text.slice(1, -1).replace(/\[\^?\]?(?:[^\]\\[]|\\.)*\]/g, 'x')
    return /^(?:[^.\\[\]]|\\[-dws\\.+*?()[\]{}|^$])*$/.test(pattern) && !pattern.includes('(?')
  }
}
