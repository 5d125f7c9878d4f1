/**
 * The keys that stand in the texts of constraint errors, as values in text form with null for SQL NULL:
 * the emulator writes `{pk#a:1, pk#b:"x"}` and `{Int64(1), String("x"), Int64(NULL)}`, production `[1,x]`. What cannot be read
 * gives undefined: a key is a detail of a message, never more.
 */
export function parseErrorKey(text: string): (string | null)[] | undefined {
  const inside = /^[[{(]*(.*?)[\]})]*$/s.exec(text)?.[1]
  if (inside === undefined) return undefined
  if (inside === '') return []
  return text.startsWith('[') ? inside.split(',').map(plainPart) : typedParts(inside)
}

function plainPart(part: string): string | null {
  const value = part.trim()
  return value === 'NULL' || value === '<null>' ? null : value
}

/** One part: an optional column name, then `Type(value)` or a bare value; strings are in C escapes. */
const TYPED_PART =
  /\s*(?:[\w$#.]+:\s*)?(?:[A-Za-z][\w.<>]*\()?(b?"(?:[^"\\]|\\.)*"|[^,"()]*)\)?\s*(?:,|$)/sy

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
  if (value === 'NULL' || value.startsWith('NULL ')) return null
  const quoted = /^b?"(.*)"$/s.exec(value)?.[1]
  return quoted === undefined ? value : unescapeC(quoted)
}

const SIMPLE_ESCAPES: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t' }

function unescapeC(text: string): string {
  const bytes = text.replace(/\\([0-7]{3}|x[0-9a-fA-F]{2}|.)/gs, (_, code: string) => {
    if (/^[0-7]{3}$/.test(code)) return String.fromCharCode(Number.parseInt(code, 8))
    if (/^x[0-9a-fA-F]{2}$/.test(code))
      return String.fromCharCode(Number.parseInt(code.slice(1), 16))
    return SIMPLE_ESCAPES[code] ?? code
  })
  // Bytes that were escaped one by one are UTF-8; what was not escaped may be any character.
  const isBytes = [...bytes].every((character) => character <= '\u00ff')
  return text !== bytes && isBytes ? Buffer.from(bytes, 'latin1').toString('utf8') : bytes
}
