import { PgError } from '../base/pg-error.ts'
import { SQL_STATE } from '../base/sql-state.ts'
import { quoteIdentifier } from '../schema/postgres-text.ts'
import { type CreateAsCommand, createAsCommand, emptyTable } from '../sql/create-as-command.ts'
import { type ParsedStatement, parseStatements } from '../sql/statement.ts'
import { splitDataRow } from '../wire/data-row.ts'
import { BINARY_FORMAT, type FieldDescription } from '../wire/field-description.ts'
import { type Answer, tagOnly } from './answer.ts'
import { bindStatement, NO_PARAMS } from './bound-statement.ts'
import { mustBe, notSupported } from './client-error.ts'
import { copyWriter } from './copy-insert.ts'
import { copyTarget } from './copy-target.ts'
import { describeStatement } from './describe.ts'
import { gatherRows } from './gather-rows.ts'
import { refuseStatement } from './refuse-statement.ts'
import { beforeRows, runDdl } from './run-ddl.ts'
import { runRows } from './run-rows.ts'
import type { SessionState } from './session-state.ts'
import { catalogSource } from './temporary-tables.ts'
import { readTexts } from './text-request.ts'
import { writeRows } from './write-rows.ts'

/** What a query may bring: its rows wait here until the table is there. */
const MAX_DATA_BYTES = 24 * 1024 * 1024

interface CreateAsOptions {
  /** Its query names temporary tables, which nobody sees who makes the table. */
  readonly readsTemporary?: boolean
}

/** CREATE TABLE AS and SELECT INTO: the query is run, then the DDL of the table without rows, and then they are written. */
export async function runCreateAs(
  state: SessionState,
  statement: ParsedStatement,
  { readsTemporary = false }: CreateAsOptions = {},
): Promise<Answer> {
  const command = createAsCommand(statement.text, statement.node)
  if (command === undefined) return refuseStatement(state, statement)
  const query = readsTemporary
    ? await typedNulls(state, await fieldsOf(state, command))
    : command.query
  const making = onlyStatement(emptyTable({ ...command, query }))
  if (!(await bringsRows(state, statement, command))) return runDdl(state, making)
  const rows = await readRows(state, command)
  await runDdl(state, making)
  await fillTable(state, command, rows)
  return tagOnly(`SELECT ${rows.length}`)
}

/** False where the table is there or wants no rows. Rejects with PostgreSQL's errors, which point into what the client wrote. */
export async function bringsRows(
  state: SessionState,
  statement: ParsedStatement,
  command: CreateAsCommand,
): Promise<boolean> {
  await catalogSource(state).analyse({
    text: statement.text,
    paramTypes: [],
    session: state.context(),
    signal: state.scope.signal,
  })
  return command.hasData && !(command.ifNotExists && (await hasRelation(state, command)))
}

async function hasRelation(state: SessionState, command: CreateAsCommand): Promise<boolean> {
  const [row] = await readTexts(state, 'SELECT pg_catalog.to_regclass($1) IS NOT NULL', [
    nameOf(command),
  ])
  return row?.[0] === 't'
}

function nameOf({ schema, name }: CreateAsCommand): string {
  return [schema, name]
    .flatMap((part) => (part === undefined ? [] : [`"${part.replaceAll('"', '""')}"`]))
    .join('.')
}

/** A query that has the same columns, and reads nothing. */
export async function typedNulls(
  state: SessionState,
  fields: readonly FieldDescription[],
): Promise<string> {
  const types = await readTexts(
    state,
    `SELECT pg_catalog.format_type(f.oid, f.typmod)
      FROM pg_catalog.json_to_recordset($1::pg_catalog.json) f(oid pg_catalog.oid, typmod pg_catalog.int4)`,
    [JSON.stringify(fields.map(({ typeOid, typmod }) => ({ oid: typeOid, typmod })))],
  )
  const columns = fields.map(
    ({ name }, i) => `CAST(NULL AS ${types[i]?.[0] ?? ''}) AS ${quoteIdentifier(name)}`,
  )
  return `SELECT ${columns.join(', ')}`
}

/** The columns of the query. */
export async function fieldsOf(
  state: SessionState,
  { query }: CreateAsCommand,
): Promise<readonly FieldDescription[]> {
  const { fields = [] } = await describeStatement(state, onlyStatement(query), [])
  if (fields.length === 0) throw notSupported('a table without columns', 'Name one.')
  return fields
}

/** The rows of the query, in binary. */
export async function readRows(
  state: SessionState,
  { query }: CreateAsCommand,
): Promise<readonly Buffer[]> {
  const statement = onlyStatement(query)
  const described = await describeStatement(state, statement, [])
  const bound = await bindStatement(state, { statement, described }, NO_PARAMS, [BINARY_FORMAT])
  const answer = await runRows(state, bound, false)
  const { rows } = await gatherRows(
    (sink) => answer.rows?.write(sink, 0),
    (sizeBytes) => {
      if (sizeBytes > MAX_DATA_BYTES) throw tooMuch()
    },
  )
  return rows
}

async function fillTable(
  state: SessionState,
  command: CreateAsCommand,
  rows: readonly Buffer[],
): Promise<void> {
  await beforeRows(state)
  const target = await copyTarget(state, { ...command, columns: undefined })
  const values = rows.map(splitDataRow)
  const { failure } = await writeRows(state, {
    writer: copyWriter(target),
    rows: values,
    isSole: false,
  })
  if (failure !== undefined) throw failure.error
}

export function onlyStatement(text: string): ParsedStatement {
  return mustBe(parseStatements(text)[0])
}

function tooMuch(): PgError {
  return new PgError(
    SQL_STATE.programLimitExceeded,
    `CREATE TABLE AS brings more than ${MAX_DATA_BYTES / 1024 / 1024} MB`,
    { hint: 'Create the table first, then use several INSERT .. SELECT.' },
  )
}
