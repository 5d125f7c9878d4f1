import { OID } from '../../server/types/pg-type.ts'
import { expression, type Ingredients, parameter, SORTABLE } from './random-expression.ts'
import { anything, type QueryText, rowsOf, sortable, unordered } from './random-query.ts'
import { SAMPLES } from './tables.ts'

const BOUND: readonly number[] = [
  ...[OID.int8, OID.text, OID.int4, OID.numeric, OID.bool, OID.timestamptz, OID.date, OID.uuid],
  ...[OID.float8, OID.jsonb, OID.int2, OID.timestamp, OID.bytea, OID.float4, OID.varchar, OID.time],
  ...[OID.interval, OID.int8Array, OID.textArray, OID.numericArray, OID.inet, OID.bpchar],
]

/** Parameters whose types PostgreSQL finds, and those that are cast, where clients put them. */
export function bound(from: Ingredients): QueryText {
  const { choices } = from
  const type = choices.pick(BOUND)
  const typed = () => parameter(from, type)
  const found = () => typed().replace(/::.*/, '')
  const key = choices.pick(SORTABLE)
  const number = () => parameter(from, OID.int4).replace(/::.*/, '')
  const tail = `FROM ${SAMPLES} AS a WHERE ${rowsOf(from)}`
  return choices.pick([
    () => unordered(`SELECT a.id, ${typed()}, ${anything(from)} ${tail}`),
    () =>
      unordered(
        `SELECT a.id ${tail} AND ${expression(from, type, 1)} IS NOT DISTINCT FROM ${typed()}`,
      ),
    () => unordered(`SELECT a.id, COALESCE(${expression(from, type, 1)}, ${found()}) ${tail}`),
    () =>
      unordered(
        `SELECT a.id, CASE WHEN a.b THEN ${found()} ELSE ${expression(from, type, 1)} END ${tail}`,
      ),
    () =>
      unordered(
        `SELECT a.id ${tail} AND ${expression(from, key, 1)} ${choices.pick(['=', '<', '>=', '<>'])} ${parameter(from, key).replace(/::.*/, '')}`,
      ),
    () =>
      unordered(
        `SELECT a.id ${tail} AND ${expression(from, key, 1)} BETWEEN ${parameter(from, key)} AND ${parameter(from, key)}`,
      ),
    () =>
      unordered(
        `SELECT a.id ${tail} AND ${expression(from, key, 1)} IN (${parameter(from, key)}, ${parameter(from, key)}, NULL)`,
      ),
    () => unordered(`SELECT ${typed()}, ${typed()}, ARRAY[${typed()}]::text`),
    () => unordered(`VALUES (${typed()}, ${number()}::int), (NULL, 1)`),
    () => unordered(`SELECT max(a.id) + ${number()}, rank() OVER (ORDER BY count(*)) ${tail}`),
    () =>
      unordered(
        `SELECT a.id, sum(a.i4) OVER (ORDER BY ${sortable(from)}, a.id), ${found()}::text ${tail}`,
      ),
    () => unordered(`SELECT a.id, lag(a.i4, ${number()}) OVER (ORDER BY a.id) ${tail}`),
    () => unordered(`SELECT a.id, ${typed()} AS p ${tail} GROUP BY a.id, p`),
  ])()
}
