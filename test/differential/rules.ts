import type { CallRule, Need } from '../../server/sql/dialect.ts'
import { AGGREGATE_ROWS } from '../../server/sql/dialect-aggregates.ts'
import { IO_CAST_ROWS } from '../../server/sql/dialect-casts.ts'
import { FUNCTION_ROWS } from '../../server/sql/dialect-functions.ts'
import { DIALECT } from '../../server/sql/dialect-lookup.ts'
import { OPERATOR_ROWS } from '../../server/sql/dialect-operators.ts'
import type { RuleFlags } from '../../server/sql/dialect-printers.ts'
import type { TestedServer } from './servers.ts'

/** A row of the allow-list, with what PostgreSQL's own catalog says of its OID. */
export interface Rule {
  readonly kind: 'operator' | 'function' | 'aggregate' | 'cast'
  readonly oid: number
  /** The row's own words for it. */
  readonly signature: string
  readonly name: string
  readonly argTypes: readonly number[]
  readonly resultType: number
  readonly returnsSet: boolean
  /** The capability without which it is not pushed down; undefined where there is none, or another form. */
  readonly needs: Need | undefined
  readonly canFail: boolean
}

/** What names a row among those of all four tables. */
export function keyOf({ kind, oid, argTypes, resultType }: Rule): string {
  return kind === 'cast' ? `cast ${argTypes.join()} ${resultType}` : `${kind} ${oid}`
}

const ANYENUM = 3500

const FINDERS = {
  operator: DIALECT.findOperatorRule,
  function: DIALECT.findFunctionRule,
  aggregate: DIALECT.findAggregateRule,
} as const

/** All rows of the four tables but those of enums, of which the tables have no column. */
export async function readRules(reference: TestedServer): Promise<readonly Rule[]> {
  return (await readAllRules(reference)).filter(({ argTypes }) => !argTypes.includes(ANYENUM))
}

async function readAllRules(reference: TestedServer): Promise<readonly Rule[]> {
  const operators = await catalogOf(reference, OPERATORS_QUERY)
  const functions = await catalogOf(reference, FUNCTIONS_QUERY)
  const rules = (kind: keyof typeof FINDERS, rows: readonly Row[], catalog: Catalog) =>
    rows.map(([oid, signature, , flags]): Rule => {
      const entry = catalog.get(oid)
      if (entry === undefined) throw new Error(`PostgreSQL has no ${kind} ${oid}: ${signature}`)
      return {
        kind,
        oid,
        signature,
        ...entry,
        needs: needOf(FINDERS[kind](oid)),
        canFail: flags?.canFail === true,
      }
    })
  return [
    ...rules('operator', OPERATOR_ROWS, operators),
    ...rules('function', FUNCTION_ROWS, functions),
    ...rules('aggregate', AGGREGATE_ROWS, functions),
    ...IO_CAST_ROWS.map(
      ([from, to, signature, , flags]): Rule => ({
        kind: 'cast',
        oid: 0,
        signature,
        name: '',
        argTypes: [from],
        resultType: to,
        returnsSet: false,
        needs: needOf(DIALECT.findIoCastRule(from, to)),
        canFail: flags?.canFail === true,
      }),
    ),
  ]
}

type Row = readonly [number, string, unknown, RuleFlags?]
function needOf(rule: CallRule | undefined): Need | undefined {
  return rule?.without === undefined ? rule?.needs : undefined
}

type Entry = Pick<Rule, 'name' | 'argTypes' | 'resultType' | 'returnsSet'>
type Catalog = ReadonlyMap<number, Entry>

const OPERATORS_QUERY = `SELECT oid, oprname, oprleft || ' ' || oprright, oprresult, false FROM pg_operator`
const FUNCTIONS_QUERY = `SELECT oid, proname, proargtypes, prorettype, proretset FROM pg_proc`

async function catalogOf(reference: TestedServer, query: string): Promise<Catalog> {
  const outcome = await reference.run(query)
  if (outcome.kind !== 'rows') throw new Error(`${query}: ${JSON.stringify(outcome)}`)
  return new Map(
    outcome.rows.map(([oid, name, argTypes, resultType, returnsSet]): [number, Entry] => [
      Number(oid),
      {
        name: name ?? '',
        argTypes: (argTypes ?? '').split(' ').map(Number).filter(Boolean),
        resultType: Number(resultType),
        returnsSet: returnsSet === 't',
      },
    ]),
  )
}
