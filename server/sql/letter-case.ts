import { literalText, textLiteral } from './dialect-printers.ts'

/*
 * PostgreSQL maps letters to upper and lower case one by one (towupper, towlower of the C library, under LC_COLLATE C and a UTF-8
 * LC_CTYPE). Spanner follows Unicode's full mapping, where a letter may become several and may depend on its neighbours
 * (SpecialCasing.txt). Letters that came with Unicode 14 or later are mapped by whichever side knows them.
 */

/** Small letters without a capital of their own, which Unicode spells out: ß is SS, ﬁ is FI. PostgreSQL leaves them as they are. */
const SPELLED_OUT = 'ßŉǰΐΰևẖẗẘẙẚὐὒὔὖᾶῆῒΐῖῗῢΰῤῦῧῶᾲᾴᾷῂῄῇῲῴῷﬀﬁﬂﬃﬄﬅﬆﬓﬔﬕﬖﬗ'
/** Small Greek letters with an iota below, and their capitals: one letter in PostgreSQL, two in Unicode. */
const IOTA_BELOW = 'ᾀᾁᾂᾃᾄᾅᾆᾇᾐᾑᾒᾓᾔᾕᾖᾗᾠᾡᾢᾣᾤᾥᾦᾧᾳῃῳ'
const IOTA_BESIDE = 'ᾈᾉᾊᾋᾌᾍᾎᾏᾘᾙᾚᾛᾜᾝᾞᾟᾨᾩᾪᾫᾬᾭᾮᾯᾼῌῼ'

const SPECIAL = [...SPELLED_OUT, ...IOTA_BELOW, ...IOTA_BESIDE].join('|')

/*
 * PostgreSQL:  lower('ΣΑΣ İ')     σασ i
 * Spanner:     lower('ΣΑΣ İ')     σας i̇        a sigma at a word's end is another, the dot of İ stays
 */
export function lowerCase(text: string): string {
  const literal = literalText(text)
  // Of Latin letters all know the same.
  if (literal !== undefined && /^[\0-\u024f]*$/.test(literal))
    return textLiteral(literal.replaceAll('İ', 'i').toLowerCase())
  return `lower(replace(replace(${text}, 'Σ', 'σ'), 'İ', 'i'))`
}

/*
 * PostgreSQL:  upper('Straße')    STRAßE
 * Spanner:     upper('Straße')    STRASSE
 *
 * A text with such letters is cut at them; the pieces are mapped, and each letter comes back behind its piece, where the
 * lengths of the pieces say that it stood.
 */
export function upperCase(text: string): string {
  return `CASE WHEN ${text} ~ '${SPECIAL}' THEN ${byPieces(text)} ELSE upper(${text}) END`
}

function byPieces(text: string): string {
  const pieces = `(SELECT ${text} AS v, regexp_split_to_array(${text}, '${SPECIAL}') AS a) AS u1`
  const end = `(SELECT sum(length(u3.v)) FROM unnest(u1.a) WITH ORDINALITY AS u3(v, n) WHERE u3.n <= u2.n)`
  const letter = `substr(u1.v, ${end}::bigint + u2.n, 1)`
  const mapped = `CASE WHEN strpos('${IOTA_BELOW}', ${letter}) > 0 AND ${letter} <> '' THEN substr('${IOTA_BESIDE}', strpos('${IOTA_BELOW}', ${letter}), 1) ELSE ${letter} END`
  return `(SELECT array_to_string(ARRAY(SELECT upper(u2.v) || ${mapped} FROM unnest(u1.a) WITH ORDINALITY AS u2(v, n) ORDER BY u2.n), '') FROM ${pieces})`
}
