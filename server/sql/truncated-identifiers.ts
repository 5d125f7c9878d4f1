import { postgresParser } from './postgres-parser.ts'

/** NAMEDATALEN (src/include/pg_config_manual.h), without the terminator. */
const MAX_IDENTIFIER_BYTES = 63

/** An identifier that is longer than PostgreSQL keeps, and what is kept of it. */
export interface TruncatedIdentifier {
  readonly written: string
  readonly kept: string
}

/** Those of a statement, in its order (truncate_identifier of src/backend/parser/scansup.c). */
export function truncatedIdentifiers(text: string): readonly TruncatedIdentifier[] {
  if (Buffer.byteLength(text) <= MAX_IDENTIFIER_BYTES) return []
  const bytes = Buffer.from(text)
  return postgresParser()
    .scanSync(text)
    .tokens.filter(({ tokenName, start, end }) => {
      return tokenName === 'IDENT' && end - start > MAX_IDENTIFIER_BYTES
    })
    .map(({ start, end }) => identifierOf(bytes.toString('utf8', start, end)))
    .filter((written) => Buffer.byteLength(written) > MAX_IDENTIFIER_BYTES)
    .map((written) => ({ written, kept: clipped(written) }))
}

/** Without quotes, letters of ASCII are small. */
function identifierOf(token: string): string {
  if (token.startsWith('"')) return token.slice(1, -1).replaceAll('""', '"')
  return token.replace(/[A-Z]/g, (letter) => letter.toLowerCase())
}

/** As many whole characters as there is room for (pg_mbcliplen). */
function clipped(identifier: string): string {
  const bytes = Buffer.from(identifier)
  let end = MAX_IDENTIFIER_BYTES
  while (((bytes[end] ?? 0) & 0xc0) === 0x80) end--
  return bytes.toString('utf8', 0, end)
}
