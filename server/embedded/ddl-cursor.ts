import { status as GRPC } from '@grpc/grpc-js'
import { GrpcStatus } from './grpc-status.ts'
import type { Profile } from './profile.ts'
import { type SqlToken, tokenize } from './sql-tokens.ts'
import { widenIntegerCasts } from './sql-translation.ts'

/** What one DDL statement of Spanner does in PostgreSQL. */
export interface DdlPlan {
  /** Run one after the other in the batch's transaction. */
  readonly statements: readonly string[]
  /** A query whose one value is true where there is nothing to do (IF NOT EXISTS, IF EXISTS). */
  readonly skipIf?: string | undefined
  /** Expressions that are checked as those of queries are, once the statements have run. */
  readonly expressions?: readonly DdlExpression[]
}

/** An expression of DDL. */
export interface DdlExpression {
  readonly kind: 'default' | 'check' | 'generated'
  /** A query whose one column it is. */
  readonly query: string
  /** The column's type as PostgreSQL writes it, of a default or a generated column. */
  readonly type: string
  /** A default that is a literal without a type, or NULL without one. */
  readonly literal: 'text' | 'null' | undefined
}

/** A name as written in a statement: `schema` is `public` where none was written. */
export interface ObjectName {
  readonly schema: string
  readonly name: string
  /** Both parts quoted, for PostgreSQL. */
  readonly sql: string
  /** As Spanner shows it. */
  readonly shown: string
}

export function quoteName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

export function quoteText(text: string): string {
  return text.includes('\\')
    ? ` E'${text.replaceAll("'", "''").replaceAll('\\', '\\\\')}'`
    : `'${text.replaceAll("'", "''")}'`
}

/** `ARRAY['a','b']::name[]`. */
export function nameArray(names: readonly string[]): string {
  return `ARRAY[${names.map(quoteText).join(', ')}]::name[]`
}

export function unsupportedDdl(text: string): GrpcStatus {
  return new GrpcStatus(GRPC.FAILED_PRECONDITION, text)
}

export function invalidDdl(text: string): GrpcStatus {
  return new GrpcStatus(GRPC.INVALID_ARGUMENT, text)
}

/** A text that says nothing which is known here: PostgreSQL's parser decides what is told of it. */
export class UnknownDdl extends Error {
  /** What is told where it parses. */
  readonly what: string

  constructor(what: string) {
    super(what)
    this.name = 'UnknownDdl'
    this.what = what
  }
}

/** What Spanner says of a text that does not parse. */
export function unparsedDdl(problem: string): GrpcStatus {
  return invalidDdl(`${problem}; failed to parse the DDL statements.`)
}

/** What Spanner has no place for: the words that it begins with, and what is told. */
export type Refusals = readonly (readonly [words: readonly string[], text: string])[]

/** Clauses that say where rows are stored, each followed by a name: nothing here depends on them. */
export const PLACEMENTS: readonly (readonly string[])[] = [
  ['locality', 'group'],
  ['columnar', 'policy'],
]

/** PostgreSQL keeps this many bytes of a name (NAMEDATALEN - 1). */
const NAME_BYTES = 63

/** Reads a DDL statement token by token. */
export class DdlCursor {
  readonly profile: Profile
  readonly #sql: string
  readonly #tokens: readonly SqlToken[]
  #index = 0

  constructor(sql: string, profile: Profile, tokens: readonly SqlToken[] = tokenize(sql)) {
    this.profile = profile
    this.#sql = sql
    this.#tokens = tokens
  }

  get isAtEnd(): boolean {
    return this.#index >= this.#tokens.length
  }

  peek(offset = 0): SqlToken | undefined {
    return this.#tokens[this.#index + offset]
  }

  /** Whether these keywords or symbols come next. */
  sees(...words: readonly string[]): boolean {
    return words.every((word, offset) => {
      const token = this.peek(offset)
      return (
        token !== undefined &&
        token.kind !== 'quoted' &&
        token.kind !== 'string' &&
        token.value === word
      )
    })
  }

  /** Steps over these keywords or symbols where all of them come next. */
  accept(...words: readonly string[]): boolean {
    if (!this.sees(...words)) return false
    this.#index += words.length
    return true
  }

  /** Steps over one of these where it comes next. */
  acceptAny(choices: readonly (readonly string[])[]): boolean {
    return choices.some((words) => this.accept(...words))
  }

  /** Throws FAILED_PRECONDITION where one of these comes next. */
  refuse(refusals: Refusals): void {
    for (const [words, text] of refusals) if (this.sees(...words)) throw unsupportedDdl(text)
  }

  /** Demands these keywords or symbols. */
  expect(...words: readonly string[]): void {
    for (const word of words) if (!this.accept(word)) throw this.syntaxError()
  }

  next(): SqlToken {
    const token = this.#tokens[this.#index]
    if (token === undefined) throw this.syntaxError()
    this.#index++
    return token
  }

