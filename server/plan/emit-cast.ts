import { findTypeName } from '../sql/builtin-catalog.ts'
import type { Expr } from '../sql/query-tree.ts'
import { castTypeOf } from '../types/cast-type.ts'
import { findPgType, OID } from '../types/pg-type.ts'
import { CITEXT } from '../types/user-type.ts'
import type { Emission, Place } from './emission.ts'
import { applyRule } from './emit-call.ts'
import { emitConstantElements } from './emit-constant.ts'
import { withoutBlanks } from './emit-length-coercion.ts'
import { typeOf } from './expression-type.ts'
import { asLengthCoercion } from './length-coercion.ts'
import { NotPushable } from './not-pushable.ts'
import { operand } from './operand.ts'

type ExprOf<K extends Expr['kind']> = Extract<Expr, { readonly kind: K }>

/** Types that are texts to Spanner and whose values are the same bytes in each. */
const TEXTS = new Set<number>([OID.text, OID.varchar, OID.bpchar, CITEXT])

/** Other types with one form for both. */
const SAME_FORM: readonly { readonly from: number; readonly to: number }[] = [
  { from: OID.cidr, to: OID.inet },
  { from: OID.bit, to: OID.varbit },
  { from: OID.varbit, to: OID.bit },
]

/** A cast between types that PostgreSQL holds alike (RelabelType). */
export function emitRelabel(
  emission: Emission,
  relabel: ExprOf<'RelabelType'>,
  place: Place,
): string {
  const from = typeOf(relabel.arg)
  const sql = () => emission.expression(relabel.arg, place)
  if (from === relabel.type) return sql()
  if (TEXTS.has(from) && TEXTS.has(relabel.type)) {
    return relabel.type === OID.bpchar ? withoutBlanks(sql(), relabel.arg) : sql()
  }
  if (SAME_FORM.some((pair) => pair.from === from && pair.to === relabel.type)) return sql()
  throw refuseCast(from, relabel.type, relabel.location)
}

/** A cast through the text of the value (CoerceViaIO). */
export function emitIoCast(emission: Emission, cast: ExprOf<'CoerceViaIO'>, place: Place): string {
  const from = typeOf(cast.arg)
  const refusal = () => refuseCast(from, cast.type, cast.location)
  const rule = emission.context.dialect.findIoCastRule(from, cast.type)
  if (rule === undefined) throw refusal()
  return applyRule(emission, rule, { args: [cast.arg], type: cast.type, place, refusal })
}

/**
 * A cast of every element of an array: of a list of elements one by one, of another array where both element types are
 * stored alike.
 */
export function emitArrayCast(
  emission: Emission,
  cast: ExprOf<'ArrayCoerceExpr'>,
  place: Place,
): string {
  const elements = castElements(emission, cast, place)
  if (elements !== undefined) return `ARRAY[${elements.join(', ')}]::${mustCastType(cast)}`
  if (cast.arg.kind === 'Const' && cast.arg.isNull) return `NULL::${mustCastType(cast)}`
  if (keepsElements(cast)) return emission.expression(cast.arg, place)
  throw refuseCast(typeOf(cast.arg), cast.type, cast.location)
}

/** Whether both arrays are stored alike: texts as other texts, texts assigned to a column whose own length refuses the longer ones. */
function keepsElements({ arg, elementExpr }: ExprOf<'ArrayCoerceExpr'>): boolean {
  const from = findPgType(typeOf(arg))?.elementOid ?? 0
  if (elementExpr.kind === 'RelabelType' && elementExpr.type === from)
    return elementExpr.arg.kind === 'CaseTestExpr'
  if (!TEXTS.has(from) || from === OID.bpchar) return false
  if (elementExpr.kind === 'RelabelType') {
    const isText = TEXTS.has(elementExpr.type) && elementExpr.type !== OID.bpchar
    return isText && elementExpr.arg.kind === 'CaseTestExpr'
  }
  const coercion = elementExpr.kind === 'FuncExpr' ? asLengthCoercion(elementExpr) : undefined
  if (coercion?.to !== 'varchar' || coercion.isExplicit) return false
  const { arg: value } = coercion
  return (value.kind === 'RelabelType' ? value.arg : value).kind === 'CaseTestExpr'
}

/** The elements of `ARRAY[..]::type[]`, each cast; undefined where what is cast is no such list. */
function castElements(
  emission: Emission,
  cast: ExprOf<'ArrayCoerceExpr'>,
  place: Place,
): readonly string[] | undefined {
  const elements = elementsOf(emission, cast.arg, place)
  return elements?.map((element) =>
    emission.expression(cast.elementExpr, { ...place, caseTest: operand(element) }),
  )
}

/** The elements of an array that is a list or a constant, as SQL. */
export function elementsOf(
  emission: Emission,
  array: Expr,
  place: Place,
): readonly string[] | undefined {
  if (array.kind === 'Const') return emitConstantElements(array)
  if (array.kind === 'ArrayCoerceExpr') return castElements(emission, array, place)
  if (array.kind !== 'ArrayExpr' || array.multidimensional) return undefined
  return array.elements.map((element) => operand(emission.expression(element, place)))
}

/** `ARRAY[a, b]::type[]`. */
export function emitArray(emission: Emission, array: ExprOf<'ArrayExpr'>, place: Place): string {
  if (array.multidimensional) {
    throw new NotPushable('an array of several dimensions', { location: array.location })
  }
  const elements = array.elements.map((element) =>
    emission.expression(element, { ...place, noticesRange: false }),
  )
  return `ARRAY[${elements.join(', ')}]::${mustCastType(array)}`
}

function mustCastType(expr: ExprOf<'ArrayExpr'> | ExprOf<'ArrayCoerceExpr'>): string {
  const type = castTypeOf(expr.type)
  if (type !== undefined) return type
  throw new NotPushable(`an array of type ${expr.type}`, { location: expr.location })
}

function refuseCast(from: number, to: number, location: number): NotPushable {
  return new NotPushable(
    `the cast from ${findTypeName(from) ?? from} to ${findTypeName(to) ?? to}`,
    { location },
  )
}
