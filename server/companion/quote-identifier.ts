/** An identifier as it stands in SQL, always quoted. Names from clients hold no zero byte: the protocol ends strings with it. */
export function quoteIdentifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}
