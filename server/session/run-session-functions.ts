import { Bug } from '../base/pg-error.ts'
import { findCallSites } from '../sql/call-sites.ts'
import {
  columnOfEntry,
  referencedFunctionsInTargetList,
  type SelectedCall,
  type TargetListFunction,
} from '../sql/target-list-functions.ts'
import { OID } from '../types/pg-type.ts'
import { joinDataRow, splitDataRow } from '../wire/data-row.ts'
import { BINARY_FORMAT, type Format, TEXT_FORMAT } from '../wire/field-description.ts'
import { type Answer, formatAt, readyRows, whenRun } from './answer.ts'
import { type CatalogQuery, runCallsInOrder } from './calls-in-order.ts'
import { notSupported } from './client-error.ts'
import { rowsFromCompanion } from './read-from-companion.ts'
import { doesSomething, isSessionFunction, mustFindFunction } from './session-functions.ts'
import type { SessionState } from './session-state.ts'

interface CallingQuery extends CatalogQuery {
  readonly calls: readonly TargetListFunction[]
}

/** Answers a query that calls session functions; undefined where it calls none, or none that does more than tell. */
export function runWithSessionFunctions(
  state: SessionState,
  query: CatalogQuery,
): Answer | undefined {
  const { text, node } = query.statement
  const { once, others } = findCallSites(text, node, isSessionFunction)
  const isOnce = !query.route.returnsSets && ![...others].some(doesSomething)
  if (isOnce && once.some(({ name }) => doesSomething(name))) {
    checkSetConfig(query, once)
    return whenRun(query.plan.fields, () => runCallsInOrder(state, query, once))
  }
  const calls = referencedFunctionsInTargetList(text, node).filter(isSessionCall)
  checkSetConfig(
    query,
    calls.map((call) => ({ name: call.name.at(-1) ?? '' })),
  )
  if (!calls.some((call) => doesSomething(call.name.at(-1) ?? ''))) return undefined
  return whenRun(query.plan.fields, () => answerByRow(state, { ...query, calls }))
}

/** Whether a call is one that the companion must not see. */
function isSessionCall({ name }: SelectedCall): boolean {
  const [last = '', schema = 'pg_catalog', ...rest] = [...name].reverse()
  return schema === 'pg_catalog' && rest.length === 0 && isSessionFunction(last)
}

/** Elsewhere than here set_config() would set nothing but the companion's transaction, and nobody would know. */
function checkSetConfig(
  { route }: CatalogQuery,
  calls: readonly { readonly name: string }[],
): void {
  if (calls.filter(({ name }) => name === 'set_config').length >= route.setConfigCalls) return
  throw notSupported(
    'set_config() for each row, or where it may not be called',
    'Make it an entry of the select list.',
  )
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
      const value = await mustFindFunction(call.name.at(-1) ?? '').run(state, args)
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

function argumentTexts(call: SelectedCall): readonly string[] {
  return call.argumentTexts.map((text) => `CAST((${text}) AS pg_catalog.text)`)
}

/** The result's text in the format that the client asked for. */
function encode(text: string, typeOid: number, format: Format): Buffer {
  if (format !== BINARY_FORMAT || typeOid === OID.text || typeOid === OID.void) {
    return Buffer.from(text)
  }
  switch (typeOid) {
    case OID.bool:
      return Buffer.from([text === 't' ? 1 : 0])
    case OID.xid8:
    case OID.int8: {
      const bytes = Buffer.alloc(8)
      bytes.writeBigInt64BE(BigInt(text))
      return bytes
    }
    default:
      throw new Bug(`no binary form for type ${typeOid} of a session function`)
  }
}
