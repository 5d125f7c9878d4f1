import { postgresParser } from './postgres-parser.ts'

/** What kind of keyword a word is to PostgreSQL's grammar (src/include/parser/kwlist.h); `NO_KEYWORD` for a plain name. */
function keywordKind(word: string): string {
  return postgresParser().scanSync(word).tokens[0]?.keywordName ?? 'NO_KEYWORD'
}

/** Whether a word in lower case is quoted when PostgreSQL prints it as a name (quote_identifier): any keyword but an unreserved one. */
export function isQuotedWord(word: string): boolean {
  const kind = keywordKind(word)
  return kind !== 'NO_KEYWORD' && kind !== 'UNRESERVED_KEYWORD'
}

/** Whether a word cannot be the name of a column (ColId of the grammar). */
export function isReservedWord(word: string): boolean {
  const kind = keywordKind(word)
  return kind === 'RESERVED_KEYWORD' || kind === 'TYPE_FUNC_NAME_KEYWORD'
}
