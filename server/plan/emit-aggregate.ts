import { findBuiltinFunction } from '../sql/builtin-catalog.ts'
import type { Expr } from '../sql/query-tree.ts'
import { OID } from '../types/pg-type.ts'
import { checkedRange } from './checked-range.ts'
import type { Emission, Place } from './emission.ts'
import { isAvailable, noteInteger, printByRule, siteOf } from './emit-call.ts'
import { emitSortKey, refuseForeignEquality } from './emit-order.ts'
import { numericKeyText } from './emulator-guards.ts'
import { typeOf } from './expression-type.ts'
import { NotPushable } from './not-pushable.ts'

type Aggref = Extract<Expr, { readonly kind: 'Aggref' }>

const COUNT_STAR = 2803
const COUNT_ANY = 2147
/** sum(integer) and sum(smallint). */
const SUMS = new Set([2108, 2109])
/** array_agg takes NULLs in as well, so that FILTER cannot be said by NULL; so do the json aggregates. */
const KEEPS_NULLS = /^(array_agg|xmlagg|json)/

/** An aggregate over the rows of the query that it stands in. */
export function emitAggregate(emission: Emission, call: Aggref, place: Place): string {
  refuseForm(call)
  if (call.function === COUNT_STAR && call.filter !== undefined)
    return countWhere(emission, call.filter, place)
  const rule = emission.context.dialect.findAggregateRule(call.function)
  if (rule === undefined || !isAvailable(emission.context, rule)) throw refusal(call)
  refuseUnordered(call, place)
  const args = argumentsOf(emission, call, place)
  const exprs = call.args.filter((arg) => !arg.junk).map((arg) => arg.expr)
  const sql = printByRule(emission.context, rule, args, siteOf(emission.context, exprs, call.type))
  if (sql === undefined) throw refusal(call)
  if (args.some((arg) => isMarked(arg) && !sql.includes(`(${arg}`) && !sql.includes(`, ${arg}`)))
    throw refusal(call)
  // A sum alone can leave the range.
  if (SUMS.has(call.function)) noteInteger(emission, call.type)
  if (rule.resultRange === undefined || place.noticesRange === true) return sql
  return checkedRange(sql, rule.resultRange)
}

/** Aggregates whose value shows in which order the rows came. */
const SHOWS_ORDER = /^(array_agg|string_agg|jsonb?_agg)$/

/*
 * Without ORDER BY any order will do, but for two that PostgreSQL's plans keep: that of DISTINCT, which sorts, and that of a sorted
 * subquery in FROM.
 */
function refuseUnordered(call: Aggref, place: Place): void {
  if (call.order.length > 0 || !SHOWS_ORDER.test(nameOf(call))) return
  const isSorted = place.scope.query.rangeTable.some(
    (entry) => entry.kind === 'subquery' && entry.query.sortClause.length > 0,
  )
  if (call.distinct.length > 0 || isSorted)
    throw new NotPushable(`the order of ${nameOf(call)}`, {
      hint: 'Say the order inside of the aggregate: array_agg(x ORDER BY y).',
      location: call.location,
    })
}

function refuseForm(call: Aggref): void {
  const { location } = call
  if (call.levelsUp > 0) throw new NotPushable('an aggregate of an outer query', { location })
  if (call.aggregateKind !== 'n' || call.directArgs.length > 0) {
    throw new NotPushable('an ordered-set aggregate', { location })
  }
  if (call.variadic) throw refusal(call)
}

/** Whether a word of syntax is part of the argument, so that it must stand right behind the bracket. */
function isMarked(arg: string): boolean {
  return arg.startsWith('DISTINCT ') || arg.includes(' ORDER BY ')
}

/*
 * PostgreSQL:  sum(DISTINCT a) FILTER (WHERE b)      string_agg(a, ',' ORDER BY c)
 * Spanner:     sum(DISTINCT CASE WHEN b THEN a END)  the same, where the backend has it
 */
function argumentsOf(emission: Emission, call: Aggref, place: Place): readonly string[] {
  const inner = { ...place, noticesRange: false }
  const args = call.args
    .filter((arg) => !arg.junk)
    .map((arg) => emission.expression(arg.expr, inner))
  if (call.filter !== undefined) args.splice(0, 1, filtered(emission, call, place, args[0]))
  if (call.distinct.length > 0)
    args.splice(0, 1, `DISTINCT ${distinctArgument(emission, call, args[0])}`)
  if (call.order.length > 0) args.push(`${args.pop()} ORDER BY ${orderOf(emission, call, inner)}`)
  return args
}

function distinctArgument(emission: Emission, call: Aggref, arg: string | undefined): string {
  for (const clause of call.distinct) {
    const target = call.args.find((candidate) => candidate.sortGroupRef === clause.targetRef)
    if (target !== undefined) refuseForeignEquality(emission, clause, target.expr)
  }
  const [first] = call.args
  if (arg === undefined || first === undefined) throw refusal(call)
  const isSafe = emission.context.capabilities.safeNumericKeysAndNullFloats
  if (isSafe || typeOf(first.expr) !== OID.numeric) return arg
  // The emulator dies of some sets of numerics; what is counted may as well be their texts.
  if (call.function === COUNT_ANY) return numericKeyText(arg)
  throw new NotPushable(`DISTINCT numbers with a fraction in ${nameOf(call)}`)
}

function filtered(emission: Emission, call: Aggref, place: Place, arg: string | undefined): string {
  if (arg === undefined || KEEPS_NULLS.test(nameOf(call))) {
    throw new NotPushable(`FILTER of ${nameOf(call)}`, { location: call.location })
  }
  const condition =
    call.filter === undefined
      ? 'true'
      : emission.expression(call.filter, { ...place, noticesRange: false })
  return `CASE WHEN ${condition} THEN ${arg} END`
}

/*
 * PostgreSQL:  count(*) FILTER (WHERE b)
 * Spanner:     count(CASE WHEN b THEN 1 END)
 */
function countWhere(emission: Emission, filter: Expr, place: Place): string {
  const rule = emission.context.dialect.findAggregateRule(COUNT_ANY)
  if (rule === undefined) throw new NotPushable('FILTER of count')
  const condition = emission.expression(filter, { ...place, noticesRange: false })
  return rule.print([`CASE WHEN ${condition} THEN 1 END`], siteOf(emission.context, [], OID.int8))
}

function orderOf(emission: Emission, call: Aggref, place: Place): string {
  const { location } = call
  if (!emission.context.capabilities.aggregateOrderBy) {
    throw new NotPushable(`ORDER BY in ${nameOf(call)}`, { location })
  }
  return call.order
    .flatMap((clause) => {
      const target = call.args.find((arg) => arg.sortGroupRef === clause.targetRef)
      if (target === undefined) throw new NotPushable(`ORDER BY in ${nameOf(call)}`, { location })
      return emitSortKey(emission, clause, {
        expr: target.expr,
        sql: emission.expression(target.expr, place),
      })
    })
    .join(', ')
}

function nameOf(call: Aggref): string {
  return findBuiltinFunction(call.function)?.name ?? `aggregate ${call.function}`
}

function refusal(call: Aggref): NotPushable {
  return new NotPushable(`the aggregate ${nameOf(call)}`, { location: call.location })
}
