import { findBuiltinFunction, findOperatorName, findTypeName } from '../sql/builtin-catalog.ts'
import type { CallRule, CallSite } from '../sql/dialect.ts'
import type { Expr } from '../sql/query-tree.ts'
import { datumToText } from '../types/datum.ts'
import { OID } from '../types/pg-type.ts'
import { checkedRange } from './checked-range.ts'
import type { DialectTable, Emission, EmitContext, Place } from './emission.ts'
import { emitLengthCoercion } from './emit-length-coercion.ts'
import { emitLowerCaseOf } from './emit-var.ts'
import { canBeNull, floatsToGuard, guardNulls } from './emulator-guards.ts'
import { childrenOf, someExpr } from './expression-tree.ts'
import { typeOf } from './expression-type.ts'
import { asLengthCoercion } from './length-coercion.ts'
import { NotPushable } from './not-pushable.ts'
import { operand } from './operand.ts'

type ExprOf<K extends Expr['kind']> = Extract<Expr, { readonly kind: K }>

/** now() and transaction_timestamp(). */
const TRANSACTION_START = new Set([1299, 2647])
const NEXTVAL = 1574
const LOWER = 870

/** A function call, also one that a cast stands for. */
export function emitFunction(emission: Emission, call: ExprOf<'FuncExpr'>, place: Place): string {
  if (TRANSACTION_START.has(call.function)) return emission.params.transactionStart()
  if (call.function === NEXTVAL) return emitNextval(emission, call)
  const stored = call.function === LOWER ? storedLowerCase(emission, call, place) : undefined
  if (stored !== undefined) return stored
  const coercion = asLengthCoercion(call)
  if (coercion !== undefined) return emitLengthCoercion(emission, coercion, place)
  const rule = emission.context.dialect.findFunctionRule(call.function)
  const isVariadic = call.variadic && rule?.takesVariadic !== true
  if (rule === undefined || isVariadic || call.returnsSet) throw refuseFunction(call)
  return applyRule(emission, rule, {
    args: call.args,
    type: call.type,
    place,
    refusal: () => refuseFunction(call),
  })
}

/** lower() of a column of citext is a column. */
function storedLowerCase(
  emission: Emission,
  { args: [arg] }: ExprOf<'FuncExpr'>,
  place: Place,
): string | undefined {
  const value = arg?.kind === 'RelabelType' ? arg.arg : undefined
  return value?.kind === 'Var' ? emitLowerCaseOf(emission, value, place) : undefined
}

/** What an operator does, wherever the tree has it: OpExpr, NULLIF's comparison, an element of `= ANY`. */
export interface Operation {
  readonly operator: number
  readonly userOperator?: string | undefined
  readonly args: readonly Expr[]
  /** OID of the type of its result: bool where it is a comparison inside of another node. */
  readonly type?: number
  readonly location: number
}

/** An operator of one or two operands, in whatever node of the tree it stands. */
export function emitOperation(emission: Emission, operation: Operation, place: Place): string {
  const rule = emission.context.dialect.findOperatorRule(operation.operator)
  const refusal = () => refuseOperator(operation)
  if (rule === undefined) throw refusal()
  const isComparison = COMPARISONS.has(findOperatorName(operation.operator) ?? '')
  const { args, type = OID.bool } = operation
  return applyRule(emission, rule, { args, type, place, refusal, isComparison })
}

const COMPARISONS = new Set(['=', '<>', '<', '<=', '>', '>='])

/** A call to be written by a rule of the dialect table. */
export interface RuledCall {
  readonly args: readonly Expr[]
  /** OID of the type that it has. */
  readonly type: number
  readonly place: Place
  readonly refusal: () => NotPushable
  readonly isComparison?: boolean
}

/** Writes a call by its rule, with the checks and guards that the rule and the backend ask for. */
export function applyRule(emission: Emission, rule: CallRule, call: RuledCall): string {
  if (!isAvailable(emission.context, rule)) throw call.refusal()
  const place = { ...call.place, noticesRange: false }
  const args = call.args.map((arg) => operand(emission.expression(arg, place)))
  const site = siteOf(emission.context, call.args, call.type)
  const guards = [
    ...deadlyArguments(emission.context, rule, call.args, args),
    ...(call.isComparison === true
      ? floatsToGuard(emission.context.capabilities, call.args, args)
      : []),
  ]
  const printed = printByRule(emission.context, rule, args, site)
  if (printed === undefined) throw call.refusal()
  const sql = guardNulls(printed, guards)
  if (rule.saysLess === true) emission.saysLess = true
  if (call.isComparison !== true && !/^-?\d+$/.test(sql)) noteInteger(emission, call.type)
  if (rule.resultRange === undefined || call.place.noticesRange === true) return sql
  return checkedRange(sql, rule.resultRange)
}

/** Remembers that Spanner computes an integer of a type: what it says of it speaks of bigint. */
export function noteInteger({ integerTypes }: Emission, type: number): void {
  if (type === OID.int2 || type === OID.int4 || type === OID.int8) integerTypes.add(type)
}

