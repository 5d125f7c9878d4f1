/**
 * The keys that stand in the texts of constraint errors, as values in PostgreSQL's text form with null for SQL NULL: the
 * emulator writes `{pk#a:1, pk#b:"x"}` and `{Int64(1), String("x"), Bytes(b"\xff")}`, production `[1,x]`. What cannot be read
 * gives undefined: a key is a detail of a message, never more.
 */
export function parseErrorKey(text: string): (string | null)[] | undefined {
  const inside = /^[[{](.*)[\]}]$/s.exec(text)?.[1]
  if (inside === undefined) return undefined
  if (inside === '') return []
  return text.startsWith('[') ? inside.split(',').map(plainPart) : typedParts(inside)
}

function plainPart(part: string): string | null {
  const value = part.trim()
  return value === 'NULL' || value === '<null>' ? null : value
}

/** One part: an optional column name, then `Type(value)` or a bare value; strings and bytes are quoted, with C's escapes. */
const TYPED_PART =
  /\s*(?:[\w$]+#[\w$]+:)?(?:[A-Za-z][\w.<>]*\()?(b?"(?:[^"\\]|\\.)*"|b?'(?:[^'\\]|\\.)*'|[^,"'()]*)\)?\s*(?:,|$)/sy

function typedParts(inside: string): (string | null)[] | undefined {
  const parts: (string | null)[] = []
  TYPED_PART.lastIndex = 0
  while (TYPED_PART.lastIndex < inside.length) {
    const before = TYPED_PART.lastIndex
    const value = TYPED_PART.exec(inside)?.[1]
    if (value === undefined || TYPED_PART.lastIndex === before) return undefined
    parts.push(typedValue(value))
  }
  return parts
}

function typedValue(value: string): string | null {
  if (value === 'NULL') return null
  const match = /^(b?)(["'])(.*)\2$/s.exec(value)
  if (match === null) return value
  const bytes = unescapeC(match[3] ?? '')
  return match[1] === 'b' ? `\\x${bytes.toString('hex')}` : bytes.toString('utf8')
}

const SIMPLE_ESCAPES: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t' }

function unescapeC(text: string): Buffer {
  const pieces = text.split(/\\([0-7]{3}|x[0-9a-fA-F]{2}|.)/s)
  return Buffer.concat(
    pieces.map((piece, index) => (index % 2 === 0 ? Buffer.from(piece) : escaped(piece))),
  )
}

function escaped(code: string): Buffer {
  if (/^[0-7]{3}$/.test(code)) return Buffer.from([Number.parseInt(code, 8) & 0xff])
  if (/^x[0-9a-fA-F]{2}$/.test(code)) return Buffer.from([Number.parseInt(code.slice(1), 16)])
  return Buffer.from(SIMPLE_ESCAPES[code] ?? code)
}
