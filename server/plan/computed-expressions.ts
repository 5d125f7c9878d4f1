import { findBuiltinFunction } from '../sql/builtin-catalog.ts'
import type { Expr } from '../sql/query-tree.ts'
import { childrenOf, isSameExpr, someExpr } from './expression-tree.ts'
import { typeOf } from './expression-type.ts'
import { NotPushable } from './not-pushable.ts'
import type { ComputedExpressions } from './plan.ts'
import { PostgresPrinter, type UserTypeNames } from './print-postgres.ts'

/*
 * What no row has a part in, PostgreSQL itself computes: `now() - interval '7 days'`, `$1::text::bigint`, `current_user`. The
 * companion evaluates all such expressions of a statement in one SELECT before each execution, with PostgreSQL's functions, time
 * zone and errors, and their values are bound as parameters.
 */

/** Volatile functions that only make a value: evaluated once, they give what PostgreSQL would have given. */
const VALUE_MAKERS = new Set([
  274, // timeofday()
  1598, // random()
  2649, // clock_timestamp()
  3432, // gen_random_uuid()
])

/** What they tell of the session is the same all over one statement: the proxy writes it into the text that the companion is given. */
const SESSION_READS = new Set([
  1575, // currval(regclass)
  2559, // lastval()
  2943, // txid_current()
  3348, // txid_current_if_assigned()
  5059, // pg_current_xact_id()
  5060, // pg_current_xact_id_if_assigned()
])

/** The expressions of one statement that the companion computes. */
export class ComputedList {
  readonly #printer: PostgresPrinter
  readonly #columns: { readonly expr: Expr; readonly sql: string }[] = []

  constructor(userTypes: UserTypeNames) {
    this.#printer = new PostgresPrinter(userTypes)
  }

  /**
   * The number of the column (from 0) that holds the expression's value. The same expression is computed once.
   *
   * @throws NotPushable where it cannot be printed.
   */
  add(expr: Expr): number {
    const known = this.#columns.findIndex(
      (column) => isSameExpr(column.expr, expr) && !isVolatile(expr),
    )
    if (known >= 0) return known
    return this.#push(expr, `(${this.#printer.expr(expr)})::${this.#printer.type(typeOf(expr))}`)
  }

  /** As {@link add}, for the rows of a function in FROM as one array. */
  addRowsOf(call: Expr, arrayTypeOid: number): number {
    return this.#push(
      call,
      `(ARRAY(SELECT r FROM ${this.#printer.expr(call)} AS r))::${this.#printer.type(arrayTypeOid)}`,
    )
  }

  mark(): number {
    return this.#columns.length
  }

  reset(mark: number): void {
    this.#columns.length = mark
  }

  /** Undefined where there is nothing to compute. */
  toPlan(): ComputedExpressions | undefined {
    if (this.#columns.length === 0) return undefined
    return {
      text: `SELECT ${this.#columns.map((column) => column.sql).join(', ')}`,
      paramNumbers: this.#printer.paramNumbers,
      paramTypes: this.#printer.paramTypes,
    }
  }

  #push(expr: Expr, sql: string): number {
    this.#columns.push({ expr, sql })
    return this.#columns.length - 1
  }
}

/** Whether no row has a part in the value of an expression: it is the same all over one execution of the statement. */
export function isRowIndependent(expr: Expr): boolean {
  const known = INDEPENDENCE.get(expr)
  if (known !== undefined) return known
  const isIndependent = isIndependentBelow(expr, false)
  INDEPENDENCE.set(expr, isIndependent)
  return isIndependent
}

/** It is asked again for every part of an expression that depends on rows. */
const INDEPENDENCE = new WeakMap<Expr, boolean>()

function isIndependentBelow(expr: Expr, isCaseTestBound: boolean): boolean {
  switch (expr.kind) {
    case 'Var':
    case 'SubLink':
    case 'Aggref':
    case 'WindowFunc':
    case 'SetToDefault':
    case 'NextValueExpr':
    case 'Unsupported':
      return false
    case 'Param':
      return expr.paramKind === 'extern'
    case 'CaseTestExpr':
      return isCaseTestBound
    case 'FuncExpr':
      if (expr.returnsSet || isSessionFunction(expr.function)) return false
      break
    default:
  }
  const binds = isCaseTestBound || expr.kind === 'CaseExpr' || expr.kind === 'ArrayCoerceExpr'
  return childrenOf(expr).every((child) =>
    binds ? isIndependentBelow(child, true) : isRowIndependent(child),
  )
}

/** Whether two evaluations may differ within one statement. */
export function isVolatile(expr: Expr): boolean {
  return someExpr(
    expr,
    (part) =>
      part.kind === 'NextValueExpr' ||
      (part.kind === 'FuncExpr' &&
        !SESSION_READS.has(part.function) &&
        (part.user ?? findBuiltinFunction(part.function))?.volatility === 'volatile'),
  )
}

/** A volatile function that does something, or knows something, beyond its value: nextval, set_config, pg_advisory_lock ... */
export function isSessionFunction(oid: number): boolean {
  if (VALUE_MAKERS.has(oid) || SESSION_READS.has(oid)) return false
  return findBuiltinFunction(oid)?.volatility === 'volatile'
}

/** Refuses with the words for an expression that is evaluated for every row. */
export function refuseVolatile(expr: Expr): never {
  const call = 'location' in expr ? expr.location : undefined
  throw new NotPushable('a volatile function that PostgreSQL evaluates for every row', {
    location: call,
  })
}
