import { quoteIdentifier } from '../schema/postgres-text.ts'
import { createAsCommand, emptyTable } from '../sql/create-as-command.ts'
import type { RawNode } from '../sql/raw-node.ts'
import type { ParsedStatement } from '../sql/statement.ts'
import { createsTemporary, type StatementRelation } from '../sql/temporary-names.ts'
import { splitDataRow } from '../wire/data-row.ts'
import { BINARY_FORMAT, type FieldDescription } from '../wire/field-description.ts'
import { type Answer, tagOnly } from './answer.ts'
import { bindStatement, NO_PARAMS, type RunnableStatement } from './bound-statement.ts'
import { carryWrite } from './carried-write.ts'
import { describeStatement } from './describe.ts'
import { refuseStatement } from './refuse-statement.ts'
import {
  bringsRows,
  fieldsOf,
  onlyStatement,
  readRows,
  runCreateAs,
  typedNulls,
} from './run-create-as.ts'
import { beforeRows } from './run-ddl.ts'
import { runRows } from './run-rows.ts'
import { besideTables, runTemporary } from './run-temporary.ts'
import type { SessionState } from './session-state.ts'
import { RowStatements, type RowWriter, rowsOfParams, rowsPerStatement } from './write-rows.ts'

/*
 * CREATE TABLE u AS SELECT a FROM x           run-create-as.ts, with u's columns written out
 * CREATE TEMP TABLE x AS SELECT a FROM t      x without rows in the companion; the query by its own route; its rows into x
 * INSERT INTO x SELECT a FROM t               the query by its own route; its rows into x
 * INSERT INTO t SELECT a FROM x               the query in the companion; its rows to Spanner
 * UPDATE t SET a = x.a FROM x                 the same with the keys of t
 * UPDATE x SET a = t.a FROM t                 the query by its own route, with ctid; its rows into x
 */

/** Runs a statement about temporary tables, or about them and others. Rejects with 0A000 where it has none of these forms. */
export function runWithTemporary(
  state: SessionState,
  bound: RunnableStatement,
  isSole: boolean,
): Promise<Answer> {
  return bound.described.isBesideTables === true
    ? runBesideTables(state, bound, isSole)
    : runTemporary(state, bound)
}

async function runBesideTables(
  state: SessionState,
  bound: RunnableStatement,
  isSole: boolean,
): Promise<Answer> {
  const { statement, described } = bound
  if (statement.category === 'create-as') {
    return createsTemporary(statement.node)
      ? createTemporaryAs(state, statement)
      : runCreateAs(state, statement, { readsTemporary: true })
  }
  const target = targetOf(statement.node)
  const isTemporary = target !== undefined && (await state.temporary?.has(target)) === true
  const refusal = besideTables()
  if (!isTemporary) await beforeRows(state)
  const refused = { bound, statement, plan: described, isSole, refusal, isTemporary }
  const answer = await carryWrite(state, refused, (...query) => runRows(state, ...query))
  if (answer === undefined) throw refusal
  return answer
}

function targetOf(node: RawNode): StatementRelation | undefined {
  const [body] = Object.values(node)
  const { schemaname, relname } =
    (body as { readonly relation?: { readonly schemaname?: string; readonly relname?: string } })
      .relation ?? {}
  return relname === undefined ? undefined : { schema: schemaname, name: relname }
}

async function createTemporaryAs(state: SessionState, statement: ParsedStatement): Promise<Answer> {
  const command = createAsCommand(statement.text, statement.node)
  if (command === undefined) return refuseStatement(state, statement)
  const hasRows = await bringsRows(state, statement, command)
  const fields = await fieldsOf(state, command)
  const rows = hasRows ? await readRows(state, command) : []
  const query = await typedNulls(state, fields)
  const made = await runTemporary(state, await bindText(state, emptyTable({ ...command, query })))
  if (!hasRows) return made
  await fillTable(state, { table: command.name, fields }, rows)
  return tagOnly(`SELECT ${rows.length}`)
}

interface NewTable {
  readonly table: string
  readonly fields: readonly FieldDescription[]
}

async function fillTable(
  state: SessionState,
  { table, fields }: NewTable,
  rows: readonly Buffer[],
): Promise<void> {
  const name = `pg_temp.${quoteIdentifier(table)}`
  const writer: RowWriter = {
    command: 'INSERT',
    textFor: (count: number) =>
      `INSERT INTO ${name} VALUES ${rowsOfParams(count, fields.length, 0)}`,
    types: fields.map(({ typeOid }) => typeOid),
    formats: fields.map(() => BINARY_FORMAT),
    params: { ...NO_PARAMS, types: [] },
  }
  const statements = new RowStatements(state, writer)
  const size = rowsPerStatement(writer)
  for (let first = 0; first < rows.length; first += size) {
    const some = rows.slice(first, first + size).map(splitDataRow)
    await runTemporary(state, await statements.bind(some))
  }
}

async function bindText(state: SessionState, text: string): Promise<RunnableStatement> {
  const statement = onlyStatement(text)
  const described = await describeStatement(state, statement, [])
  return { ...(await bindStatement(state, { statement, described }, NO_PARAMS, [])), statement }
}
