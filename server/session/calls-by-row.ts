import { Bug } from '../base/pg-error.ts'
import type { ReadAnswer } from '../companion/companion-types.ts'
import { quoteIdentifier } from '../schema/postgres-text.ts'
import type { RawNode } from '../sql/raw-node.ts'
import {
  columnOfEntry,
  endOfTargetList,
  type TargetListFunction,
} from '../sql/target-list-functions.ts'
import { OID } from '../types/pg-type.ts'
import { joinDataRow, splitDataRow } from '../wire/data-row.ts'
import { BINARY_FORMAT, type Format, TEXT_FORMAT } from '../wire/field-description.ts'
import { type Answer, formatAt, readyRows } from './answer.ts'
import type { BoundStatement } from './bound-statement.ts'
import type { StatementText } from './companion-text.ts'
import type { CompanionRun } from './read-from-companion.ts'
import { callFunction, mustFindFunction } from './session-functions.ts'
import type { SessionState } from './session-state.ts'

/*
 * PostgreSQL:  SELECT setval(pg_get_serial_sequence('t', 'id'), max(id)), count(*) FROM t
 * run:         SELECT CAST((pg_get_serial_sequence('t', 'id')) AS text) AS "setval", count(*), CAST((max(id)) AS text) AS "argument of setval" FROM t
 *
 * Functions of the session as entries of a select list: the statement gives their arguments for each row, and they are called row by row. The first argument stands
 * in the call's place and the others behind all entries, so that ORDER BY and GROUP BY count the columns as before; none of them has the name of
 * a column that is its argument.
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
    bound: { ...bound, resultFormats: formatsOf(columns, bound) },
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
        drawn === undefined ? await callFunction(state, nameOf(call), texts(args)) : drawn[number]
      const format = formatAt(bound.resultFormats, index)
      const typeOid = fields[index]?.typeOid ?? OID.text
      cells.push(encode(value, typeOid, format))
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
  let behind = columns.length
  return columns.map((call, index) => {
    const first = given[index] ?? null
    if (call === undefined) return { call, args: [first] }
    const others = given.slice(behind, behind + Math.max(0, call.argumentTexts.length - 1))
    behind += others.length
    return { call, args: [first, ...others].slice(0, call.argumentTexts.length) }
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
  return mustFindFunction(nameOf(call)).runForRows?.(
    state,
    rows.map((row) => texts(row[at]?.args ?? [])),
  )
}

function texts(cells: readonly (Buffer | null)[]): readonly (string | null)[] {
  return cells.map((cell) => cell?.toString() ?? null)
}

function nameOf({ name }: TargetListFunction): string {
  return name.at(-1) ?? ''
}

/** Whether the calls of a query can be made row by row behind it: nothing but the result itself has to do with their values. */
export function areCalledByRow(query: Omit<CallingQuery, 'text'>): boolean {
  const { statement, calls, plan } = query
  const { text, node } = statement
  const hasMoreArguments = calls.some(({ argumentTexts }) => argumentTexts.length > 1)
  if (hasMoreArguments && endOfTargetList(text, node) === undefined) return false
  return findColumns(query, plan.fields?.length ?? 0) !== undefined
}

/** What each column of the result is: a call, or undefined for a column that comes as it is. */
function columnsOf(
  query: CallingQuery,
  count: number,
): readonly (TargetListFunction | undefined)[] {
  const columns = findColumns(query, count)
  if (columns === undefined) throw new Bug('calls that do not stand in columns of their own')
  return columns
}

function findColumns(
  { statement, calls }: Omit<CallingQuery, 'text'>,
  count: number,
): readonly (TargetListFunction | undefined)[] | undefined {
  const columns = new Array<TargetListFunction | undefined>(count).fill(undefined)
  for (const call of calls) {
    const column = columnOfEntry(statement.node, call.position, count)
    if (column === undefined || call.castTo !== undefined) return undefined
    if (isNamedElsewhere(statement.node, call, column)) return undefined
    columns[column] = call
  }
  return columns
}

/** DISTINCT, or an ORDER BY or GROUP BY that names the column: they would be about an argument. */
function isNamedElsewhere(node: RawNode, call: TargetListFunction, column: number): boolean {
  if (!('SelectStmt' in node)) return false
  const { distinctClause, groupClause, sortClause } = node.SelectStmt
  const clauses = JSON.stringify([groupClause ?? [], sortClause ?? []])
  return (
    distinctClause !== undefined ||
    clauses.includes(`"ival":{"ival":${column + 1}}`) ||
    clauses.includes(`"sval":${JSON.stringify(call.columnName)}`)
  )
}

function formatsOf(
  columns: readonly (TargetListFunction | undefined)[],
  bound: BoundStatement,
): readonly Format[] {
  const own = columns.map(
    (call, index): Format =>
      call === undefined ? formatAt(bound.resultFormats, index) : TEXT_FORMAT,
  )
  const behind = columns.flatMap((call) => call?.argumentTexts.slice(1) ?? [])
  return [...own, ...behind.map((): Format => TEXT_FORMAT)]
}

/** The statement with the arguments of each call in its place, and behind all entries. */
function withArguments({ statement, calls }: CallingQuery): string {
  const { text, node } = statement
  const cast = (arg: string) => `CAST((${arg}) AS pg_catalog.text)`
  const behind = calls.flatMap(({ argumentTexts, columnName }) =>
    argumentTexts
      .slice(1)
      .map((arg) => `${cast(arg)} AS ${quoteIdentifier(`argument of ${columnName}`)}`),
  )
  const end = behind.length === 0 ? text.length : endOfTargetList(text, node)
  if (end === undefined) throw new Bug('arguments without a place behind the select list')
  let result = ''
  let taken = 0
  for (const call of calls) {
    const [first] = call.argumentTexts
    const name = call.isNamed ? '' : ` AS ${quoteIdentifier(call.columnName)}`
    result += text.slice(taken, call.start) + (first === undefined ? 'NULL' : cast(first)) + name
    taken = call.end
  }
  return [result + text.slice(taken, end), ...behind].join(', ') + text.slice(end)
}

/** The result's text in the format that the client asked for. */
function encode(text: string | null | undefined, typeOid: number, format: Format): Buffer | null {
  if (text === null || text === undefined) return null
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
