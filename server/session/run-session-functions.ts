import { Bug } from '../base/pg-error.ts'
import type { CatalogRoute, Plan } from '../plan/plan.ts'
import {
  columnOfEntry,
  isBareSelect,
  referencedFunctionsInTargetList,
  type TargetListFunction,
} from '../sql/target-list-functions.ts'
import { OID } from '../types/pg-type.ts'
import { joinDataRow, splitDataRow } from '../wire/data-row.ts'
import { BINARY_FORMAT, type Format, TEXT_FORMAT } from '../wire/field-description.ts'
import { type Answer, formatAt, readyRows, whenRun } from './answer.ts'
import type { BoundStatement } from './bound-statement.ts'
import { notSupported } from './client-error.ts'
import type { StatementText } from './companion-text.ts'
import { readFromCompanion, rowsFromCompanion } from './read-from-companion.ts'
import { evaluateCall, type FunctionResult, isSessionCall } from './session-functions.ts'
import type { SessionState } from './session-state.ts'

/** A query as the companion is to run it, with what the client bound to it. */
interface CatalogQuery {
  readonly bound: BoundStatement
  readonly plan: Plan
  readonly statement: StatementText
  readonly route: CatalogRoute
}

interface CallingQuery extends CatalogQuery {
  readonly calls: readonly TargetListFunction[]
}

/** Answers a query whose select list calls session functions; undefined where it calls none. */
export function runWithSessionFunctions(
  state: SessionState,
  query: CatalogQuery,
): Answer | undefined {
  const { text, node } = query.statement
  const calls = referencedFunctionsInTargetList(text, node).filter(isSessionCall)
  checkSetConfig(query, calls)
  if (calls.length === 0) return undefined
  return whenRun(query.plan.fields, () =>
    isBareSelect(node)
      ? answerOnce(state, { ...query, calls })
      : answerByRow(state, { ...query, calls }),
  )
}

/** Elsewhere than in the select list set_config() would set nothing but the companion's transaction, and nobody would know. */
function checkSetConfig({ route }: CatalogQuery, calls: readonly TargetListFunction[]): void {
  const own = calls.filter(({ name }) => name.at(-1) === 'set_config').length
  if (own >= route.setConfigCalls) return
  throw notSupported(
    'set_config() inside an expression or a subquery',
    'Make it an entry of the select list.',
  )
}

/** `SELECT f(..)`: the values take the calls' places, and PostgreSQL applies the casts around them. */
async function answerOnce(state: SessionState, query: CallingQuery): Promise<Answer> {
  const { bound, plan, calls } = query
  const results: FunctionResult[] = []
  for (const call of calls) {
    results.push(await evaluateCall(state, call, await computeArguments(state, query, call)))
  }
  // A scalar subquery lends its column's name to the select list, through casts as well.
  const text = replaceCalls(query, (call, index) => {
    const result = results[index]
    return result === undefined ? '' : `(SELECT ${literal(result)} AS ${quoted(call.columnName)})`
  })
  return readFromCompanion(state, { text, bound, plan })
}

/** `SELECT f(..) FROM ..`: the companion computes the arguments of each row, and the functions are called row by row. */
async function answerByRow(state: SessionState, query: CallingQuery): Promise<Answer> {
  const { bound, plan, statement, calls } = query
  const fields = plan.fields ?? []
  const callAt = new Map<number, TargetListFunction>()
  for (const call of calls) {
    const column = columnOfEntry(statement.node, call.position, fields.length)
    if (column === undefined || call.castTo !== undefined) {
      throw notSupported(
        `function ${call.name.at(-1)} in such a place of a select list`,
        'Select it alone.',
      )
    }
    callAt.set(column, call)
  }
  const formats = fields.map((_, index) =>
    callAt.has(index) ? TEXT_FORMAT : formatAt(bound.resultFormats, index),
  )
  const { rows, tag } = await rowsFromCompanion(state, {
    text: replaceCalls(
      query,
      (call) => `pg_catalog.json_build_array(${argumentTexts(call).join(', ')})`,
    ),
    bound: { ...bound, resultFormats: formats },
    plan,
  })
  const answered: Buffer[] = []
  for (const row of rows) {
    const cells = [...splitDataRow(row)]
    for (const [index, call] of callAt) {
      const args = JSON.parse(cells[index]?.toString() ?? '[]') as readonly (string | null)[]
      const { value } = await evaluateCall(state, call, args)
      const typeOid = fields[index]?.typeOid ?? OID.text
      cells[index] =
        value === null ? null : encode(value, typeOid, formatAt(bound.resultFormats, index))
    }
    answered.push(joinDataRow(cells))
  }
  return { fields: plan.fields, rows: readyRows(answered), tag: () => tag }
}

function replaceCalls(
  { statement, calls }: CallingQuery,
  replacement: (call: TargetListFunction, index: number) => string,
): string {
  let text = ''
  let taken = 0
  for (const [index, call] of calls.entries()) {
    text += statement.text.slice(taken, call.start) + replacement(call, index)
    taken = call.end
  }
  return text + statement.text.slice(taken)
}

async function computeArguments(
  state: SessionState,
  { bound, plan }: CallingQuery,
  call: TargetListFunction,
): Promise<readonly (string | null)[]> {
  if (call.argumentTexts.length === 0) return []
  const { rows } = await rowsFromCompanion(state, {
    text: `SELECT ${argumentTexts(call).join(', ')}`,
    bound: { ...bound, resultFormats: [] },
    plan,
  })
  const [row] = rows
  if (row === undefined) throw new Bug('the companion returned no row for arguments')
  return splitDataRow(row).map((cell) => cell?.toString() ?? null)
}

function argumentTexts(call: TargetListFunction): readonly string[] {
  return call.argumentTexts.map((text) => `CAST((${text}) AS pg_catalog.text)`)
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

function literal({ value, type }: FunctionResult): string {
  const text = value === null ? 'NULL' : `'${value.replaceAll("'", "''")}'`
  return value?.includes('\\')
    ? `CAST(E${text.replaceAll('\\', '\\\\')} AS ${type})`
    : `CAST(${text} AS ${type})`
}

/** The result's text in the format that the client asked for. */
function encode(text: string, typeOid: number, format: Format): Buffer {
  if (format !== BINARY_FORMAT || typeOid === OID.text || typeOid === OID.void) {
    return Buffer.from(text)
  }
  switch (typeOid) {
    case OID.bool:
      return Buffer.from([text === 't' ? 1 : 0])
    case OID.int8: {
      const bytes = Buffer.alloc(8)
      bytes.writeBigInt64BE(BigInt(text))
      return bytes
    }
    default:
      throw new Bug(`no binary form for type ${typeOid} of a session function`)
  }
}
