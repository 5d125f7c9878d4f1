import { Bug } from '../base/pg-error.ts'
import type { ReadAnswer } from '../companion/companion-types.ts'
import type { RawNode } from '../sql/raw-node.ts'
import { columnOfEntry, type TargetListFunction } from '../sql/target-list-functions.ts'
import { OID } from '../types/pg-type.ts'
import { joinDataRow, splitDataRow } from '../wire/data-row.ts'
import { BINARY_FORMAT, type Format, TEXT_FORMAT } from '../wire/field-description.ts'
import { type Answer, formatAt, readyRows } from './answer.ts'
import type { BoundStatement } from './bound-statement.ts'
import { notSupported } from './client-error.ts'
import type { StatementText } from './companion-text.ts'
import type { CompanionRun } from './read-from-companion.ts'
import { mustFindFunction, type SessionFunction } from './session-functions.ts'
import type { SessionState } from './session-state.ts'

/*
 * PostgreSQL:  SELECT setval(pg_get_serial_sequence('t', 'id'), max(id)), count(*) FROM t
 * run:         SELECT CAST((pg_get_serial_sequence('t', 'id')) AS text), CAST((max(id)) AS text), count(*) FROM t
 *
 * Functions of the session as entries of a select list: the statement gives their arguments for each row, and they are called row by row.
 */

/** A SELECT with session functions among its entries. */
export interface CallingQuery extends CompanionRun {
  readonly statement: StatementText
  readonly calls: readonly TargetListFunction[]
}

type ReadRows = (run: CompanionRun) => Promise<Pick<ReadAnswer, 'rows' | 'tag'>>

/** `read` runs a statement with the client's parameters. */
export async function runCallsByRow(
  state: SessionState,
  query: CallingQuery,
  read: ReadRows,
): Promise<Answer> {
  const { bound, plan } = query
  const fields = plan.fields ?? []
  const columns = columnsOf(query, fields.length)
  const { rows, tag } = await read({
    text: withArguments(query),
    bound: { ...bound, resultFormats: columns.flatMap((column, i) => formatsOf(column, bound, i)) },
    plan,
  })
  const given = rows.map((row) => cellsOf(columns, splitDataRow(row)))
  const drawn = await valuesOfOnlyCall(state, columns, given)
  const answered: Buffer[] = []
  for (const [number, row] of given.entries()) {
    const cells: (Buffer | null)[] = []
    for (const [index, { call, args }] of row.entries()) {
      if (call === undefined) {
        cells.push(args[0] ?? null)
        continue
      }
      const value =
        drawn === undefined ? await functionOf(call).run(state, texts(args)) : drawn[number]
      const format = formatAt(bound.resultFormats, index)
      const typeOid = fields[index]?.typeOid ?? OID.text
      cells.push(value === null || value === undefined ? null : encode(value, typeOid, format))
    }
    answered.push(joinDataRow(cells))
  }
  return { fields: plan.fields, rows: readyRows(answered), tag: () => tag }
}

/** A call with its arguments, or the only cell of a column that comes as it is. */
interface GivenCell {
  readonly call: TargetListFunction | undefined
  readonly args: readonly (Buffer | null)[]
}

function cellsOf(
  columns: readonly (TargetListFunction | undefined)[],
  given: readonly (Buffer | null)[],
): readonly GivenCell[] {
  let at = 0
  return columns.map((call) => {
    const cells = given.slice(at, at + widthOf(call))
    at += cells.length
    return { call, args: call === undefined ? cells : cells.slice(0, call.argumentTexts.length) }
  })
}

/** The values of all rows, where nothing is called between them and the function can give them at once. */
async function valuesOfOnlyCall(
  state: SessionState,
  columns: readonly (TargetListFunction | undefined)[],
  rows: readonly (readonly GivenCell[])[],
): Promise<readonly (string | null)[] | undefined> {
  const [call, another] = columns.filter((column) => column !== undefined)
  if (call === undefined || another !== undefined) return undefined
  const at = columns.indexOf(call)
  return functionOf(call).runForRows?.(
    state,
    rows.map((row) => texts(row[at]?.args ?? [])),
  )
}

function texts(cells: readonly (Buffer | null)[]): readonly (string | null)[] {
  return cells.map((cell) => cell?.toString() ?? null)
}

function functionOf({ name }: TargetListFunction): SessionFunction {
  return mustFindFunction(name.at(-1) ?? '')
}

/** What each column of the result is: a call, or undefined for a column that comes as it is. */
function columnsOf(
  { statement, calls }: CallingQuery,
  count: number,
): readonly (TargetListFunction | undefined)[] {
  refuseOrder(statement.node, calls)
  const columns = new Array<TargetListFunction | undefined>(count).fill(undefined)
  for (const call of calls) {
    const column = columnOfEntry(statement.node, call.position, count)
    if (column === undefined || call.castTo !== undefined) throw refusal(call)
    columns[column] = call
  }
  return columns
}

/** DISTINCT, and what names columns by their number, would be about the arguments. */
function refuseOrder(node: RawNode, [call]: readonly TargetListFunction[]): void {
  if (call === undefined || !('SelectStmt' in node)) return
  const { distinctClause, groupClause, sortClause } = node.SelectStmt
  const named = [groupClause, sortClause].some((clause) => {
    const text = JSON.stringify(clause ?? [])
    return text.includes('"A_Const"') || text.includes(`"sval":${JSON.stringify(call.columnName)}`)
  })
  if (distinctClause !== undefined || named) throw refusal(call)
}

function refusal(call: TargetListFunction): Error {
  return notSupported(
    `function ${call.name.at(-1)} in such a place of a select list`,
    'Select it alone.',
  )
}

function widthOf(call: TargetListFunction | undefined): number {
  return call === undefined ? 1 : Math.max(1, call.argumentTexts.length)
}

function formatsOf(
  call: TargetListFunction | undefined,
  bound: BoundStatement,
  index: number,
): readonly Format[] {
  if (call === undefined) return [formatAt(bound.resultFormats, index)]
  return new Array<Format>(widthOf(call)).fill(TEXT_FORMAT)
}

/** The statement with the arguments of each call in its place. */
function withArguments({ statement, calls }: CallingQuery): string {
  let text = ''
  let taken = 0
  for (const { start, end, argumentTexts } of calls) {
    const args = argumentTexts.map((arg) => `CAST((${arg}) AS pg_catalog.text)`)
    text += statement.text.slice(taken, start)
    text += args.length === 0 ? 'NULL' : args.join(', ')
    taken = end
  }
  return text + statement.text.slice(taken)
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
