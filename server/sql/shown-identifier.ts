import { postgresParser } from './postgres-parser.ts'

/** quote_identifier of src/backend/utils/adt/ruleutils.c: quoted unless it is plain and no keyword, or an unreserved one. */
export function shownIdentifier(name: string): string {
  const isPlain = /^[a-z_][a-z0-9_]*$/.test(name) && !isReserved(name)
  return isPlain ? name : `"${name.replaceAll('"', '""')}"`
}

function isReserved(word: string): boolean {
  const keyword = postgresParser().scanSync(word).tokens[0]?.keywordName
  return keyword !== 'NO_KEYWORD' && keyword !== 'UNRESERVED_KEYWORD'
}
