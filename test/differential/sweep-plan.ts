import { OID } from '../../server/types/pg-type.ts'
import type { TestedServer } from './servers.ts'
import {
  fromSql,
  keySql,
  type SweptExpression,
  selectOf,
  tupleOf,
  tupleSql,
  tuplesBut,
} from './swept-expression.ts'

/** What PostgreSQL says of an expression over its tuples. */
export interface SweepPlan {
  readonly expression: SweptExpression
  /** By the tuple's key. */
  readonly values: ReadonlyMap<string, string | null>
  readonly typeOid: number
  /** Keys of tuples that are left out: PostgreSQL fails for them, or Spanner has no such value. */
  readonly left: readonly string[]
  /** One statement for each SQLSTATE with which PostgreSQL fails. */
  readonly refusals: readonly { readonly sql: string; readonly code: string }[]
}

/** Asks PostgreSQL. */
export async function planSweep(
  reference: TestedServer,
  expression: SweptExpression,
): Promise<SweepPlan> {
  const whole = await reference.run(selectOf([expression], tuplesBut(expression, [])))
  const failing = whole.kind === 'rows' ? new Map() : await failuresOf(reference, expression)
  const all =
    whole.kind === 'rows'
      ? whole
      : await reference.run(selectOf([expression], tuplesBut(expression, [...failing.keys()])))
  if (all.kind !== 'rows') throw new Error(`${expression.sql}: ${JSON.stringify(all)}`)
  const values = new Map(all.rows.map(([key, value]) => [key ?? '', value ?? null] as const))
  const unheld = [...values].flatMap(([key, value]) =>
    canBeHeld(value, expression.resultType) ? [] : [key],
  )
  for (const key of unheld) values.delete(key)
  const samples = new Map([...failing].map(([key, code]) => [code, key]))
  return {
    expression,
    values,
    typeOid: all.types[1] ?? 0,
    left: [...failing.keys(), ...unheld],
    refusals: [...samples].map(([code, key]) => ({
      sql: selectOf([expression], tupleOf(expression, key)),
      code,
    })),
  }
}

/** Spanner has no years outside 1 to 9999 and no infinite dates and numerics. */
function canBeHeld(text: string | null, typeOid: number): boolean {
  if (text === null) return true
  if (typeOid === OID.numeric) return !text.endsWith('Infinity')
  return !/^\d{4,}-\d\d-\d\d.* BC$|^\d{5,}-\d\d-\d\d|^-?infinity$/.test(text)
}

/** A function of the reference: the SQLSTATE with which a query fails, '' where it does not. */
export const SQLSTATE_OF = `CREATE FUNCTION sqlstate_of(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE r record; BEGIN FOR r IN EXECUTE statement LOOP END LOOP; RETURN ''; EXCEPTION WHEN OTHERS THEN RETURN SQLSTATE; END $$`

/** The keys of the tuples for which PostgreSQL fails, with its SQLSTATEs. */
async function failuresOf(
  reference: TestedServer,
  expression: SweptExpression,
): Promise<ReadonlyMap<string, string>> {
  const one = `SELECT ${expression.sql} FROM ${fromSql(expression)} WHERE `
  const outcome = await reference.run(
    `SELECT ${keySql(expression)}, sqlstate_of($sql$${one}$sql$ || ${tupleSql(expression)}) FROM ${fromSql(expression)} WHERE ${tuplesBut(expression, [])}`,
  )
  if (outcome.kind !== 'rows') throw new Error(`${expression.sql}: ${JSON.stringify(outcome)}`)
  return new Map(
    outcome.rows.flatMap(([key, code]): [string, string][] =>
      key === null || key === undefined || !code ? [] : [[key, code]],
    ),
  )
}
