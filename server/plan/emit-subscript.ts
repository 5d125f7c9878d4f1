import { atSubscript } from '../sql/jsonb-forms.ts'
import type { Expr } from '../sql/query-tree.ts'
import { findPgType, OID } from '../types/pg-type.ts'
import type { Emission, Place } from './emission.ts'
import { emitConstantElements } from './emit-constant.ts'
import { typeOf } from './expression-type.ts'
import { NotPushable } from './not-pushable.ts'
import { operand } from './operand.ts'

type SubscriptingRef = Extract<Expr, { readonly kind: 'SubscriptingRef' }>

/** `(list)[2]` and `(list)[1:3]` of an array, `(document)['key'][0]` of a jsonb; assignments are not Spanner's. */
export function emitSubscript(emission: Emission, ref: SubscriptingRef, place: Place): string {
  if (ref.containerType === OID.jsonb && !ref.assignment) return emitPath(emission, ref, place)
  const [upper, another] = ref.upper
  const isArray = findPgType(ref.containerType)?.elementOid !== undefined
  if (ref.assignment) throw new NotPushable('an assignment to an array element')
  if (!isArray || another !== undefined || upper === undefined)
    throw new NotPushable('such a subscript')
  const element = elementOf(emission, ref, place)
  if (element !== undefined) return element
  const inner = { ...place, noticesRange: false }
  const array = operand(emission.expression(ref.arg, inner))
  const to = emission.expression(upper, inner)
  if (ref.lower.length === 0) return `(${array})[${to}]`
  const [lower] = ref.lower
  if (lower === undefined) throw new NotPushable('a slice without its lower bound')
  return `(${array})[${emission.expression(lower, inner)}:${to}]`
}

/** The steps of a path into a document, one behind the other. */
function emitPath(emission: Emission, ref: SubscriptingRef, place: Place): string {
  const inner = { ...place, noticesRange: false }
  if (ref.lower.length > 0) throw new NotPushable('a slice of a jsonb')
  return ref.upper.reduce(
    (value: string, step) => {
      if (step === undefined) throw new NotPushable('a subscript of nothing')
      const index = operand(emission.expression(step, inner))
      return atSubscript(operand(value), index, typeOf(step) === OID.text)
    },
    emission.expression(ref.arg, inner),
  )
}

/** The element of a constant array at a constant place, or of one whose elements are cast. */
function elementOf(emission: Emission, ref: SubscriptingRef, place: Place): string | undefined {
  const { arg } = ref
  const index = ref.lower.length === 0 ? ref.upper[0] : undefined
  const array = arg.kind === 'ArrayCoerceExpr' ? arg.arg : arg
  if (index?.kind !== 'Const' || index.isNull || array.kind !== 'Const') return undefined
  const element = emitConstantElements(array)?.[index.bytes.readInt32LE(0) - 1]
  if (element === undefined || arg.kind !== 'ArrayCoerceExpr') return element
  return emission.expression(arg.elementExpr, { ...place, caseTest: operand(element) })
}
