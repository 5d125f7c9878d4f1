import type { Expr } from '../sql/query-tree.ts'
import { isByteCollation } from './collation.ts'
import { isRowIndependent, isVolatile, refuseVolatile } from './computed-expressions.ts'
import type { Emission, Place } from './emission.ts'
import { emitAggregate } from './emit-aggregate.ts'
import { emitArrayComparison } from './emit-array-comparison.ts'
import { emitBool } from './emit-bool.ts'
import { emitFunction, emitNextValueOf, emitOperation, isComposed } from './emit-call.ts'
import { emitArray, emitArrayCast, emitIoCast, emitRelabel } from './emit-cast.ts'
import {
  emitBooleanTest,
  emitCase,
  emitCoalesce,
  emitDistinct,
  emitMinMax,
  emitNullIf,
  emitNullTest,
  emitRowCompare,
} from './emit-conditional.ts'
import { emitConstant } from './emit-constant.ts'
import { emitDomainCast } from './emit-domain.ts'
import { emitSubLink } from './emit-sublink.ts'
import { emitSubscript } from './emit-subscript.ts'
import { emitVar } from './emit-var.ts'
import { typeOf } from './expression-type.ts'
import { NotPushable } from './not-pushable.ts'

/**
 * SQL of an expression. What no row has a part in and Spanner cannot say is computed by the companion: the largest such
 * expression as a whole, so that PostgreSQL's types inside of it need no counterpart.
 *
 * @throws NotPushable
 */
export function emitExpression(emission: Emission, expr: Expr, place: Place): string {
  const replaced = place.scope.replacementOf(expr)
  if (replaced !== undefined) return replaced
  const here = passesFilter(expr) ? place : { ...place, isFilter: false }
  if (place.isWhole === true || isLeaf(expr) || !isRowIndependent(expr)) {
    return emitNode(emission, expr, here)
  }
  return emitIndependent(emission, expr, here)
}

/** Whether the parts of a filter are filters too, or it makes use of being one itself. */
function passesFilter(expr: Expr): boolean {
  const isConnective = expr.kind === 'BoolExpr' && expr.op !== 'not'
  return isConnective || expr.kind === 'SubLink' || expr.kind === 'ScalarArrayOpExpr'
}

/** A parameter is never computed: it is bound as it is. */
function isLeaf(expr: Expr): boolean {
  return expr.kind === 'Var' || expr.kind === 'Param'
}

function emitIndependent(emission: Emission, expr: Expr, place: Place): string {
  if (isVolatile(expr))
    return place.isOnce === true ? compute(emission, expr) : refuseVolatile(expr)
  const forms = [
    () => emitNode(emission, expr, { ...place, isWhole: true }),
    (reason?: NotPushable) => compute(emission, expr, reason),
  ] as const
  // A form of many words is for rows; what is computed once, PostgreSQL says in one.
  const [first, second] = isComposed(emission.context, expr) ? [forms[1], forms[0]] : forms
  const params = emission.params.mark()
  const computed = emission.computed.mark()
  try {
    return first()
  } catch (error) {
    if (!(error instanceof NotPushable)) throw error
    emission.params.reset(params)
    emission.computed.reset(computed)
    return second(error)
  }
}

/** The parameter for a value that the companion computes; the first reason counts where it cannot. */
function compute(emission: Emission, expr: Expr, reason?: NotPushable): string {
  try {
    return emission.params.computed(emission.computed.add(expr), typeOf(expr))
  } catch (error) {
    throw error instanceof NotPushable && reason !== undefined ? reason : error
  }
}