  end(): void {
    this.accept(';')
    if (!this.isAtEnd) throw this.syntaxError()
  }

  /** Nothing that can stand here: not supported where PostgreSQL's grammar has it. */
  syntaxError(): Error {
    const token = this.peek()
    return new UnknownDdl(
      token === undefined
        ? 'Statement is not supported: there is something missing at its end.'
        : `Clause at or near <${token.text}> is not supported.`,
    )
  }

  /** What PostgreSQL's grammar may have by now, but not Spanner's. */
  unparsed(): GrpcStatus {
    const token = this.peek()
    return unparsedDdl(
      token === undefined
        ? 'syntax error at end of input'
        : `syntax error at or near "${token.text}"`,
    )
  }

  /** One identifier, folded where it is not quoted. */
  identifier(): string {
    const token = this.next()
    if (token.kind !== 'word' && token.kind !== 'quoted') {
      this.#index--
      throw this.syntaxError()
    }
    if (Buffer.byteLength(token.value) > NAME_BYTES) {
      throw invalidDdl(`Name is too long (${NAME_BYTES} bytes at most): ${token.value}.`)
    }
    return token.value
  }

  /** A possibly qualified name. */
  name(): ObjectName {
    let schema = 'public'
    let name = this.identifier()
    if (this.accept('.')) {
      schema = name
      name = this.identifier()
    }
    return {
      schema,
      name,
      sql: `${quoteName(schema)}.${quoteName(name)}`,
      shown: schema === 'public' ? name : `${schema}.${name}`,
    }
  }

  /** A whole number, as text. */
  integer(): string {
    const sign = this.accept('-') ? '-' : ''
    const token = this.next()
    if (token.kind !== 'number' || !/^\d+$/.test(token.text))
      throw invalidDdl(`Expected an integer but got "${token.text}".`)
    return sign + token.text
  }

  /** `(a, b)`: column names. */
  columnList(): string[] {
    this.expect('(')
    const columns = [this.identifier()]
    while (this.accept(',')) columns.push(this.identifier())
    this.expect(')')
    return columns
  }

  /** SQL of `( ... )`, parentheses included, with Spanner's integer types. */
  parenthesised(): string {
    if (!this.sees('(')) throw this.syntaxError()
    const from = this.#index
    this.#skipGroup()
    return this.#textOf(from, this.#index)
  }

  /** SQL up to the first token, outside parentheses, that satisfies `stops`; at least one token. */
  expression(stops: (cursor: DdlCursor) => boolean): string {
    const from = this.#index
    do {
      if (this.sees('(')) this.#skipGroup()
      else if (this.sees('[')) this.#skipGroup()
      else this.next()
    } while (!this.isAtEnd && !stops(this))
    return this.#textOf(from, this.#index)
  }

  /** The rest of the statement, without a semicolon at its end. */
  rest(): string {
    return this.expression((cursor) => cursor.sees(';') && cursor.peek(1) === undefined)
  }

  /** Parts of `( .. , .. )` at its commas, each with a cursor of its own. */
  elements(): DdlCursor[] {
    this.expect('(')
    const parts: DdlCursor[] = []
    let from = this.#index
    while (!this.sees(')')) {
      if (this.isAtEnd) throw this.syntaxError()
      if (this.sees(',')) {
        parts.push(new DdlCursor(this.#sql, this.profile, this.#tokens.slice(from, this.#index)))
        from = this.#index + 1
      }
      if (this.sees('(') || this.sees('[')) this.#skipGroup()
      else this.#index++
    }
    if (this.#index > from)
      parts.push(new DdlCursor(this.#sql, this.profile, this.#tokens.slice(from, this.#index)))
    this.expect(')')
    return parts
  }

  #skipGroup(): void {
    let depth = 0
    do {
      const token = this.next()
      if (token.text === '(' || token.text === '[') depth++
      else if (token.text === ')' || token.text === ']') depth--
    } while (depth > 0)
  }

  #textOf(from: number, to: number): string {
    const first = this.#tokens[from]
    const last = this.#tokens[to - 1]
    if (first === undefined || last === undefined) return ''
    const tokens = this.#tokens.slice(from, to).map((token) => ({
      ...token,
      start: token.start - first.start,
      end: token.end - first.start,
    }))
    return widenIntegerCasts(this.#sql.slice(first.start, last.end), tokens)
  }
}

/** Demands what Spanner demands of a new name: no underscore in front, no `pg_`. */
export function checkNewName(kind: string, name: string): void {
  if (name.startsWith('_') || name === '') throw invalidDdl(`${kind} name not valid: ${name}.`)
  if (kind === 'Table' && name.startsWith('pg_')) {
    throw invalidDdl("'pg_' is not supported as a prefix for a table name.")
  }
}

/** SQL that raises where the schema has an object whose name is the same but for case. */
export function checkFreeName(target: ObjectName): string {
  return `SELECT _spanner.check_free_name(${quoteText(target.schema)}, ${quoteText(target.name)})`
}
