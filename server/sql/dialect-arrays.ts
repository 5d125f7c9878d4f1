import { castTypeOf } from '../types/cast-type.ts'
import { findPgType, OID } from '../types/pg-type.ts'
import { keepsEquality } from '../types/storage.ts'
import type { CallSite, Printer } from './dialect.ts'
import { at, type CallRow, call, form, type RuleFlags, typedLiteral } from './dialect-printers.ts'

/*
 * Arrays of Spanner have one dimension and begin at 1. The aliases u1, u2 stand for the elements of arrays inside of one form; the
 * statement's own are t1, t2 ...
 */

/** Elements that Spanner compares as PostgreSQL does. */
function hasEquality(arrayTypeOid: number | undefined): boolean {
  return keepsEquality(elementOf(arrayTypeOid))
}

/** Elements that Spanner's own operators for arrays take. */
function hasOperators(arrayTypeOid: number | undefined): boolean {
  const element = elementOf(arrayTypeOid)
  return (
    hasEquality(arrayTypeOid) &&
    element !== OID.numeric &&
    element !== OID.float4 &&
    element !== OID.float8
  )
}

function elementOf(arrayTypeOid: number | undefined): number {
  return findPgType(arrayTypeOid ?? 0)?.elementOid ?? 0
}

const COMPARABLE: RuleFlags = { accepts: (_args, { argTypes }) => hasEquality(argTypes[0]) }
const WITH_OPERATORS: RuleFlags = { accepts: (_args, { argTypes }) => hasOperators(argTypes[0]) }
/** The only dimension there is. */
const OF_DIMENSION_1: RuleFlags = { accepts: (args) => at(args, 1) === '1' }

/** Whether two elements, or an element and a value, are the same: NULL is the same as NULL. */
function isSame(left: string, right: string): string {
  return `CASE WHEN ${left} IS NULL OR ${right} IS NULL THEN ${left} IS NULL AND ${right} IS NULL ELSE ${left} = ${right} END`
}

/*
 * PostgreSQL:  a = b
 * Spanner:     has no comparison of arrays: as many elements, and no place where they differ
 */
const EQUAL =
  'COALESCE(array_length($1, 1), 0) = COALESCE(array_length($2, 1), 0) AND NOT EXISTS (SELECT 1 FROM unnest($1) WITH ORDINALITY AS u1(v, n)' +
  ` JOIN unnest($2) WITH ORDINALITY AS u2(v, n) ON u1.n = u2.n WHERE NOT (${isSame('u1.v', 'u2.v')}))`
const EITHER_IS_NULL = '$1 IS NULL OR $2 IS NULL'

/*
 * PostgreSQL:  a || b       NULL || b is b
 * Spanner:     a || b       NULL || b is NULL
 */
const CONCATENATED: Printer = form(
  'CASE WHEN $1 IS NULL THEN $2 WHEN $2 IS NULL THEN $1 ELSE $1 || $2 END',
)

/** An array, an empty one for NULL. */
function orEmpty(array: string, site: CallSite): string {
  return `COALESCE(${array}, ARRAY[]::${castTypeOf(site.resultType)})`
}

function ofOne(element: string, site: CallSite): string {
  return `ARRAY[${element}]::${castTypeOf(site.resultType)}`
}

const APPENDED: Printer = (args, site) =>
  `${orEmpty(at(args, 0), site)} || ${ofOne(at(args, 1), site)}`
const PREPENDED: Printer = (args, site) =>
  `${ofOne(at(args, 0), site)} || ${orEmpty(at(args, 1), site)}`

/** Spanner has no arrays of jsonb to put together. */
const JOINABLE: RuleFlags = { accepts: (_args, site) => hasEquality(site.resultType) }

const POSITION: Printer = (args) =>
  `(SELECT min(u1.n) FROM unnest(${at(args, 0)}) WITH ORDINALITY AS u1(v, n) WHERE ${isSame('u1.v', typedLiteral(at(args, 1)))})`
