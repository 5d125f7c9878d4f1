import { Bug } from '../base/pg-error.ts'
import type { CatalogRoute, Plan } from '../plan/plan.ts'
import { parseStatements } from '../sql/statement.ts'
import {
  callsEvaluatedOnce,
  columnOfEntry,
  isBareSelect,
  referencedFunctionsInTargetList,
  type SelectedCall,
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
  if (isBareSelect(node)) {
    const calls = callsEvaluatedOnce(text, node).filter(isSessionCall)
    checkSetConfig(query, calls)
    if (calls.length === 0) return undefined
    return whenRun(query.plan.fields, () => answerOnce(state, query))
  }
  const calls = referencedFunctionsInTargetList(text, node).filter(isSessionCall)
  checkSetConfig(query, calls)
  if (calls.length === 0) return undefined
  return whenRun(query.plan.fields, () => answerByRow(state, { ...query, calls }))
}

/** Elsewhere than here set_config() would set nothing but the companion's transaction, and nobody would know. */
function checkSetConfig({ route }: CatalogQuery, calls: readonly SelectedCall[]): void {
  const own = calls.filter(({ name }) => name.at(-1) === 'set_config').length
  if (own >= route.setConfigCalls) return
  throw notSupported(
    'set_config() in a subquery, or where it may not be called',
    'Make it an entry of the select list.',
  )
}

/** `SELECT f(..)`: one call after the other, values take their places, and PostgreSQL applies what is around them. */
async function answerOnce(state: SessionState, query: CatalogQuery): Promise<Answer> {
  const { bound, plan } = query
  let statement = query.statement
  for (;;) {
    const call = callsEvaluatedOnce(statement.text, statement.node).find(isSessionCall)
    if (call === undefined) break
    const args = await computeArguments(state, query, call)
    const result = await evaluateCall(state, call, args)
    statement = withValue(statement, call, result)
  }
  return readFromCompanion(state, { text: statement.text, bound, plan })
}

/** A scalar subquery lends its column's name to the select list, through casts as well. */
function withValue({ text }: StatementText, call: SelectedCall, result: FunctionResult) {
  const value = `(SELECT ${literal(result)} AS ${quoted(call.columnName)})`
  const [statement] = parseStatements(text.slice(0, call.start) + value + text.slice(call.end))
  if (statement === undefined) throw new Bug('a statement with a value in it is none')
  return statement
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
    text: withArguments(query),
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

/** The statement with the arguments of each call, as a JSON array, in its place. */
function withArguments({ statement, calls }: CallingQuery): string {
  let text = ''
  let taken = 0
  for (const call of calls) {
    text += statement.text.slice(taken, call.start)
    text += `pg_catalog.json_build_array(${argumentTexts(call).join(', ')})`
    taken = call.end
  }
  return text + statement.text.slice(taken)
}

async function computeArguments(
  state: SessionState,
  { bound, plan }: CatalogQuery,
  call: SelectedCall,
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

function argumentTexts(call: SelectedCall): readonly string[] {
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
