import { findPgType, OID } from '../../server/types/pg-type.ts'
import type { Rule } from './rules.ts'
import { COLUMNS } from './values.ts'

/** A row's signature with its polymorphic types resolved (manual, section 38.2.5). */
export interface Variant {
  readonly argTypes: readonly number[]
  readonly resultType: number
}

const ARRAYS = new Set([2277, 5078])
const ELEMENTS = new Set([2283, 2776, 5077, 5079])
const ANY = 2276

/** Types that "any" and anynonarray stand for: those whose text does not depend on a setting. */
const PLAIN = [OID.text, OID.int4, OID.int8, OID.numeric, OID.bool, OID.uuid, OID.jsonb]
const ARRAYS_OF_PLAIN = [OID.int8Array, OID.int4Array, OID.textArray, OID.numericArray]

/** All arrays that the tables have columns of. */
const COLUMN_ARRAYS = COLUMNS.map((column) => column.typeOid).filter(
  (oid) => findPgType(oid)?.elementOid !== undefined,
)

/** A row is swept once where its types are definite, else once for each type that the polymorphic ones may stand for. */
export function variantsOf(rule: Rule): readonly Variant[] {
  const types = [...rule.argTypes, rule.resultType]
  // A variadic "any" is taken twice.
  if (types.includes(ANY)) {
    const doubled = { ...rule, argTypes: [...rule.argTypes, ANY] }
    return PLAIN.map((type) => resolve(doubled, type, 0))
  }
  if (types.some((type) => ARRAYS.has(type)))
    return arraysFor(rule).map((array) => resolve(rule, findPgType(array)?.elementOid ?? 0, array))
  if (types.some((type) => ELEMENTS.has(type)))
    return elementsFor(rule).map((type) => resolve(rule, type, 0))
  return [{ argTypes: rule.argTypes, resultType: rule.resultType }]
}

function resolve(rule: Rule, element: number, array: number): Variant {
  const of = (type: number) =>
    ARRAYS.has(type) ? array : ELEMENTS.has(type) || type === ANY ? element : type
  return { argTypes: rule.argTypes.map(of), resultType: of(rule.resultType) }
}

/** json has no equality; the text of floats and of times in array_to_string is another or depends on settings. */
function arraysFor(rule: Rule): readonly number[] {
  if (rule.name === 'array_to_string') return ARRAYS_OF_PLAIN
  const isCompared = /^(?:=|<>|@>|<@|&&|array_position|array_remove)$/.test(rule.name)
  const isJoined = /^(?:\|\||array_cat|array_append|array_prepend)$/.test(rule.name)
  const isByOperator = /^(?:@>|<@|&&)$/.test(rule.name)
  return COLUMN_ARRAYS.filter(
    (oid) =>
      !((isCompared || isJoined) && oid === OID.jsonbArray) &&
      !(isByOperator && WITHOUT_OPERATORS.has(oid)),
  )
}

const WITHOUT_OPERATORS = new Set<number>([OID.numericArray, OID.float4Array, OID.float8Array])

function elementsFor(rule: Rule): readonly number[] {
  if (rule.name === 'to_jsonb') return [...PLAIN, ...ARRAYS_OF_PLAIN]
  return /^jsonb?_agg$/.test(rule.name) ? PLAIN.filter((oid) => oid !== OID.jsonb) : PLAIN
}