const REMOVED: Printer = (args) =>
  `CASE WHEN ${at(args, 0)} IS NULL THEN NULL ELSE ARRAY(SELECT u1.v FROM unnest(${at(args, 0)}) WITH ORDINALITY AS u1(v, n) WHERE NOT (${isSame('u1.v', typedLiteral(at(args, 1)))}) ORDER BY u1.n) END`

/** Types whose text in array_to_string is what a cast to text gives. */
const TEXTS = new Set<number>([
  OID.text,
  OID.varchar,
  OID.name,
  OID.uuid,
  OID.int2,
  OID.int4,
  OID.int8,
  OID.oid,
  OID.numeric,
])
const OF_TEXTS: RuleFlags = {
  accepts: (_args, { argTypes }) => TEXTS.has(elementOf(argTypes[0])),
}

/** Spanner joins texts only: other elements become texts first. A NULL for NULLs leaves them out, and makes Spanner's result NULL. */
const JOINED: Printer = ([array, ...separators], { argTypes }) => {
  const isText = castTypeOf(argTypes[0] ?? 0) === 'text[]'
  const texts = isText
    ? array
    : `ARRAY(SELECT u1.v::text FROM unnest(${array}) WITH ORDINALITY AS u1(v, n) ORDER BY u1.n)`
  const [separator, forNull] = separators
  const plain = `array_to_string(${texts}, ${separator})`
  const joined =
    forNull === undefined
      ? plain
      : `CASE WHEN ${forNull}::text IS NULL THEN ${plain} ELSE array_to_string(${texts}, ${separator}, ${forNull}) END`
  return isText ? joined : `CASE WHEN ${array} IS NULL THEN NULL ELSE ${joined} END`
}

export const ARRAY_OPERATORS: readonly CallRow[] = [
  [
    1070,
    'anyarray = anyarray',
    form(`CASE WHEN ${EITHER_IS_NULL} THEN NULL ELSE ${EQUAL} END`),
    COMPARABLE,
  ],
  [
    1071,
    'anyarray <> anyarray',
    form(`CASE WHEN ${EITHER_IS_NULL} THEN NULL ELSE NOT (${EQUAL}) END`),
    COMPARABLE,
  ],
  [2751, 'anyarray @> anyarray', form('$1 @> $2'), WITH_OPERATORS],
  [2752, 'anyarray <@ anyarray', form('$1 <@ $2'), WITH_OPERATORS],
  [2750, 'anyarray && anyarray', form('$1 && $2'), WITH_OPERATORS],
  [375, 'anycompatiblearray || anycompatiblearray', CONCATENATED, JOINABLE],
  [349, 'anycompatiblearray || anycompatible', APPENDED, JOINABLE],
  [374, 'anycompatible || anycompatiblearray', PREPENDED, JOINABLE],
]

export const ARRAY_FUNCTIONS: readonly CallRow[] = [
  [2176, 'array_length(anyarray, integer)', call('array_length'), OF_DIMENSION_1],
  [2092, 'array_upper(anyarray, integer)', call('array_upper'), OF_DIMENSION_1],
  [
    2091,
    'array_lower(anyarray, integer)',
    form('CASE WHEN array_length($1, 1) > 0 THEN 1 END'),
    OF_DIMENSION_1,
  ],
  [748, 'array_ndims(anyarray)', form('CASE WHEN array_length($1, 1) > 0 THEN 1 END')],
  [
    3179,
    'cardinality(anyarray)',
    form('CASE WHEN $1 IS NULL THEN NULL ELSE COALESCE(array_length($1, 1), 0) END'),
  ],
  [383, 'array_cat(anycompatiblearray, anycompatiblearray)', CONCATENATED, JOINABLE],
  [378, 'array_append(anycompatiblearray, anycompatible)', APPENDED, JOINABLE],
  [379, 'array_prepend(anycompatible, anycompatiblearray)', PREPENDED, JOINABLE],
  [3277, 'array_position(anycompatiblearray, anycompatible)', POSITION, COMPARABLE],
  [3167, 'array_remove(anycompatiblearray, anycompatible)', REMOVED, COMPARABLE],
  [395, 'array_to_string(anyarray, text)', JOINED, OF_TEXTS],
  [384, 'array_to_string(anyarray, text, text)', JOINED, OF_TEXTS],
]
