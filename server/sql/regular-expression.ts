/*
 * PostgreSQL's advanced regular expressions (manual, section 9.7.3) and Spanner's RE2 are two languages. Whether a text matches is the
 * same question in both for patterns made of literals, `.`, brackets, groups, `|`, `^`, `$` and quantifiers, once the points where they
 * part are spelled out:
 *
 *   .          also matches a newline in PostgreSQL: (?s)
 *   ~*         PostgreSQL tries each letter in both cases, RE2's (?i) knows more (K and the Kelvin sign): [kK]
 *   \d         [0-9]
 *
 * Classes of letters, white space and words, back references, constraints and look-around mean different things, or nothing: a
 * pattern that has them is not translated.
 */

/** Where the scanner stands in a pattern. */
interface Scan {
  readonly pattern: string
  readonly ignoresCase: boolean
  at: number
}

/** Thrown inside of this file alone, for what is not translated. */
class Untranslatable extends Error {}

/** A pattern of PostgreSQL's `~` as one of Spanner's; undefined where the two would not mean the same. */
export function matchPattern(pattern: string, ignoresCase: boolean): string | undefined {
  if (pattern.startsWith('***') || pattern.startsWith('(?')) return undefined
  const scan: Scan = { pattern, ignoresCase, at: 0 }
  try {
    const translated = pattern === '' ? '' : alternatives(scan)
    return scan.at === pattern.length ? `(?s)${translated}` : undefined
  } catch (error) {
    if (error instanceof Untranslatable) return undefined
    throw error
  }
}

/** A pattern that matches just this text; undefined where it has control characters. */
export function quotePattern(text: string): string | undefined {
  if (/\p{Cc}/u.test(text)) return undefined
  return text.replaceAll(/[^\p{L}\p{N} ]/gu, (mark) =>
    /[\\^[\]]/.test(mark) ? `\\${mark}` : `[${mark}]`,
  )
}

function alternatives(scan: Scan): string {
  const branches = [branch(scan)]
  while (peek(scan) === '|') {
    scan.at += 1
    branches.push(branch(scan))
  }
  return branches.join('|')
}

function branch(scan: Scan): string {
  let found = ''
  for (let next = peek(scan); next !== undefined && next !== '|' && next !== ')'; next = peek(scan))
    found += quantified(scan)
  // An empty branch is not the same everywhere.
  if (found === '') throw new Untranslatable()
  return found
}

const QUANTIFIER = /[*+?]\??|\{\d{1,3}(?:,\d{0,3})?\}\??/y

function quantified(scan: Scan): string {
  const atom = atomOf(scan)
  const quantifier = match(scan, QUANTIFIER)
  if (quantifier === undefined) return atom
  if (atom === '^' || atom === '$' || match(scan, QUANTIFIER) !== undefined)
    throw new Untranslatable()
  return `${atom}${quantifier}`
}

function atomOf(scan: Scan): string {
  const char = take(scan)
  switch (char) {
    case '(':
      return group(scan)
    case '[':
      return bracket(scan)
    case '\\':
      return escaped(scan)
    case '.':
    case '^':
    case '$':
      return char
    case '*':
    case '+':
    case '?':
    case '{':
      throw new Untranslatable()
    default:
      return literal(scan, char)
  }
}

function group(scan: Scan): string {
  if (match(scan, /\?:/y) === undefined && peek(scan) === '?') throw new Untranslatable()
  const inner = alternatives(scan)
  if (take(scan) !== ')') throw new Untranslatable()
  return `(?:${inner})`
}

function escaped(scan: Scan): string {
  const char = take(scan)
  if (char === 'd') return '[0-9]'
  if (/[a-zA-Z0-9]/.test(char)) throw new Untranslatable()
  return literal(scan, char)
}

function literal(scan: Scan, char: string): string {
  const cases = casesOf(scan, char)
  return cases.length > 1 ? `[${cases.join('')}]` : quote(char)
}

/** The characters that a character of a pattern stands for. */
function casesOf(scan: Scan, char: string): readonly string[] {
  if (!scan.ignoresCase) return [char]
  const cases = [...new Set([char, char.toLowerCase(), char.toUpperCase()])]
  // A letter that changes its length, or has more than two forms, is not for here.
  if (cases.length > 2 || cases.some((each) => [...each].length > 1)) throw new Untranslatable()
  return cases
}

function quote(char: string): string {
  if (/\p{Cc}/u.test(char)) throw new Untranslatable()
  return /[\p{L}\p{N} _]/u.test(char) || !/[ -~]/.test(char) ? char : `\\${char}`
}

function bracket(scan: Scan): string {
  const isNegated = match(scan, /\^/y) !== undefined
  let members = ''
  for (let isFirst = true; isFirst || peek(scan) !== ']'; isFirst = false) members += member(scan)
  scan.at += 1
  return `[${isNegated ? '^' : ''}${members}]`
}

/** One character or range of a bracket expression. */
function member(scan: Scan): string {
  if (match(scan, /\[:digit:\]/y) !== undefined) return '0-9'
  const from = memberChar(scan)
  if (match(scan, /-(?!\])/y) === undefined)
    return casesOf(scan, from)
      .map((char) => quote(char))
      .join('')
  const to = memberChar(scan)
  const range = `${quote(from)}-${quote(to)}`
  if (from > to) throw new Untranslatable()
  if (!scan.ignoresCase || /^[0-9]-[0-9]$/.test(range)) return range
  if (!/^(?:[a-z]-[a-z]|[A-Z]-[A-Z])$/.test(range)) throw new Untranslatable()
  return `${range.toLowerCase()}${range.toUpperCase()}`
}

function memberChar(scan: Scan): string {
  const char = take(scan)
  if (char === '[' && /[:.=]/.test(peek(scan) ?? '')) throw new Untranslatable()
  if (char !== '\\') return char
  const next = take(scan)
  if (/[a-zA-Z0-9]/.test(next)) throw new Untranslatable()
  return next
}

function peek(scan: Scan): string | undefined {
  return scan.pattern[scan.at]
}

/** The next whole character, past which the scanner goes. */
function take(scan: Scan): string {
  const code = scan.pattern.codePointAt(scan.at)
  if (code === undefined) throw new Untranslatable()
  const char = String.fromCodePoint(code)
  scan.at += char.length
  return char
}

function match(scan: Scan, sticky: RegExp): string | undefined {
  sticky.lastIndex = scan.at
  const found = sticky.exec(scan.pattern)?.[0]
  scan.at += found?.length ?? 0
  return found
}
