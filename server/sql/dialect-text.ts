import type { CallSite, Printer } from './dialect.ts'
import {
  at,
  CAN_FAIL,
  type CallRow,
  call,
  form,
  infix,
  literalInteger,
  literalText,
  type RuleFlags,
  SAYS_LESS,
  same,
  textLiteral,
} from './dialect-printers.ts'
import { lowerCase, upperCase } from './letter-case.ts'
import { matchPattern, quotePattern } from './regular-expression.ts'
import { castText, outputText } from './text-of.ts'

/*
 * PostgreSQL:  substr('abc', 0, 2) is a: places before the text count
 * Spanner:     substr('abc', 0, 2) is ab, substr('abc', -1) is c: places below 0 count from the end
 *
 * A length below 0 is 22011 in both.
 */
const FROM_PLACE = form('substr($1, CASE WHEN $2 < 1 THEN 1 ELSE $2 END)')
const FROM_PLACE_FOR = form(
  'substr($1, CASE WHEN $2 < 1 THEN 1 ELSE $2 END, CASE WHEN $3 >= 0 AND $2 + $3 < 1 THEN 0 WHEN $3 >= 0 AND $2 < 1 THEN $2 + $3 - 1 ELSE $3 END)',
)

/** left('abc', -1) is ab in PostgreSQL: all but the last. Spanner has neither left nor right. */
const LEFT = form(
  'substr($1, 1, CASE WHEN $2 >= 0 THEN $2 WHEN length($1) + $2 < 0 THEN 0 ELSE length($1) + $2 END)',
)
const RIGHT = form(
  'substr($1, CASE WHEN $2 = -2147483648 THEN 1 WHEN $2 < 0 THEN 1 - $2 WHEN $2 > length($1) THEN 1 ELSE length($1) - $2 + 1 END)',
)

const NOT_NEGATIVE = 'CASE WHEN $2 < 0 THEN 0 ELSE $2 END'

/** Padding to a length below 0 gives an empty text, padding with nothing only cuts; Spanner refuses both. */
function padded(name: string): Printer {
  return form(
    `CASE WHEN $3 = '' THEN substr($1, 1, ${NOT_NEGATIVE}) ELSE ${name}($1, ${NOT_NEGATIVE}, $3) END`,
  )
}

/** Trimming without characters takes blanks alone in PostgreSQL, every white space in Spanner. */
function trimmed(name: string): Printer {
  return form(`${name}($1, ' ')`)
}

const OVERLAY = form(
  'CASE WHEN ($1 || $2) IS NOT NULL THEN substr($1, 1, $3 - 1) || $2 || substr($1, CASE WHEN $3 + $4 < 1 THEN 1 ELSE $3 + $4 END) END',
)
const OVERLAY_ALL = form(
  'CASE WHEN ($1 || $2) IS NOT NULL THEN substr($1, 1, $3 - 1) || $2 || substr($1, $3 + length($2)) END',
)

/** Whether a text is one that Spanner can be given as a pattern to split by. */
function hasDelimiter(args: readonly string[]): boolean {
  const delimiter = literalText(at(args, 1))
  return delimiter !== undefined && delimiter !== '' && quotePattern(delimiter) !== undefined
}

function splitBy(args: readonly string[]): string {
  const pattern = quotePattern(literalText(at(args, 1)) ?? '') ?? ''
  return `regexp_split_to_array(${at(args, 0)}, ${textLiteral(pattern)})`
}

/*
 * PostgreSQL:  split_part(t, ', ', 2)
 * Spanner:     COALESCE((regexp_split_to_array(t, ', '))[2], substr(t, 1, 0))       which is '', or NULL of NULL
 */
const SPLIT_PART: Printer = (args) =>
  `COALESCE((${splitBy(args)})[${at(args, 2)}], substr(${at(args, 0)}, 1, 0))`

/*
 * PostgreSQL:  string_to_array(t, ',')     of an empty text: an empty array
 * Spanner:     regexp_split_to_array(t, ',')                 an array of one empty text
 */