function emitNode(emission: Emission, expr: Expr, place: Place): string {
  switch (expr.kind) {
    case 'Var':
      return emitVar(emission, expr, place)
    case 'Const':
      return emitConstant(expr)
    case 'Param':
      return emitParam(emission, expr, place)
    case 'Aggref':
      return emitAggregate(emission, expr, place)
    case 'FuncExpr':
      return emitFunction(emission, expr, place)
    case 'OpExpr':
      return emitOperation(emission, expr, place)
    case 'DistinctExpr':
      return emitDistinct(emission, expr, place)
    case 'NullIfExpr':
      return emitNullIf(emission, expr, place)
    case 'ScalarArrayOpExpr':
      return emitArrayComparison(emission, expr, place)
    case 'BoolExpr':
      return emitBool(emission, expr, place)
    case 'SubLink':
      return emitSubLink(emission, expr, place)
    case 'RelabelType':
      return emitRelabel(emission, expr, place)
    case 'CoerceViaIO':
      return emitIoCast(emission, expr, place)
    case 'ArrayCoerceExpr':
      return emitArrayCast(emission, expr, place)
    case 'CaseExpr':
      return emitCase(emission, expr, place)
    case 'ArrayExpr':
      return emitArray(emission, expr, place)
    case 'RowCompareExpr':
      return emitRowCompare(emission, expr, place)
    case 'CoalesceExpr':
      return emitCoalesce(emission, expr, place)
    case 'MinMaxExpr':
      return emitMinMax(emission, expr, place)
    case 'NullTest':
      return emitNullTest(emission, expr, place)
    case 'BooleanTest':
      return emitBooleanTest(emission, expr, place)
    case 'SubscriptingRef':
      return emitSubscript(emission, expr, place)
    case 'NextValueExpr':
      return emitNextValueOf(emission, expr.sequence)
    case 'CoerceToDomain':
      return emitDomainCast(emission, expr, place)
    case 'SQLValueFunction':
      return emitValueFunction(emission, expr)
    case 'CollateExpr':
      return emitCollate(emission, expr, place)
    case 'NamedArgExpr':
    case 'CaseTestExpr':
    case 'RowExpr':
    case 'SetToDefault':
    case 'WindowFunc':
    case 'Unsupported':
      return emitRare(expr, place)
  }
}

function emitCollate(
  emission: Emission,
  { arg, collation, location }: Extract<Expr, { readonly kind: 'CollateExpr' }>,
  place: Place,
): string {
  if (isByteCollation(collation)) return emission.expression(arg, place)
  throw new NotPushable('COLLATE', { location })
}

function emitParam(
  emission: Emission,
  param: Extract<Expr, { readonly kind: 'Param' }>,
  place: Place,
): string {
  if (param.paramKind === 'extern') return emission.params.client(param.number, param.type)
  if (param.paramKind === 'multiexpr' && place.multiExpr !== undefined)
    return place.multiExpr(param.number)
  const column =
    param.paramKind === 'sublink' ? place.sublinkColumns?.[param.number - 1] : undefined
  if (column === undefined)
    throw new NotPushable('a column of a subquery', { location: param.location })
  return column
}

/** CURRENT_TIMESTAMP is the transaction's start; the others are computed by the companion. */
function emitValueFunction(
  emission: Emission,
  expr: Extract<Expr, { readonly kind: 'SQLValueFunction' }>,
): string {
  if (expr.op === 'CURRENT_TIMESTAMP') return emission.params.transactionStart()
  throw new NotPushable(expr.op, { location: expr.location })
}

function emitRare(
  expr: Extract<
    Expr,
    {
      readonly kind:
        | 'NamedArgExpr'
        | 'CaseTestExpr'
        | 'RowExpr'
        | 'SetToDefault'
        | 'WindowFunc'
        | 'Unsupported'
    }
  >,
  place: Place,
): string {
  switch (expr.kind) {
    case 'CaseTestExpr':
      if (place.caseTest !== undefined) return place.caseTest
      throw new NotPushable('a value without a place')
    case 'NamedArgExpr':
      throw new NotPushable('an argument by name', { location: expr.location })
    case 'RowExpr':
      throw new NotPushable('a row as a value', { location: expr.location })
    case 'SetToDefault':
      throw new NotPushable('DEFAULT in such a place', { location: expr.location })
    case 'WindowFunc':
      throw new NotPushable('window functions', { location: expr.location })
    case 'Unsupported':
      throw new NotPushable(WORDS.get(expr.tag) ?? `an expression of kind ${expr.tag}`, {
        location: expr.location,
      })
  }
}

/** What the tags of nodes without a typed form are called by people. */
const WORDS: ReadonlyMap<string, string> = new Map([
  ['GROUPINGFUNC', 'GROUPING'],
  ['FIELDSELECT', 'a field of a composite value'],
  ['FIELDSTORE', 'an assignment to a field of a composite value'],
  ['XMLEXPR', 'XML functions'],
  ['CURRENTOFEXPR', 'WHERE CURRENT OF'],
])
