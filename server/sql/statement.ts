import type { ParseResult } from 'libpg-query'
import { LruCache } from '../base/lru-cache.ts'
import { Bug, PgError } from '../base/pg-error.ts'
import { SQL_STATE } from '../base/sql-state.ts'
import { type BatchCommand, findBatchCommands, withoutBatchCommands } from './batch-command.ts'
import { classify, type StatementCategory } from './classify.ts'
import { commandTag } from './command-tag.ts'
import { checkNesting } from './nesting.ts'
import { postgresParser } from './postgres-parser.ts'
import type { RawNode } from './raw-node.ts'

/** One statement of a query string. */
export interface ParsedStatement {
  /** The statement without what surrounds it: no semicolon, no leading comment, no white space at its ends. */
  readonly text: string
  /** Where `text` begins in the whole string, in characters as PostgreSQL counts them (code points). */
  readonly offset: number
  /** Locations in it are byte offsets (UTF-8) into `text`. */
  readonly node: RawNode
  readonly category: StatementCategory
  /** The command tag as CommandComplete gives it, without counts. EXECUTE answers with the tag of what it runs. */
  readonly tag: string
}

/** The text is not PostgreSQL: the caller asks the real PostgreSQL, whose error the client gets. */
export class SyntaxProblem extends Error {
  /** Cursor into the whole string, in characters from 1. */
  readonly position: number

  constructor(message: string, position: number, options?: ErrorOptions) {
    super(message, options)
    this.name = 'SyntaxProblem'
    this.position = position
  }
}

/** A tree takes some 50 bytes for a character of its text: at most 25 MB, a few where texts are as long as clients' mostly are. */
const MAX_CACHED_TEXTS = 256
const MAX_CACHED_CHARACTERS = 2_000

/** Clients that do not prepare send the same few texts with every execution. */
const cache = new LruCache<string, readonly ParsedStatement[]>(MAX_CACHED_TEXTS)

/**
 * The statements of a query string, in order; none where it holds only white space, comments and semicolons. They are shared by
 * all who ask for the same text, and not to be changed. Throws {@link SyntaxProblem}; PgError 54001 where it nests too deeply.
 * The grammar is that of PostgreSQL 18 with standard_conforming_strings on: a statement that is newer than the companion fails
 * there.
 */
export function parseStatements(text: string): readonly ParsedStatement[] {
  const known = cache.get(text)
  if (known !== undefined) return known
  const statements = parseNew(text)
  if (text.length <= MAX_CACHED_CHARACTERS) cache.set(text, statements)
  return statements
}

function parseNew(text: string): readonly ParsedStatement[] {
  checkNesting(text)
  const found = parseWithBatchCommands(text)
  if (found.length === 0) return []
  const source = new ByteText(text)
  return found.map(({ node, startByte, endByte, command }) => {
    const slice = source.slice(startByte, endByte).trimEnd()
    if (startByte > 0) shiftLocations(node, startByte)
    return {
      text: slice,
      offset: source.charactersBefore(startByte),
      node,
      category: command === undefined ? classify(node) : 'batch',
      tag: command ?? commandTag(node),
    }
  })
}

/** What PostgreSQL's grammar does not take may hold PGAdapter's commands. */
function parseWithBatchCommands(text: string): readonly Found[] {
  try {
    return parse(text)
  } catch (error) {
    const spans = error instanceof SyntaxProblem ? findBatchCommands(text) : []
    if (spans.length === 0) throw error
    // The grammar has no node for them.
    const commands = spans.map((span): Found => ({ ...span, node: { RawStmt: {} } }))
    const others = parse(withoutBatchCommands(text, spans))
    return [...others, ...commands].sort((a, b) => a.startByte - b.startByte)
  }
}

interface Found {
  readonly node: RawNode
  readonly startByte: number
  /** undefined: to the end of the text. */
  readonly endByte: number | undefined
  readonly command?: BatchCommand
}

function parse(text: string): readonly Found[] {
  if (text === '') return []
  let statements: ParseResult['stmts']
  try {
    statements = postgresParser().parseSync(text).stmts
  } catch (error) {
    throw problemOf(error)
  }
  return (statements ?? []).flatMap(({ stmt, stmt_location: start = 0, stmt_len: length = 0 }) =>
    stmt === undefined
      ? []
      : [{ node: stmt, startByte: start, endByte: length > 0 ? start + length : undefined }],
  )
}

function problemOf(error: unknown): Error {
  if (error instanceof postgresParser().SqlError) {
    const cursor = error.sqlDetails?.cursorPosition ?? 0
    return new SyntaxProblem(error.message, cursor + 1, { cause: error })
  }
  if (error instanceof Error && (error.name === 'RangeError' || error.name === 'RuntimeError')) {
    return new PgError(SQL_STATE.statementTooComplex, 'stack depth limit exceeded', {
      cause: error,
    })
  }
  return new Bug('the parser failed', { cause: error })
}

/** Text addressed by byte offsets: the same as character offsets where it is ASCII, as it nearly always is. */
class ByteText {
  readonly #text: string
  readonly #bytes: Buffer | undefined

  constructor(text: string) {
    this.#text = text
    const bytes = Buffer.byteLength(text)
    this.#bytes = bytes === text.length ? undefined : Buffer.from(text)
  }

  slice(startByte: number, endByte: number | undefined): string {
    if (this.#bytes === undefined) return this.#text.slice(startByte, endByte)
    return this.#bytes.toString('utf8', startByte, endByte)
  }

  /** Code points before a byte offset. */
  charactersBefore(byte: number): number {
    if (this.#bytes === undefined) return byte
    let count = 0
    for (let i = 0; i < byte; i++) if (((this.#bytes[i] ?? 0) & 0xc0) !== 0x80) count++
    return count
  }
}

const LOCATION_KEY = /(?:^|_)(?:location|list_start|list_end)$/

/** Makes the locations under `root`, freshly parsed and so ours alone, relative to the statement. */
function shiftLocations(root: RawNode, by: number): void {
  const stack: Record<string, unknown>[] = [root as Record<string, unknown>]
  for (let body = stack.pop(); body !== undefined; body = stack.pop()) {
    for (const [key, value] of Object.entries(body)) {
      if (typeof value === 'object' && value !== null) stack.push(value as Record<string, unknown>)
      else if (typeof value === 'number' && value >= by && LOCATION_KEY.test(key))
        body[key] = value - by
    }
  }
}