const STRING_TO_ARRAY: Printer = (args) =>
  `CASE WHEN ${at(args, 0)} = '' THEN ARRAY[]::text[] ELSE ${splitBy(args)} END`

/** `t LIKE pattern`, both in lower case: what ILIKE is under a multibyte encoding (src/backend/utils/adt/like.c). */
function likeInLowerCase(operator: string): Printer {
  return (args) => `${lowerCase(at(args, 0))} ${operator} ${lowerCase(at(args, 1))}`
}

/** `t ~ pattern` for patterns that read alike in both languages. */
function matches(operator: '~' | '!~', ignoresCase: boolean): CallRow[2] {
  return (args) => {
    const pattern = matchPattern(literalText(at(args, 1)) ?? '', ignoresCase) ?? ''
    const matching = `${at(args, 0)} ~ ${textLiteral(pattern)}`
    // The emulator's own !~ looks at bytes.
    return operator === '~' ? matching : `NOT (${matching})`
  }
}

function patternFlags(ignoresCase: boolean) {
  return {
    accepts: (args: readonly string[]) => {
      const pattern = literalText(at(args, 1))
      return pattern !== undefined && matchPattern(pattern, ignoresCase) !== undefined
    },
  }
}

/*
 * PostgreSQL:  concat(a, 1, NULL)           passes over NULLs
 * Spanner:     COALESCE(a, '') || COALESCE(1::text, '') || ..
 */
const CONCAT: Printer = (args, site) =>
  args.map((arg, i) => `COALESCE(${mustOutputText(arg, i, site)}, '')`).join(' || ')

/*
 * PostgreSQL:  concat_ws(', ', a, b)
 * Spanner:     substr(COALESCE(', ' || a, '') || COALESCE(', ' || b, ''), length(', ') + 1)
 */
const CONCAT_WS: Printer = ([separator = '', ...values], site) => {
  const joined = values.map(
    (value, i) => `COALESCE(${separator} || ${mustOutputText(value, i + 1, site)}, '')`,
  )
  return `substr(${joined.join(' || ')}, length(${separator}) + 1)`
}

function mustOutputText(sql: string, index: number, site: CallSite): string {
  const text = outputText(sql, site.argTypes[index] ?? 0, site) ?? sql
  return text.startsWith('CASE') ? `(${text})` : text
}

const OF_OUTPUT_TEXTS: RuleFlags = {
  accepts: (args, site) =>
    args.every((arg, i) => outputText(arg, site.argTypes[i] ?? 0, site) !== undefined),
}

/** `text || anything`, with the cast to text that PostgreSQL's function makes. */
function joinedWith(index: 0 | 1): CallRow[2] {
  return (args, site) =>
    args
      .map((arg, i) => (i === index ? (castText(arg, site.argTypes[i] ?? 0, site) ?? arg) : arg))
      .map((arg) => (arg.startsWith('CASE') ? `(${arg})` : arg))
      .join(' || ')
}

function castFlags(index: 0 | 1): RuleFlags {
  return {
    accepts: (args, site) =>
      castText(at(args, index), site.argTypes[index] ?? 0, site) !== undefined,
  }
}

export const TEXT_OPERATORS: readonly CallRow[] = [
  [654, 'text || text', infix('||')],
  [2779, 'text || anynonarray', joinedWith(1), castFlags(1)],
  [2780, 'anynonarray || text', joinedWith(0), castFlags(0)],
  [2018, 'bytea || bytea', infix('||')],
  [1209, 'text ~~ text', infix('LIKE')],
  [1210, 'text !~~ text', infix('NOT LIKE')],
  [1207, 'name ~~ text', infix('LIKE')],
  [1208, 'name !~~ text', infix('NOT LIKE')],
  [2016, 'bytea ~~ bytea', infix('LIKE')],
  [2017, 'bytea !~~ bytea', infix('NOT LIKE')],
  [1627, 'text ~~* text', likeInLowerCase('LIKE')],
  [1628, 'text !~~* text', likeInLowerCase('NOT LIKE')],
  [1625, 'name ~~* text', likeInLowerCase('LIKE')],
  [1626, 'name !~~* text', likeInLowerCase('NOT LIKE')],
  [641, 'text ~ text', matches('~', false), patternFlags(false)],
  [642, 'text !~ text', matches('!~', false), patternFlags(false)],
  [1228, 'text ~* text', matches('~', true), patternFlags(true)],
  [1229, 'text !~* text', matches('!~', true), patternFlags(true)],
  [3877, 'text ^@ text', call('starts_with')],
]

