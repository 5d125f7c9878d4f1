import { StatementTokens } from '../sql/statement-tokens.ts'
import { isMomentWord, type MomentWord, momentWords } from '../types/moment.ts'

/*
 * PostgreSQL:  d > 'today', date 'tomorrow', timestamp 'now'
 * written:     d > '2024-01-01', date '2024-01-02', timestamp '2024-01-01 12:00:00.000000+01'
 *
 * Special strings of dates and times are constants from the moment on at which a statement is analysed (manual, section 8.5.1.4), and what they mean is the
 * start of its transaction. The companion analyses in transactions of its own, so the words are written as what they mean before a statement is planned.
 */
const WORDS = '(?<![a-z_])(?:now(?!\\s*\\()|today|tomorrow|yesterday)(?![a-z_])'
const IN_LITERAL = new RegExp(`(?:'|\\$\\w*\\$)[^']*${WORDS}`, 'i')
const WORD = new RegExp(WORDS, 'i')
const EACH_WORD = new RegExp(WORDS, 'gi')

/** Whether a string in a statement may be read as a date or time that the clock decides. */
export function namesMoment(text: string): boolean {
  return WORD.test(text) && IN_LITERAL.test(text)
}

/** date, time, timestamp, timestamptz, timetz, their arrays, ranges and multiranges. */
const MOMENT_TYPES: ReadonlySet<number> = new Set([
  ...[1082, 1083, 1114, 1184, 1266, 1182, 1183, 1115, 1185, 1270],
  ...[3908, 3910, 3912, 4533, 4534, 4535],
])

const CONSTANT =
  /\{CONST\s+:consttype\s+(\d+)\s+:consttypmod\s+\S+\s+:constcollid\s+\d+\s+:constlen\s+\S+\s+:constbyval\s+\w+\s+:constisnull\s+\w+\s+:location\s+(\d+)/g

/** Where the constants of dates and times stand in the text of a query tree: byte offsets into the statement. */
export function momentConstants(tree: string): readonly number[] {
  const places = new Set<number>()
  for (const [, type, location] of tree.matchAll(CONSTANT))
    if (MOMENT_TYPES.has(Number(type))) places.add(Number(location))
  return [...places].sort((a, b) => a - b)
}

/** When a transaction began, and where its session is. */
export interface TransactionMoment {
  readonly startMicros: bigint
  readonly timeZone: string
}

const LONGEST_WORD = 'yesterday'.length

/** What the text of a parameter of this type means, where it is one of the words; undefined where it is not. */
export function momentOfParam(
  value: Buffer,
  typeOid: number,
  { startMicros, timeZone }: TransactionMoment,
): string | undefined {
  if (value.length > LONGEST_WORD || !MOMENT_TYPES.has(typeOid)) return undefined
  const word = value.toString().toLowerCase()
  return isMomentWord(word) ? momentWords(startMicros, timeZone)[word] : undefined
}

/** The statement with the words in the literals at these places (byte offsets, ascending) written as what they mean in a transaction. */
export function writeMoments(
  text: string,
  places: readonly number[],
  { startMicros, timeZone }: TransactionMoment,
): string {
  const source = new StatementTokens(text)
  const words = momentWords(startMicros, timeZone)
  let result = ''
  let done = 0
  for (const place of places) {
    const token = source.tokens[source.indexAt(place)]
    if (token === undefined || token.start !== place || !namesMoment(token.text)) continue
    const meant = token.text.replace(EACH_WORD, (word) => words[word.toLowerCase() as MomentWord])
    result += source.slice(done, token.start) + meant
    done = token.end
  }
  return done === 0 ? text : result + source.slice(done, source.endByte)
}
