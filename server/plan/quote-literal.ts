/** A string literal of SQL under standard_conforming_strings, which Spanner's dialect and the companion both have. */
export function quoteLiteral(text: string): string {
  return `'${text.replaceAll("'", "''")}'`
}