export const TEXT_FUNCTIONS: readonly CallRow[] = [
  [870, 'lower(text)', (args) => lowerCase(at(args, 0))],
  [871, 'upper(text)', (args) => upperCase(at(args, 0))],
  [1317, 'length(text)', call('length')],
  [1381, 'char_length(text)', call('length')],
  [1369, 'character_length(text)', call('length')],
  [1318, 'length(character)', call('length')],
  [2010, 'length(bytea)', call('length')],
  [720, 'octet_length(bytea)', call('length')],
  [1810, 'bit_length(bytea)', form('length($1) * 8')],
  [2087, 'replace(text, text, text)', call('replace')],
  [3062, 'reverse(text)', call('reverse')],
  [885, 'btrim(text)', trimmed('btrim')],
  [881, 'ltrim(text)', trimmed('ltrim')],
  [882, 'rtrim(text)', trimmed('rtrim')],
  [884, 'btrim(text, text)', call('btrim')],
  [875, 'ltrim(text, text)', call('ltrim')],
  [876, 'rtrim(text, text)', call('rtrim')],
  [868, 'strpos(text, text)', call('strpos')],
  [849, 'position(text, text)', call('strpos')],
  [3696, 'starts_with(text, text)', call('starts_with')],
  [1258, 'textcat(text, text)', infix('||')],
  [3058, 'concat("any")', CONCAT, OF_OUTPUT_TEXTS],
  [3059, 'concat_ws(text, "any")', CONCAT_WS, OF_OUTPUT_TEXTS],
  [883, 'substr(text, integer)', FROM_PLACE],
  [877, 'substr(text, integer, integer)', FROM_PLACE_FOR, CAN_FAIL],
  [937, 'substring(text, integer)', FROM_PLACE],
  [936, 'substring(text, integer, integer)', FROM_PLACE_FOR, CAN_FAIL],
  [2086, 'substr(bytea, integer)', FROM_PLACE],
  [2085, 'substr(bytea, integer, integer)', FROM_PLACE_FOR, CAN_FAIL],
  [2013, 'substring(bytea, integer)', FROM_PLACE],
  [2012, 'substring(bytea, integer, integer)', FROM_PLACE_FOR, CAN_FAIL],
  [3060, 'left(text, integer)', LEFT],
  [3061, 'right(text, integer)', RIGHT],
  [873, 'lpad(text, integer, text)', padded('lpad'), SAYS_LESS],
  [874, 'rpad(text, integer, text)', padded('rpad'), SAYS_LESS],
  [879, 'lpad(text, integer)', form(`lpad($1, ${NOT_NEGATIVE})`), SAYS_LESS],
  [880, 'rpad(text, integer)', form(`rpad($1, ${NOT_NEGATIVE})`), SAYS_LESS],
  [1622, 'repeat(text, integer)', form(`repeat($1, ${NOT_NEGATIVE})`), SAYS_LESS],
  [1404, 'overlay(text, text, integer, integer)', OVERLAY, CAN_FAIL],
  [1405, 'overlay(text, text, integer)', OVERLAY_ALL, CAN_FAIL],
  [
    2088,
    'split_part(text, text, integer)',
    SPLIT_PART,
    { accepts: (args) => hasDelimiter(args) && (literalInteger(at(args, 2)) ?? 0) > 0 },
  ],
  [394, 'string_to_array(text, text)', STRING_TO_ARRAY, { accepts: hasDelimiter }],
  [3420, 'sha256(bytea)', call('sha256')],
  [3422, 'sha512(bytea)', call('sha512')],

  // Casts between texts that are stored alike.
  [401, 'text(character)', same],
  [406, 'text(name)', same],
  [2971, 'text(boolean)', form('$1::text')],
]
