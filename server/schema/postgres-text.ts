import type { QualifiedName } from './declared-object.ts'

/** Always quoted: no keyword list to keep. */
export function quoteIdentifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

/** A string constant that reads the same whatever standard_conforming_strings says. */
export function quoteLiteral(text: string): string {
  const quoted = `'${text.replaceAll("'", "''")}'`
  return text.includes('\\') ? `E${quoted.replaceAll('\\', '\\\\')}` : quoted
}

/** A qualified name, quoted. */
export function emitPostgresName(object: QualifiedName): string {
  return `${quoteIdentifier(object.schema)}.${quoteIdentifier(object.name)}`
}
