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
  /** The type of an enum's, as casts print it: its stored form has the declared one's equality, and another order. */
  readonly labelType?: string | undefined
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

/** What orders its operands, or may. */
const ORDERING = new Set(['<', '>', '<=', '>='])
const ORDERING_WORDS = new Set(['greatest', 'least'])

/** Spanner's form of an expression that PostgreSQL printed, or undefined where it has none that surely means the same. */
export function toSpannerExpression(text: string, scope: ExpressionScope): string | undefined {
  const tokens = tokenize(text)
  if (tokens === undefined) return undefined
  return new ExpressionPrinter(tokens, scope).print()
}

function printed({ kind, text }: Token): string {
  return kind === 'quoted' ? `"${text.replaceAll('"', '""')}"` : text
}

class ExpressionPrinter {
  readonly #tokens: readonly Token[]
  readonly #scope: ExpressionScope
  readonly #out: string[] = []
  readonly #labelTypes: ReadonlySet<string>
  #at = 0
  /** Labels are in it, and something in it orders what may be one. */
  #hasLabels = false
  #hasOrdering = false

  constructor(tokens: readonly Token[], scope: ExpressionScope) {
    this.#tokens = tokens
    this.#scope = scope
    this.#labelTypes = new Set(
      [...scope.columns.values()].flatMap(({ labelType }) => labelType ?? []),
    )
  }

  print(): string | undefined {
    while (this.#at < this.#tokens.length) {
      if (!this.#next()) return undefined
    }
    if (this.#hasLabels && this.#hasOrdering) return undefined
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
    if (ORDERING_WORDS.has(word)) this.#hasOrdering = true
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
    if (column?.labelType !== undefined) {
      this.#hasLabels = true
      return this.#put(quotePhysical(column.physicalName))
    }
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
    if (ORDERING.has(text)) this.#hasOrdering ||= !this.#isBetweenPlain()
    if ('()[],'.includes(text)) return this.#put(text)
    if (text === '~' || text === '!~') return this.#isPlainPattern() && this.#put(text)
    return this.#put(OPERATORS.get(text))
  }

  /** Whether a plain column or number stands on each side of the operator that was read last. */
  #isBetweenPlain(): boolean {
    const [left, , ...right] = this.#tokens.slice(this.#at - 2, this.#at + 3)
    const [first, second] = right
    return this.#isPlain(left) && this.#isPlain(first?.text === '(' ? second : first)
  }

  #isPlain(token: Token | undefined): boolean {
    if (token?.kind === 'number') return true
    const isName = token?.kind === 'word' || token?.kind === 'quoted'
    return isName && this.#scope.columns.get(token.text)?.isPlain === true
  }

  #cast(): boolean {
    const labelEnd = this.#labelTypeEnd()
    if (labelEnd !== undefined) {
      this.#at = labelEnd
      return true
    }
    const type = this.#typeName(this.#at)
    if (type === undefined) return false
    this.#at = type.end
    const target = CASTS.get(type.name)
    return (
      target !== undefined && this.#put('::') && this.#put(`${target}${type.isArray ? '[]' : ''}`)
    )
  }

  /** Where the name of an enum type ends that begins here: a literal of it is its label. Arrays are none. */
  #labelTypeEnd(): number | undefined {
    const [schema, dot, name] = this.#tokens.slice(this.#at, this.#at + 3)
    if (schema === undefined || dot?.text !== '.' || name === undefined) return undefined
    const end = this.#at + 3
    const literal = this.#tokens[this.#at - 2]
    const isLiteral = literal?.kind === 'string' || literal?.text === 'NULL'
    const isLabel = isLiteral && this.#labelTypes.has(`${printed(schema)}.${printed(name)}`)
    return isLabel && !this.#isSymbol(end, '[') ? end : undefined
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
