import { isEnumOid } from '../types/user-type.ts'
import type { CallRule } from './dialect.ts'
import { AGGREGATE_ROWS } from './dialect-aggregates.ts'
import { IO_CAST_ROWS } from './dialect-casts.ts'
import { FUNCTION_ROWS } from './dialect-functions.ts'
import { OPERATOR_ROWS } from './dialect-operators.ts'
import type { CallRow } from './dialect-printers.ts'
import { SPANNER_FUNCTIONS } from './spanner-functions.ts'
import { SPANNER_OPERATORS } from './spanner-operators.ts'
import { inSpannersTypes, type SignatureTable, type SpannerSignature } from './spanner-signature.ts'

/** pg_type.oid of anyenum, which stands for the enums that clients made. */
const ANYENUM = 3500

function byOid(rows: readonly CallRow[], table: SignatureTable): ReadonlyMap<number, CallRule> {
  return new Map(
    rows.map(([oid, signature, print, flags]) => [
      oid,
      { print, ...needsOf(signature, table), ...flags },
    ]),
  )
}

/** What Spanner must be able to for a call. A backend without uuid has texts in their place, and has what texts have. */
function needsOf(signature: string, table: SignatureTable): SpannerSignature {
  const { needs } = table.get(inSpannersTypes(signature)) ?? {}
  return needs === undefined || needs === 'uuidType' ? {} : { needs }
}

const operators = byOid(OPERATOR_ROWS, SPANNER_OPERATORS)
const functions = byOid(FUNCTION_ROWS, SPANNER_FUNCTIONS)
const aggregates = byOid(AGGREGATE_ROWS, SPANNER_FUNCTIONS)
const ioCasts = new Map(
  IO_CAST_ROWS.map(([from, to, , print, flags]) => [`${from}>${to}`, { print, ...flags }]),
)

/** The allow-list, by OID of the operator or function; casts by output and input functions by their types. Undefined: not pushed down. */
export const DIALECT = {
  findOperatorRule: (oid: number): CallRule | undefined => operators.get(oid),
  findFunctionRule: (oid: number): CallRule | undefined => functions.get(oid),
  findAggregateRule: (oid: number): CallRule | undefined => aggregates.get(oid),
  findIoCastRule: (fromTypeOid: number, toTypeOid: number): CallRule | undefined =>
    ioCasts.get(`${isEnumOid(fromTypeOid) ? ANYENUM : fromTypeOid}>${toTypeOid}`),
} as const

/** Of a backend that has refused what {@link DIALECT} has: nothing but tables and columns. */
export const BARE_DIALECT = {
  findOperatorRule: () => undefined,
  findFunctionRule: () => undefined,
  findAggregateRule: () => undefined,
  findIoCastRule: () => undefined,
} as const
