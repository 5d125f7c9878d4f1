import type { CallRule } from './dialect.ts'
import { AGGREGATE_ROWS } from './dialect-aggregates.ts'
import { IO_CAST_ROWS } from './dialect-casts.ts'
import { FUNCTION_ROWS } from './dialect-functions.ts'
import { OPERATOR_ROWS } from './dialect-operators.ts'
import type { Printer, RuleFlags } from './dialect-printers.ts'

type Row = readonly [oid: number, signature: string, print: Printer, flags?: RuleFlags]

function byOid(rows: readonly Row[]): ReadonlyMap<number, CallRule> {
  return new Map(rows.map(([oid, , print, flags]) => [oid, { print, ...flags }]))
}

const operators = byOid(OPERATOR_ROWS)
const functions = byOid(FUNCTION_ROWS)
const aggregates = byOid(AGGREGATE_ROWS)
const ioCasts = new Map(IO_CAST_ROWS.map(([from, to, , print]) => [`${from}>${to}`, { print }]))

/** The rule of an operator, by its OID in pg_operator; undefined: not pushed down. */
export function findOperatorRule(oid: number): CallRule | undefined {
  return operators.get(oid)
}

/** The rule of a function or of a cast that is one, by its OID in pg_proc. */
export function findFunctionRule(oid: number): CallRule | undefined {
  return functions.get(oid)
}

export function findAggregateRule(oid: number): CallRule | undefined {
  return aggregates.get(oid)
}

/** The rule of a cast by output and input functions. */
export function findIoCastRule(fromTypeOid: number, toTypeOid: number): CallRule | undefined {
  return ioCasts.get(`${fromTypeOid}>${toTypeOid}`)
}
