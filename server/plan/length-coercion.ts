import type { Expr } from '../sql/query-tree.ts'

type FuncExpr = Extract<Expr, { readonly kind: 'FuncExpr' }>

/**
 * The functions that bring a value of a type to the type's modifier (pg_cast from a type to itself): PostgreSQL adds a call
 * where a value is assigned to `varchar(30)` or cast to `numeric(10,2)`.
 */
const COERCIONS: ReadonlyMap<number, LengthCoercion['to']> = new Map([
  [668, 'char'],
  [669, 'varchar'],
  [1703, 'numeric'],
  [1961, 'timestamp'],
  [1967, 'timestamp'],
  [1968, 'other'],
  [1969, 'other'],
  [1200, 'other'],
  [1685, 'other'],
  [1687, 'other'],
])

/** A call of such a function, taken apart. */
export interface LengthCoercion {
  readonly to: 'char' | 'varchar' | 'numeric' | 'timestamp' | 'other'
  readonly arg: Expr
  readonly typmod: number
  /** Written as a cast: what is too long is cut, not refused. */
  readonly isExplicit: boolean
}

/** Takes a length coercion apart; undefined for every other call. */
export function asLengthCoercion(call: FuncExpr): LengthCoercion | undefined {
  const to = COERCIONS.get(call.function)
  const [arg, typmod] = call.args
  if (to === undefined || arg === undefined || typmod?.kind !== 'Const' || typmod.isNull)
    return undefined
  // CoercionForm: 2 is an implicit cast.
  return { to, arg, typmod: typmod.bytes.readInt32LE(0), isExplicit: call.format !== 2 }
}

/** The modifier that a call gives to its value (exprIsLengthCoercion of nodes/nodeFuncs.c). */
export function lengthOfCoercion(call: FuncExpr): number | undefined {
  return asLengthCoercion(call)?.typmod
}
