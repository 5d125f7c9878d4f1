import { findBuiltinFunction, findOperatorName, findTypeName } from '../sql/builtin-catalog.ts'
import type { Const, Expr } from '../sql/query-tree.ts'
import { datumToText } from '../types/datum.ts'
import { OID } from '../types/pg-type.ts'
import { isByteCollation } from './collation.ts'
import { NotPushable } from './not-pushable.ts'
import { quoteLiteral } from './quote-literal.ts'

/** now() and transaction_timestamp(). */
const TRANSACTION_START_FUNCTIONS = new Set([1299, 2647])
/** Number in `paramNumbers` for the start of the client's transaction. */
const TRANSACTION_START = 0
type ExprOf<K extends Expr['kind']> = Extract<Expr, { readonly kind: K }>

/** Names of the types that clients made, as a cast writes them, by OID. */
export type UserTypeNames = ReadonlyMap<number, string>

/**
 * Prints expressions without Vars as PostgreSQL's SQL, so that it finds the very functions and operators that it found when it
 * analysed the statement: names are qualified, constants bear their types. now() is a parameter: the companion's
 * transaction is not the client's.
 */
export class PostgresPrinter {
  /** The client's parameter that each $1, $2 ... of the text is; 0 is the start of the transaction. */
  readonly paramNumbers: number[] = []
  readonly paramTypes: number[] = []
  readonly #userTypes: UserTypeNames
  #caseTest: string | undefined

  constructor(userTypes: UserTypeNames) {
    this.#userTypes = userTypes
  }

  /** A type's name for a cast. @throws NotPushable where it has none here. */
  type(oid: number): string {
    const userType = this.#userTypes.get(oid)
    if (userType !== undefined) return userType
    const name = findTypeName(oid)
    if (name === undefined)
      throw new NotPushable(`a cast to a type that is not built in (type ${oid})`)
    return `pg_catalog."${name}"`
  }

  /** @throws NotPushable where a part has no name here. */
  expr(expr: Expr): string {
    switch (expr.kind) {
      case 'Const':
        return this.#const(expr)
      case 'Param':
        return this.#param(expr.number, expr.type)
      case 'FuncExpr':
        return this.#call(expr)
      case 'OpExpr':
        return this.#infix(operatorName(expr), expr.args)
      case 'DistinctExpr':
        return this.#infix('IS DISTINCT FROM', expr.args)
      case 'NullIfExpr':
        return `NULLIF(${this.#list(expr.args)})`
      case 'ScalarArrayOpExpr':
        return this.#arrayComparison(expr)
      case 'BoolExpr':
        return this.#bool(expr)
      case 'RelabelType':
      case 'CoerceViaIO':
        return `(${this.expr(expr.arg)})::${this.type(expr.type)}`
      case 'CoerceToDomain':
        return `(${this.expr(expr.arg)})::${this.type(expr.domain)}`
      case 'CollateExpr':
        return this.#collate(expr)
      case 'CaseExpr':
        return this.#case(expr)
      case 'CaseTestExpr':
        return this.#caseTest ?? refuse(expr)
      case 'ArrayExpr':
        return `ARRAY[${this.#list(expr.elements)}]::${this.type(expr.type)}`
      case 'CoalesceExpr':
        return `COALESCE(${this.#list(expr.args)})`
      case 'MinMaxExpr':
        return `${expr.op.toUpperCase()}(${this.#list(expr.args)})`
      case 'SQLValueFunction':
        return this.#valueFunction(expr)
      case 'NullTest':
        return `(${this.expr(expr.arg)} IS ${expr.isNull ? '' : 'NOT '}NULL)`
      case 'BooleanTest':
        return `(${this.expr(expr.arg)} IS ${expr.test.replace('-', ' ').toUpperCase()})`
      case 'NamedArgExpr':
        return `"${expr.name.replaceAll('"', '""')}" => ${this.expr(expr.arg)}`
      case 'SubscriptingRef':
        return this.#subscripts(expr)
      case 'ArrayCoerceExpr':
        return this.#arrayCast(expr)
      default:
        return refuse(expr)
    }
  }

