import type { Expr, Query } from '../sql/query-tree.ts'
import { findPgType, OID } from '../types/pg-type.ts'
import { lengthOfCoercion } from './length-coercion.ts'

/** OID of the type that an expression has (exprType of nodes/nodeFuncs.c); 0 where it has none. */
export function typeOf(expr: Expr): number {
  switch (expr.kind) {
    case 'ScalarArrayOpExpr':
    case 'BoolExpr':
    case 'RowCompareExpr':
    case 'NullTest':
    case 'BooleanTest':
      return OID.bool
    case 'SubLink':
      return typeOfSubLink(expr)
    case 'CollateExpr':
    case 'NamedArgExpr':
      return typeOf(expr.arg)
    case 'Unsupported':
      return 0
    default:
      return expr.type
  }
}

/** The modifier of that type: a length, a precision; -1 where there is none (exprTypmod of nodes/nodeFuncs.c). */
export function typmodOf(expr: Expr): number {
  switch (expr.kind) {
    case 'Var':
    case 'Const':
    case 'Param':
    case 'RelabelType':
    case 'ArrayCoerceExpr':
    case 'CaseTestExpr':
    case 'SQLValueFunction':
    case 'SetToDefault':
      return expr.typmod
    case 'FuncExpr':
      return lengthOfCoercion(expr) ?? -1
    case 'CoalesceExpr':
    case 'MinMaxExpr':
      return commonTypmod(expr.args, expr.type)
    case 'ArrayExpr':
      return commonTypmod(expr.elements, expr.elementType)
    case 'CaseExpr':
      return expr.defaultResult === undefined
        ? -1
        : commonTypmod([...expr.whens.map((when) => when.result), expr.defaultResult], expr.type)
    case 'NullIfExpr':
      return expr.args[0] === undefined ? -1 : typmodOf(expr.args[0])
    case 'CollateExpr':
    case 'NamedArgExpr':
    case 'CoerceToDomain':
      return typmodOf(expr.arg)
    case 'SubLink':
      return expr.linkType === 'expr' || expr.linkType === 'array' ? firstTypmod(expr.query) : -1
    default:
      return -1
  }
}

function typeOfSubLink(link: Extract<Expr, { kind: 'SubLink' }>): number {
  switch (link.linkType) {
    case 'expr':
      return firstType(link.query)
    case 'array':
      return findPgType(firstType(link.query))?.arrayOid ?? 0
    case 'multiexpr':
      return OID.record
    case 'cte':
      return 0
    case 'exists':
    case 'all':
    case 'any':
    case 'rowcompare':
      return OID.bool
  }
}

function firstType(query: Query): number {
  const first = query.targetList[0]
  return first === undefined ? 0 : typeOf(first.expr)
}

function firstTypmod(query: Query): number {
  const first = query.targetList[0]
  return first === undefined ? -1 : typmodOf(first.expr)
}

/** The modifier that all have, if all have the type as well. */
function commonTypmod(exprs: readonly Expr[], type: number): number {
  const [first, ...rest] = exprs
  if (first === undefined || typeOf(first) !== type) return -1
  const typmod = typmodOf(first)
  return rest.every((expr) => typeOf(expr) === type && typmodOf(expr) === typmod) ? typmod : -1
}
