import { literalText, textLiteral } from './dialect-printers.ts'

/*
 * What jsonb's operators ask, said with `->`, jsonb_typeof and the elements of arrays: for backends that lack the operators. The aliases
 * e1, e2 ... stand for elements of arrays, one for each level.
 */

/** The emulator says `bool` where PostgreSQL and Spanner's pages say `boolean`. */
export function typeOfJson(value: string): string {
  return `replace(replace(jsonb_typeof(${value}), 'boolean', 'bool'), 'bool', 'boolean')`
}

/** The elements of an array; `alias.v` is one of them. */
function elements(array: string, alias: string): string {
  return `jsonb_array_elements(${array}) AS ${alias}(v)`
}

/** How many elements an array has; 22023 for what is none. */
export function arrayLength(array: string): string {
  return `(SELECT count(e1.v::text) FROM ${elements(array, 'e1')})`
}

/*
 * PostgreSQL:  d -> -1       the last element; 'x'::jsonb -> 0 is x itself
 * Spanner:     d -> -1       NULL
 */
export function elementIndex(value: string, index: string): string {
  if (/^\d+$/.test(index)) return index
  const length = `CASE WHEN jsonb_typeof(${value}) = 'array' THEN ${arrayLength(value)} ELSE 1 END`
  // An index before the first element is none.
  return `(CASE WHEN ${index} >= 0 THEN ${index} WHEN ${length} + ${index} >= 0 THEN ${length} + ${index} END)`
}

/** The path that an array literal of texts spells; undefined for every other SQL. */
export function literalPath(sql: string): readonly string[] | undefined {
  const list = /^ARRAY\[(.*)\]::text\[\]$/s.exec(sql)?.[1]
  if (list === undefined) return undefined
  if (list === '') return []
  const steps = [...list.matchAll(/'(?:[^']|'')*'|NULL/g)].map(([step]) => literalText(step))
  return steps.includes(undefined) ? undefined : steps.filter((step) => step !== undefined)
}

/*
 * PostgreSQL:  d #> '{a,0}'
 * Spanner:     CASE WHEN jsonb_typeof(d -> 'a') = 'array' THEN d -> 'a' -> 0 ELSE d -> 'a' -> '0' END
 */
export function atPath(value: string, path: readonly string[], operator: '->' | '->>'): string {
  return path.reduce((found, step, i) => {
    const arrow = i === path.length - 1 ? operator : '->'
    const key = `${found} ${arrow} ${textLiteral(step)}`
    if (!isIndex(step)) return i === path.length - 1 ? key : `(${key})`
    return `(CASE WHEN jsonb_typeof(${found}) = 'array' THEN ${found} ${arrow} ${Number(step)} ELSE ${key} END)`
  }, value)
}

/** A step that names an array's element as well. */
function isIndex(step: string): boolean {
  return /^\d{1,9}$/.test(step)
}

/** Whether a path has a form: at least one step, none that counts from an array's end or is read as a number in another spelling. */
export function isPlainPath(path: readonly string[] | undefined): path is readonly string[] {
  return (
    path !== undefined &&
    path.length > 0 &&
    path.every((step) => isIndex(step) || !/^[\s+-]*\d/.test(step))
  )
}

/*
 * PostgreSQL:  d['a']     a key of an object, or of an array the element that the text counts
 * Spanner:     d -> 'a'
 */
export function atSubscript(value: string, index: string, isText: boolean): string {
  const literal = isText ? literalText(index) : /^\d+$/.exec(index)?.[0]
  if (literal !== undefined && isPlainPath([literal])) return atPath(value, [literal], '->')
  const isArray = `jsonb_typeof(${value}) = 'array'`
  if (!isText)
    return `CASE WHEN ${isArray} THEN ${value} -> ${elementIndex(value, index)} ELSE ${value} -> ${index}::text END`
  const number = `(${index})::bigint`
  return `CASE WHEN NOT (${isArray}) THEN ${value} -> ${index} WHEN ${index} ~ '^-?[0-9]{1,9}$' THEN ${value} -> ${elementIndex(value, number)} END`
}

/** `d ? 'key'`: a key of an object, a text among an array's elements, or the text itself. */
export function hasKey(value: string, key: string): string {
  const quoted = `to_jsonb(${key}::text)::text`
  return `CASE WHEN ${value} IS NULL OR ${key}::text IS NULL THEN NULL WHEN jsonb_typeof(${value}) = 'object' THEN (${value} -> ${key}) IS NOT NULL WHEN jsonb_typeof(${value}) = 'array' THEN EXISTS (SELECT 1 FROM ${elements(value, 'e1')} WHERE e1.v::text = ${quoted}) ELSE ${value}::text = ${quoted} END`
}

export type Json =
  | null
  | boolean
  | number
  | string
  | readonly Json[]
  | { readonly [key: string]: Json }

/** The value of a jsonb literal; undefined for every other SQL, and for numbers that JavaScript would round. */
export function literalJson(sql: string): Json | undefined {
  const text = /::jsonb$/.test(sql) ? literalText(sql) : undefined
  if (text === undefined || /\d{16}|\d[eE]/.test(text)) return undefined
  return JSON.parse(text) as Json
}

/*
 * PostgreSQL:  d @> '{"a": [1]}'
 * Spanner:     jsonb_typeof(d) = 'object' AND jsonb_typeof(d -> 'a') = 'array' AND EXISTS (SELECT 1 FROM the elements of d -> 'a' WHERE it is 1)
 */
export function contains(value: string, wanted: Json, depth = 1): string {
  if (Array.isArray(wanted)) return containsElements(value, wanted as readonly Json[], depth)
  if (typeof wanted === 'object' && wanted !== null) {
    const keys = Object.entries(wanted).map(([key, inner]) =>
      contains(`(${value} -> ${textLiteral(key)})`, inner, depth),
    )
    return [`COALESCE(jsonb_typeof(${value}) = 'object', false)`, ...keys].join(' AND ')
  }
  return isScalar(value, wanted as null | boolean | number | string)
}

/** At the top, an array contains a scalar that is one of its elements. */
export function containsAtTop(value: string, wanted: Json): string {
  const isContainer = typeof wanted === 'object' && wanted !== null
  if (isContainer) return contains(value, wanted)
  return `CASE WHEN jsonb_typeof(${value}) = 'array' THEN ${containsElements(value, [wanted], 1)} ELSE ${contains(value, wanted)} END`
}

function containsElements(value: string, wanted: readonly Json[], depth: number): string {
  const alias = `e${depth}`
  const each = wanted.map(
    (inner) =>
      `EXISTS (SELECT 1 FROM ${elements(value, alias)} WHERE ${contains(`${alias}.v`, inner, depth + 1)})`,
  )
  return `CASE WHEN jsonb_typeof(${value}) = 'array' THEN ${each.length === 0 ? 'true' : each.join(' AND ')} ELSE false END`
}

function isScalar(value: string, wanted: null | boolean | number | string): string {
  if (typeof wanted === 'number')
    return `CASE WHEN jsonb_typeof(${value}) = 'number' THEN ${value}::text::numeric = '${wanted}'::numeric ELSE false END`
  return `COALESCE(${value}::text = ${textLiteral(JSON.stringify(wanted))}, false)`
}
