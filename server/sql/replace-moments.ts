import { type RawBody, type RawNode, rawNodeName, stringOf } from './raw-node.ts'
import { StatementTokens } from './statement-tokens.ts'

/** The value of a moment as a cast of the transaction's start, and the column name that PostgreSQL gives the original. */
interface Moment {
  readonly columnName: string
  readonly type: string
}

const SQL_VALUES: { readonly [op: string]: Moment } = {
  SVFOP_CURRENT_DATE: { columnName: 'current_date', type: 'date' },
  SVFOP_CURRENT_TIME: { columnName: 'current_time', type: 'timetz' },
  SVFOP_CURRENT_TIME_N: { columnName: 'current_time', type: 'timetz' },
  SVFOP_CURRENT_TIMESTAMP: { columnName: 'current_timestamp', type: 'timestamptz' },
  SVFOP_CURRENT_TIMESTAMP_N: { columnName: 'current_timestamp', type: 'timestamptz' },
  SVFOP_LOCALTIME: { columnName: 'localtime', type: 'time' },
  SVFOP_LOCALTIME_N: { columnName: 'localtime', type: 'time' },
  SVFOP_LOCALTIMESTAMP: { columnName: 'localtimestamp', type: 'timestamp' },
  SVFOP_LOCALTIMESTAMP_N: { columnName: 'localtimestamp', type: 'timestamp' },
}

const FUNCTIONS = new Set(['now', 'transaction_timestamp'])

interface Found {
  readonly moment: Moment
  /** Byte offset of its first token. */
  readonly start: number
  /** Where a subquery may not stand (arguments of EXECUTE and CALL): the bare cast is written; column names do not matter there. */
  readonly bare: boolean
}

/**
 * The statement with every CURRENT_TIMESTAMP, LOCALTIMESTAMP, CURRENT_DATE, CURRENT_TIME, LOCALTIME, now() and transaction_timestamp() replaced by the moment
 * `nowLiteral` (a timestamptz in text form with its offset, '2024-01-01 00:00:00+00'). Casts to date, time and timestamp happen in the session's zone,
 * where PostgreSQL makes them.
 *
 * The replacement is `(SELECT CAST('...' AS type) AS name)`: a scalar subquery lends its column's name to whatever PostgreSQL names after it, so
 * that column names stay, through casts as well, wherever the expression stands.
 *
 * Left alone: a moment that is itself an item of FROM (`SELECT * FROM now()`); moments inside views, defaults and functions, which are not in
 * the text; and clock_timestamp(), statement_timestamp(), timeofday(), which are other moments. Statements that store expressions
 * (CREATE ... DEFAULT now()) must not come here.
 */
export function replaceMoments(text: string, node: RawNode, nowLiteral: string): string {
  const found: Found[] = []
  collect(node, { fromItem: false, bare: 'ExecuteStmt' in node || 'CallStmt' in node }, found)
  if (found.length === 0) return text
  const source = new StatementTokens(text)
  let result = ''
  let done = 0
  for (const { moment, start, bare } of found.sort((a, b) => a.start - b.start)) {
    const end = endOf(source, start)
    result +=
      source.slice(done, start) +
      replacement(moment, precisionOf(source, start), { nowLiteral, bare })
    done = end
  }
  return result + source.slice(done, source.endByte)
}

function replacement(
  moment: Moment,
  precision: string,
  { nowLiteral, bare }: { readonly nowLiteral: string; readonly bare: boolean },
): string {
  const literal = `CAST('${nowLiteral.replaceAll("'", "''")}' AS timestamptz)`
  const isWhole = moment.type === 'timestamptz' && precision === ''
  const value = isWhole ? literal : `CAST(${literal} AS ${moment.type}${precision})`
  return bare ? value : `(SELECT ${value} AS "${moment.columnName}")`
}

/** `now ( )`, `pg_catalog . now ( )`, `CURRENT_TIMESTAMP`, `CURRENT_TIMESTAMP ( 3 )`: byte offset behind it. */
function endOf(source: StatementTokens, start: number): number {
  let index = source.indexAt(start)
  while (source.tokens[index + 1]?.text === '.') index += 2
  const open = source.tokens[index + 1]?.text === '(' ? index + 1 : -1
  const last = open < 0 ? index : source.closing(open)
  return source.tokens[last]?.end ?? source.endByte
}

/** `(3)`, or '' where none was written. */
function precisionOf(source: StatementTokens, start: number): string {
  const index = source.indexAt(start)
  if (source.tokens[index + 1]?.text !== '(') return ''
  const [precision] = source.listIn(index + 1)
  return precision === undefined ? '' : `(${precision})`
}

interface Place {
  readonly fromItem: boolean
  readonly bare: boolean
}

function collect(value: unknown, place: Place, found: Found[]): void {
  if (Array.isArray(value)) {
    for (const item of value) collect(item, place, found)
    return
  }
  if (typeof value !== 'object' || value === null) return
  const moment = momentOf(value)
  if (moment !== undefined) {
    if (!place.fromItem) found.push({ ...moment, bare: place.bare })
    return
  }
  for (const [name, child] of Object.entries(value)) {
    if (name === 'RangeFunction') collectFromItem(child, place, found)
    else collect(child, place, found)
  }
}

/** The calls that are items themselves stay; their arguments are ordinary expressions. */
function collectFromItem(body: RawBody<'RangeFunction'>, place: Place, found: Found[]): void {
  for (const list of body.functions ?? []) {
    const items: readonly RawNode[] = 'List' in list ? (list.List.items ?? []) : []
    for (const item of items) {
      if (momentOf(item) === undefined) collect(item, place, found)
    }
  }
}

function momentOf(value: object): { moment: Moment; start: number } | undefined {
  const name = rawNodeName(value as RawNode)
  if (name === 'SQLValueFunction') {
    const body = (value as { SQLValueFunction: RawBody<'SQLValueFunction'> }).SQLValueFunction
    const moment = SQL_VALUES[body.op ?? '']
    return moment === undefined ? undefined : { moment, start: body.location ?? 0 }
  }
  if (name !== 'FuncCall') return undefined
  const body = (value as { FuncCall: RawBody<'FuncCall'> }).FuncCall
  const parts = (body.funcname ?? []).map((part) => stringOf(part))
  const function_ = parts.at(-1) ?? ''
  const isBuiltIn = parts.length === 1 || (parts.length === 2 && parts[0] === 'pg_catalog')
  if (!isBuiltIn || !FUNCTIONS.has(function_) || (body.args ?? []).length > 0) return undefined
  return { moment: { columnName: function_, type: 'timestamptz' }, start: body.location ?? 0 }
}
