import { status as GRPC } from '@grpc/grpc-js'
import { GrpcStatus } from './grpc-status.ts'
import { type HintGroup, readHints } from './hints.ts'
import { PG_CATALOG_SCHEMA, PG_CATALOG_VIEWS } from './install-pg-catalog.ts'
import type { Profile } from './profile.ts'
import { refuseWritten } from './raw-refusal.ts'
import { classify, refuseUnsupported, type StatementKind } from './sql-refusal.ts'
import { type SqlToken, tokenizeWithHints } from './sql-tokens.ts'

/** A statement as PostgreSQL gets it. */
export interface TranslatedStatement {
  readonly sql: string
  readonly kind: StatementKind
  /** Numbers of the parameters that it names. */
  readonly params: ReadonlySet<number>
  /** Bytes of its string constants. */
  readonly constantBytes: number
  readonly hints: readonly HintGroup[]
  /** It writes the timestamp of its own commit. */
  readonly usesCommitTimestamp: boolean
}

/**
 * Spanner's SQL as PostgreSQL's. The two read alike but for two things: Spanner's `int` and `integer` have 64 bits, and its pg_catalog is
 * another (install-pg-catalog.ts). Everything else that differs lies in the functions and operators of install-functions.ts. Throws what Spanner says of a statement that it does not take.
 */
export function translateStatement(sql: string, profile: Profile): TranslatedStatement {
  if (sql.includes('\0'))
    throw new GrpcStatus(GRPC.INVALID_ARGUMENT, 'invalid byte sequence for encoding "UTF8": 0x00')
  const written = tokenizeWithHints(sql)
  const tokens = written.filter((token) => token.kind !== 'hint')
  const kind = classify(tokens)
  const hints = readHints(sql, written)
  refuseUnsupported(tokens)
  refuseWritten(sql, profile)
  return {
    sql: rewrite(sql, [...integerCasts(tokens), ...catalogNames(tokens)]),
    kind,
    hints,
    params: new Set(
      tokens.flatMap(({ kind: token, text }) => (token === 'param' ? [Number(text.slice(1))] : [])),
    ),
    constantBytes: tokens.reduce(
      (sum, { kind: token, text }) => (token === 'string' ? sum + Buffer.byteLength(text) : sum),
      0,
    ),
    usesCommitTimestamp: tokens.some((token) => token.value === 'pending_commit_timestamp'),
  }
}

/** A piece of a text, and what takes its place. */
interface Replacement {
  readonly start: number
  readonly end: number
  readonly text: string
}

/** Writes `bigint` where `::int`, `::integer` or CAST(.. AS int) stands. Names and labels called `int` stay. */
export function widenIntegerCasts(sql: string, tokens: readonly SqlToken[]): string {
  return rewrite(sql, integerCasts(tokens))
}

function rewrite(sql: string, replacements: readonly Replacement[]): string {
  let result = ''
  let copied = 0
  for (const { start, end, text } of replacements.toSorted((a, b) => a.start - b.start)) {
    result += sql.slice(copied, start) + text
    copied = end
  }
  return result + sql.slice(copied)
}

function integerCasts(tokens: readonly SqlToken[]): Replacement[] {
  const found: Replacement[] = []
  const openCasts: boolean[] = []
  for (const [index, token] of tokens.entries()) {
    if (token.text === '(') {
      const before = tokens[index - 1]
      openCasts.push(before?.kind === 'word' && before.value === 'cast')
    } else if (token.text === ')') openCasts.pop()
    if (token.kind !== 'word' || (token.value !== 'int' && token.value !== 'integer')) continue
    const before = tokens[index - 1]
    const isCast =
      before?.text === '::' ||
      tokens[index + 1]?.kind === 'string' ||
      (before?.kind === 'word' && before.value === 'as' && openCasts.at(-1) === true)
    if (isCast) found.push({ start: token.start, end: token.end, text: 'bigint' })
  }
  return found
}

/** `pg_catalog` before the name of a relation that Spanner has in its own way. */
function catalogNames(tokens: readonly SqlToken[]): Replacement[] {
  return tokens
    .filter(
      ({ kind, value }, index) =>
        (kind === 'word' || kind === 'quoted') &&
        value === 'pg_catalog' &&
        tokens[index + 1]?.text === '.' &&
        PG_CATALOG_VIEWS.has(tokens[index + 2]?.value ?? ''),
    )
    .map(({ start, end }) => ({ start, end, text: PG_CATALOG_SCHEMA }))
}
