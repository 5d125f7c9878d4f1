import type { Profile } from './profile.ts'
import { refuseWritten } from './raw-refusal.ts'
import { classify, refuseUnsupported, type StatementKind } from './sql-refusal.ts'
import { type SqlToken, tokenize } from './sql-tokens.ts'

/** A statement as PostgreSQL gets it. */
export interface TranslatedStatement {
  readonly sql: string
  readonly kind: StatementKind
  /** Numbers of the parameters that it names. */
  readonly params: ReadonlySet<number>
  /** It writes the timestamp of its own commit. */
  readonly usesCommitTimestamp: boolean
}

/**
 * Spanner's SQL as PostgreSQL's. The two read alike but for one thing: Spanner's `int` and `integer` have 64 bits. Everything else that
 * differs lies in the functions and operators of install-functions.ts. Throws what Spanner says of a statement that it does not take.
 */
export function translateStatement(sql: string, profile: Profile): TranslatedStatement {
  const tokens = tokenize(sql)
  const kind = classify(tokens)
  refuseUnsupported(tokens)
  refuseWritten(sql, profile)
  return {
    sql: widenIntegerCasts(sql, tokens),
    kind,
    params: new Set(
      tokens.flatMap(({ kind: token, text }) => (token === 'param' ? [Number(text.slice(1))] : [])),
    ),
    usesCommitTimestamp: tokens.some((token) => token.value === 'pending_commit_timestamp'),
  }
}

/** Writes `bigint` where `::int`, `::integer` or CAST(.. AS int) stands. Names and labels called `int` stay. */
export function widenIntegerCasts(sql: string, tokens: readonly SqlToken[]): string {
  let result = ''
  let copied = 0
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
      (before?.kind === 'word' && before.value === 'as' && openCasts.at(-1) === true)
    if (!isCast) continue
    result += `${sql.slice(copied, token.start)}bigint`
    copied = token.end
  }
  return result + sql.slice(copied)
}