/** The form of a call that the backend takes; undefined where there is none for such arguments. */
export function printByRule(
  context: EmitContext,
  rule: CallRule,
  args: readonly string[],
  site: CallSite,
): string | undefined {
  const isNative = rule.needs === undefined || context.capabilities[rule.needs]
  const accepts = isNative ? rule.accepts : (rule.acceptsWithout ?? rule.accepts)
  if (accepts?.(args, site) === false) return undefined
  return isNative ? rule.print(args, site) : rule.without?.(args, site)
}

/** What a form may ask of a call. */
export function siteOf(context: EmitContext, args: readonly Expr[], type: number): CallSite {
  return { argTypes: args.map(typeOf), resultType: type, ...context.settings }
}

/** A call, an operator, a cast, or the argument itself. */
const PLAIN_FORM = /^(?:\w+\((?:[LR], )*[LR]\)|L \S+ R|\S+ L|L(?:::[\w ]+)?)$/

/** Whether Spanner has more to say of a part of an expression than one call. */
export function isComposed(context: EmitContext, expr: Expr): boolean {
  return someExpr(expr, (part) => {
    const rule = ruleOf(context.dialect, part)
    if (rule === undefined) return false
    const args =
      part.kind === 'CoerceViaIO' ? ['L'] : ['L', 'R', 'R', 'R'].slice(0, childrenOf(part).length)
    return !PLAIN_FORM.test(rule.print(args, siteOf(context, [], 0)))
  })
}

/** The rule that a node of an expression is written by. */
export function ruleOf(dialect: DialectTable, expr: Expr): CallRule | undefined {
  switch (expr.kind) {
    case 'FuncExpr':
      return dialect.findFunctionRule(expr.function)
    case 'OpExpr':
      return dialect.findOperatorRule(expr.operator)
    case 'CoerceViaIO':
      return dialect.findIoCastRule(typeOf(expr.arg), expr.type)
    default:
      return undefined
  }
}

/** Whether the backend can do what a rule needs, or there is another form for it. */
export function isAvailable(context: EmitContext, rule: CallRule): boolean {
  return rule.needs === undefined || context.capabilities[rule.needs] || rule.without !== undefined
}

function deadlyArguments(
  context: EmitContext,
  rule: CallRule,
  exprs: readonly Expr[],
  args: readonly string[],
): readonly string[] {
  if (context.capabilities.safeNumericKeysAndNullFloats) return []
  const positions = rule.diesOfNull ?? []
  return args.filter((_arg, i) => {
    const expr = exprs[i]
    return positions.includes(i) && expr !== undefined && canBeNull(expr)
  })
}

/**
 * The operator's sign where Spanner has it between the operands as it is, such as `=`; undefined where there is no rule, or
 * the rule writes something else. Sort keys, group keys, IN and NULLIF leave the operator to Spanner and need this.
 */
export function plainOperator(context: EmitContext, operatorOid: number): string | undefined {
  const rule = context.dialect.findOperatorRule(operatorOid)
  if (rule === undefined) return undefined
  const site = { argTypes: [], resultType: OID.bool, ...context.settings }
  if (rule.needs !== undefined || rule.accepts?.(['L', 'R'], site) === false) return undefined
  return /^L (=|<>|<|<=|>|>=) R$/.exec(rule.print(['L', 'R'], site))?.[1]
}

/** nextval('s'::regclass): the expression that draws from Spanner's sequence. */
function emitNextval(emission: Emission, call: ExprOf<'FuncExpr'>): string {
  const sequence = sequenceDrawnBy(call)
  if (sequence === undefined) throw refuseFunction(call)
  return emitNextValueOf(emission, sequence)
}

/** OID of the sequence that an expression draws from, if it is nothing but nextval('s'::regclass) or an identity column's own. */
export function sequenceDrawnBy(expr: Expr): number | undefined {
  if (expr.kind === 'NextValueExpr') return expr.sequence
  if (expr.kind !== 'FuncExpr' || expr.function !== NEXTVAL) return undefined
  const [arg] = expr.args
  if (arg?.kind !== 'Const' || arg.type !== OID.regclass || arg.isNull) return undefined
  return Number(datumToText(OID.oid, arg.bytes, 4, true))
}

/** The next value of a sequence by its OID. */
export function emitNextValueOf(emission: Emission, sequenceOid: number): string {
  const sequence = emission.context.schema.sequences.get(sequenceOid)
  if (sequence === undefined)
    throw new NotPushable(`nextval of a sequence that Spanner does not have`)
  if (emission.context.drawsNothing)
    throw new NotPushable('a sequence that the statement draws from by itself')
  emission.drawnSequences.add(sequenceOid)
  return sequence.nextvalSql
}

function refuseFunction(call: ExprOf<'FuncExpr'>): NotPushable {
  const name =
    findBuiltinFunction(call.function)?.name ?? call.user?.name ?? `number ${call.function}`
  return new NotPushable(`the function ${name}(${typeNames(call.args)})`, {
    location: call.location,
  })
}

/** The words for an operator that the dialect table does not have. */
export function refuseOperator(operation: Operation): NotPushable {
  const name =
    findOperatorName(operation.operator) ?? operation.userOperator ?? `number ${operation.operator}`
  return new NotPushable(`the operator ${name} (${typeNames(operation.args)})`, {
    location: operation.location,
  })
}

function typeNames(args: readonly Expr[]): string {
  return args.map((arg) => findTypeName(typeOf(arg)) ?? '?').join(', ')
}
