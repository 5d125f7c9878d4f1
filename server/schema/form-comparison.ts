import { parseArrayText } from '../types/array-text.ts'
import type { TypeForm } from '../types/type-form.ts'
import type { Token } from './expression-tokens.ts'
import { quotePhysical } from './logical-schema.ts'
import type { ExpressionColumn } from './physical-expression.ts'
import { quoteLiteral } from './postgres-text.ts'

/*
 * Columns of types that Spanner has nothing like, in expressions that PostgreSQL printed:
 *
 *   (ip <> '0.0.0.0'::inet)                     ("ip" <> '0.0.0.0/32'::text)
 *   (p <= (100)::money)                         ("p" <= 10000)
 *   (m = ANY (ARRAY['..'::macaddr, ..]))        ("m" = ANY (ARRAY['..'::text, ..]))
 *   ((c)::inet <> '10.0.0.0/8'::inet)           (("c") <> '10.0.0.0/8'::text)
 *   (i IS NOT NULL)                             ("i" IS NOT NULL)
 *
 * Nothing else is said of them: a function or an operator of Spanner's would see the stored form.
 */

/** Where a column was named, just behind its name. */
interface NamedColumn {
  readonly name: string
  readonly at: number
  readonly columns: ReadonlyMap<string, ExpressionColumn>
}

const EQUALITY: ReadonlySet<string> = new Set(['=', '<>'])
const ORDER: ReadonlySet<string> = new Set(['=', '<>', '<', '<=', '>', '>='])
const NONE: ReadonlySet<string> = new Set()
const OPERATORS = { nothing: NONE, equality: EQUALITY, order: ORDER } as const

/** The comparison that begins with a column, and the token behind it; undefined where Spanner has none that surely means the same. */
export function readFormComparison(
  tokens: readonly Token[],
  named: NamedColumn,
): { readonly sql: string; readonly end: number } | undefined {
  const column = named.columns.get(named.name)
  if (column?.form === undefined) return undefined
  const reader = new ComparisonReader(tokens, named, column.form)
  const sql = reader.read(quotePhysical(column.physicalName))
  return sql === undefined ? undefined : { sql, end: reader.end }
}

class ComparisonReader {
  readonly #tokens: readonly Token[]
  readonly #columns: ReadonlyMap<string, ExpressionColumn>
  readonly #form: TypeForm
  #at: number

  constructor(tokens: readonly Token[], { at, columns }: NamedColumn, form: TypeForm) {
    this.#tokens = tokens
    this.#columns = columns
    this.#form = form
    this.#at = at
  }

  get end(): number {
    return this.#at
  }

  read(column: string): string | undefined {
    const left = this.#accept(')', '::') ? this.#castTo(`${column})`) : column
    if (left === undefined || this.#isWord('is')) return left
    const operator = this.#tokens[this.#at++]
    if (operator?.kind !== 'symbol' || !OPERATORS[this.#form.keeps].has(operator.text)) {
      return undefined
    }
    const right = this.#isWord('any') || this.#isWord('all') ? this.#list() : this.#operand()
    return right === undefined ? undefined : `${left} ${operator.text} ${right}`
  }

  /** A cast to a type with the same form. */
  #castTo(sql: string): string | undefined {
    const type = this.#type()
    return type === 'inet' || type === 'bit' || type === 'bit varying' ? sql : undefined
  }

  #operand(): string | undefined {
    const token = this.#tokens[this.#at]
    if (token?.kind === 'string' || this.#isSymbol(this.#at, '(')) return this.#value()
    this.#at++
    const other = this.#columns.get(token?.text ?? '')
    return other?.form === this.#form ? quotePhysical(other.physicalName) : undefined
  }

  /** `'10.0.0.1'::inet`, `(100)::money`, `('1'::"bit")::bit varying`. */
  #value(): string | undefined {
    if (this.#accept('(')) {
      const value = this.#tokens[this.#at]?.kind === 'number' ? this.#amount() : this.#value()
      return this.#accept(')', '::') && this.#type() !== undefined ? value : undefined
    }
    const token = this.#tokens[this.#at++]
    if (token?.kind !== 'string' || !this.#accept('::')) return undefined
    return this.#type() === undefined ? undefined : this.#stored(textOf(token))
  }

  /** A whole number as money. */
  #amount(): string | undefined {
    const number = this.#tokens[this.#at++]?.text ?? ''
    return this.#form.storedAs === 'bigint' && /^\d{1,15}$/.test(number) ? `${number}00` : undefined
  }

  #stored(text: string | undefined): string | undefined {
    const stored = text === undefined ? undefined : this.#form.store(text)
    if (stored === undefined || this.#form.storedAs === 'bigint') return stored
    return `${quoteLiteral(stored)}::text`
  }

  /** `ANY (ARRAY['1'::money, ..])`, `ALL ('{..}'::money[])`. */
  #list(): string | undefined {
    const quantifier = this.#tokens[this.#at++]?.text.toUpperCase()
    if (!this.#accept('(')) return undefined
    const values = this.#isWord('array') ? this.#array() : this.#arrayLiteral()
    if (values === undefined || !this.#accept(')')) return undefined
    return `${quantifier} (ARRAY[${values.join(', ')}])`
  }

  #array(): readonly string[] | undefined {
    this.#at++
    if (!this.#accept('[')) return undefined
    const values: string[] = []
    do {
      const value = this.#value()
      if (value === undefined) return undefined
      values.push(value)
    } while (this.#accept(','))
    return this.#accept(']') ? values : undefined
  }

  #arrayLiteral(): readonly string[] | undefined {
    const token = this.#tokens[this.#at++]
    if (token?.kind !== 'string' || !this.#accept('::') || this.#type() === undefined)
      return undefined
    const array = parseArrayText(textOf(token) ?? '')
    if (!this.#accept('[', ']') || array.kind !== 'elements') return undefined
    const values = array.elements.map((element) => this.#stored(element ?? undefined))
    return values.every((value) => value !== undefined) && values.length > 0 ? values : undefined
  }

  /** The words of a type's name without a modifier. */
  #type(): string | undefined {
    const first = this.#tokens[this.#at]
    if (first?.kind === 'quoted') {
      this.#at++
      return first.text
    }
    const words: string[] = []
    for (let token = first; isTypeWord(token); token = this.#tokens[++this.#at])
      words.push(token.text)
    return words.length === 0 || this.#isSymbol(this.#at, '(') ? undefined : words.join(' ')
  }

  #isWord(word: string): boolean {
    const token = this.#tokens[this.#at]
    return token?.kind === 'word' && token.text.toLowerCase() === word
  }

  #isSymbol(at: number, text: string): boolean {
    const token = this.#tokens[at]
    return token?.kind === 'symbol' && token.text === text
  }

  #accept(...symbols: readonly string[]): boolean {
    if (!symbols.every((text, i) => this.#isSymbol(this.#at + i, text))) return false
    this.#at += symbols.length
    return true
  }
}

function isTypeWord(token: Token | undefined): token is Token {
  return token?.kind === 'word' && !/^(?:and|or|is)$/i.test(token.text)
}

/** What a string token stands for; undefined where it has escapes. */
function textOf({ text }: Token): string | undefined {
  return text.startsWith("'") ? text.slice(1, -1).replaceAll("''", "'") : undefined
}