  #list(exprs: readonly Expr[]): string {
    return exprs.map((expr) => this.expr(expr)).join(', ')
  }

  #param(number: number, typeOid: number): string {
    const known = this.paramNumbers.findIndex(
      (other, i) => other === number && this.paramTypes[i] === typeOid,
    )
    if (known >= 0) return `$${known + 1}`
    this.paramNumbers.push(number)
    this.paramTypes.push(typeOid)
    return `$${this.paramNumbers.length}`
  }

  #transactionStart(): string {
    return this.#param(TRANSACTION_START, OID.timestamptz)
  }

  #const(expr: Const): string {
    const type = this.type(expr.type)
    if (expr.isNull) return `NULL::${type}`
    const text = datumToText(expr.type, expr.bytes, expr.lengthBytes, expr.byValue)
    return text === undefined ? refuse(expr) : `${quoteLiteral(text)}::${type}`
  }

  #call(call: ExprOf<'FuncExpr'>): string {
    if (TRANSACTION_START_FUNCTIONS.has(call.function)) return this.#transactionStart()
    const builtin = findBuiltinFunction(call.function)
    const name = builtin === undefined ? call.user?.name : `pg_catalog."${builtin.name}"`
    if (name === undefined) return refuse(call)
    const args = call.args.map((arg) => this.expr(arg))
    if (call.variadic) args.push(`VARIADIC ${args.pop() ?? ''}`)
    return `${name}(${args.join(', ')})`
  }

  #infix(operator: string, args: readonly Expr[]): string {
    const [left, right] = args
    if (left === undefined) throw new NotPushable(`the operator ${operator} without operands`)
    if (right === undefined) return `(${operator} ${this.expr(left)})`
    return `(${this.expr(left)} ${operator} ${this.expr(right)})`
  }

  #arrayComparison(expr: ExprOf<'ScalarArrayOpExpr'>): string {
    const [scalar, array] = expr.args
    if (scalar === undefined || array === undefined) return refuse(expr)
    const operator = operatorName(expr)
    return `(${this.expr(scalar)} ${operator} ${expr.useOr ? 'ANY' : 'ALL'} (${this.expr(array)}))`
  }

  /*
   * $1::varchar(5)[] cuts its elements, an assignment to such a column refuses them: elementExpr knows which. What is left is NULL, an
   * empty array, or one of several dimensions, which Spanner does not have.
   */
  #arrayCast(expr: ExprOf<'ArrayCoerceExpr'>): string {
    const array = this.expr(expr.arg)
    const cast = `(${array})::${this.type(expr.type)}`
    if (expr.typmod === -1) return cast
    const outer = this.#caseTest
    this.#caseTest = 'e.v'
    const element = this.expr(expr.elementExpr)
    this.#caseTest = outer
    const elements = `FROM pg_catalog.unnest(${array}) WITH ORDINALITY AS e (v, n) ORDER BY e.n`
    return `CASE pg_catalog.array_ndims(${array}) WHEN 1 THEN ARRAY(SELECT ${element} ${elements}) ELSE ${cast} END`
  }

  #bool(expr: ExprOf<'BoolExpr'>): string {
    const args = expr.args.map((arg) => this.expr(arg))
    if (expr.op === 'not') return `(NOT ${args.join('')})`
    return `(${args.join(` ${expr.op.toUpperCase()} `)})`
  }

  #collate(expr: ExprOf<'CollateExpr'>): string {
    if (!isByteCollation(expr.collation)) return refuse(expr)
    return `(${this.expr(expr.arg)} COLLATE pg_catalog."C")`
  }

  #case(expr: ExprOf<'CaseExpr'>): string {
    const outer = this.#caseTest
    if (expr.arg !== undefined) this.#caseTest = this.expr(expr.arg)
    const whens = expr.whens.map(
      (when) => ` WHEN ${this.expr(when.condition)} THEN ${this.expr(when.result)}`,
    )
    this.#caseTest = outer
    const otherwise =
      expr.defaultResult === undefined ? '' : ` ELSE ${this.expr(expr.defaultResult)}`
    return `CASE${whens.join('')}${otherwise} END`
  }

  #valueFunction(expr: ExprOf<'SQLValueFunction'>): string {
    const precision = expr.typmod === -1 ? '' : `(${expr.typmod})`
    switch (expr.op) {
      case 'CURRENT_DATE':
        return `(${this.#transactionStart()})::pg_catalog."date"`
      case 'CURRENT_TIME':
      case 'CURRENT_TIME_N':
        return `(${this.#transactionStart()})::time${precision} with time zone`
      case 'CURRENT_TIMESTAMP':
      case 'CURRENT_TIMESTAMP_N':
        return `(${this.#transactionStart()})::timestamp${precision} with time zone`
      case 'LOCALTIME':
      case 'LOCALTIME_N':
        return `(${this.#transactionStart()})::time${precision} without time zone`
      case 'LOCALTIMESTAMP':
      case 'LOCALTIMESTAMP_N':
        return `(${this.#transactionStart()})::timestamp${precision} without time zone`
      default:
        return expr.op
    }
  }

  #subscripts(expr: ExprOf<'SubscriptingRef'>): string {
    if (expr.assignment) return refuse(expr)
    const isSlice = expr.lower.length > 0
    const indexes = expr.upper.map((upper, i) => {
      const to = upper === undefined ? '' : this.expr(upper)
      if (!isSlice) return `[${to}]`
      const lower = expr.lower[i]
      return `[${lower === undefined ? '' : this.expr(lower)}:${to}]`
    })
    return `(${this.expr(expr.arg)})${indexes.join('')}`
  }
}

function operatorName({
  operator,
  userOperator,
}: Pick<ExprOf<'OpExpr' | 'ScalarArrayOpExpr'>, 'operator' | 'userOperator'>): string {
  if (userOperator !== undefined) return `OPERATOR(${userOperator})`
  const name = findOperatorName(operator)
  if (name === undefined)
    throw new NotPushable(`an operator that is not built in (operator ${operator})`)
  return `OPERATOR(pg_catalog.${name})`
}

function refuse(expr: Expr): never {
  const location = 'location' in expr ? expr.location : undefined
  throw new NotPushable(`an expression of kind ${expr.kind} that cannot be computed ahead`, {
    location,
  })
}
