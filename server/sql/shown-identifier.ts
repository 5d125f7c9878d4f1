import { isQuotedWord } from './keyword.ts'

/** quote_identifier of src/backend/utils/adt/ruleutils.c: quoted unless it is plain and no keyword, or an unreserved one. */
export function shownIdentifier(name: string): string {
  const isPlain = /^[a-z_][a-z0-9_]*$/.test(name) && !isQuotedWord(name)
  return isPlain ? name : `"${name.replaceAll('"', '""')}"`
}
