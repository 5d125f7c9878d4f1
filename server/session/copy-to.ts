import { ByteWriter } from '../base/byte-writer.ts'
import { Bug, PgError } from '../base/pg-error.ts'
import { SQL_STATE } from '../base/sql-state.ts'
import type { ReadAnswer } from '../companion/companion-types.ts'
import { quoteIdentifier } from '../schema/postgres-text.ts'
import { type CopyQuery, copyCommand } from '../sql/copy-command.ts'
import { type ParsedStatement, parseStatements } from '../sql/statement.ts'
import { writeCopyDone, writeCopyOutResponse } from '../wire/backend-messages.ts'
import { copyEncoder } from '../wire/copy-encoder.ts'
import type { FieldDescription } from '../wire/field-description.ts'
import type { RowSink } from './answer.ts'
import { bindStatement, NO_PARAMS } from './bound-statement.ts'
import { mustBe, notSupported, shiftPosition } from './client-error.ts'
import { companionText } from './companion-text.ts'
import { copyTarget, selectTarget } from './copy-target.ts'
import { describeStatement } from './describe.ts'
import type { Described } from './prepared-statement.ts'
import type { CopyRun } from './run-copy.ts'
import { runQuery } from './run-query.ts'
import type { SessionState } from './session-state.ts'
import { textWithSessionValues } from './session-values.ts'
import { catalogSource } from './temporary-tables.ts'
import { textRequest } from './text-request.ts'

/** COPY TO STDOUT. Resolves to the number of rows. */
export async function copyTo(state: SessionState, run: CopyRun, sink: RowSink): Promise<bigint> {
  const { table, query } = run.command
  if (table === undefined) return copyQuery(state, { ...run, query: mustBe(query) }, sink)
  const target = await copyTarget(state, table)
  // Over the companion's own, empty table: all that PostgreSQL has against the statement, and the header.
  const asked = await askCompanion(state, run.statement)
  if (!target.isUsers) return passOn(asked, sink)
  const statement = onlyStatement(selectTarget(target))
  const described = await describeStatement(state, statement, [])
  return copyRows(state, { ...run, statement, described, asked }, sink)
}

async function copyQuery(
  state: SessionState,
  run: CopyRun & { readonly query: CopyQuery },
  sink: RowSink,
): Promise<bigint> {
  const statement = onlyStatement(run.query.text)
  const offset = run.query.offset + statement.offset
  try {
    const described = await describeStatement(state, statement, [])
    if (described.plan?.route.kind === 'catalog') {
      return passOn(await askCompanion(state, run.statement), sink)
    }
    if (described.plan?.fields === undefined) {
      throw new PgError(SQL_STATE.featureNotSupported, 'COPY query must have a RETURNING clause')
    }
    const asked = await askOptions(state, run, described.plan.fields)
    return await copyRows(state, { ...run, statement, described, asked }, sink)
  } catch (error) {
    throw error instanceof PgError ? shiftPosition(error, offset) : error
  }
}

interface RowsRun extends CopyRun {
  readonly described: Described
  readonly asked: ReadAnswer
}

/** Writes the rows of a query as COPY does. */
async function copyRows(state: SessionState, run: RowsRun, sink: RowSink): Promise<bigint> {
  const { statement, described, asked } = run
  const { options } = run.command
  if (!isUtf8(options.encoding)) {
    throw notSupported(`COPY TO in encoding ${options.encoding}`, 'Use UTF8.')
  }
  const formats = mustBe(asked.copy)
  const names = described.fields?.map(({ name }) => name) ?? []
  const encoder = copyEncoder(options, names)
  const bound = await bindStatement(state, { statement, described }, NO_PARAMS, [formats.format])
  const answer = await runQuery(state, bound, run.isSole)
  writeCopyOutResponse(sink.output, formats.format, formats.columns)
  if (options.format !== 'binary') for (const header of asked.rows) sink.output.bytes(header)
  let count = 0n
  const rows = new ByteWriter()
  const passRows = () => {
    count += BigInt(encoder.rows(sink.output, rows.take()))
    return sink.relieve()
  }
  await answer.rows?.write({ output: rows, relieve: passRows, flush: sink.flush }, 0)
  await passRows()
  encoder.end(sink.output)
  writeCopyDone(sink.output)
  return count
}

/** An encoding of pg_encnames whose bytes are those of UTF-8. */
function isUtf8(encoding: string | undefined): boolean {
  return encoding === undefined || /^(utf-?_?8|unicode)$/i.test(encoding)
}

/** What the companion copies goes to the client as it is. */
function passOn({ copy, rows, tag }: ReadAnswer, sink: RowSink): bigint {
  const { format, columns } = mustBe(copy)
  writeCopyOutResponse(sink.output, format, columns)
  for (const row of rows) sink.output.bytes(row)
  writeCopyDone(sink.output)
  return BigInt(tag.replace(/^COPY /, ''))
}

/** Lets the companion run a COPY TO STDOUT. */
async function askCompanion(state: SessionState, statement: ParsedStatement): Promise<ReadAnswer> {
  const { text } = await companionText(state, statement, false)
  const asked = await textWithSessionValues(state, text)
  const answer = await catalogSource(state).read(textRequest(state, asked))
  for (const notice of answer.notices) state.notice(notice)
  return answer
}

/** Has the companion judge the options, with a query of the same columns and no rows; it answers with the header. */
async function askOptions(
  state: SessionState,
  { statement, query }: CopyRun & { readonly query: CopyQuery },
  fields: readonly FieldDescription[],
): Promise<ReadAnswer> {
  const columns = fields.map(({ name }) => `NULL AS ${quoteIdentifier(name)}`).join(', ')
  const standIn = `COPY (SELECT ${columns} LIMIT 0)`
  const before = [...statement.text].length - [...query.rest].length
  const [probe] = parseStatements(`${standIn}${query.rest}`)
  if (probe === undefined || copyCommand(probe.text, probe.node) === undefined) {
    throw new Bug('a stand-in for COPY is no COPY')
  }
  return askCompanion(state, probe).catch((error: unknown) => {
    // The caller shifts by where the query begins.
    const shift = before - [...standIn].length - query.offset
    throw error instanceof PgError ? shiftPosition(error, shift) : error
  })
}

function onlyStatement(text: string): ParsedStatement {
  const [statement] = parseStatements(text)
  if (statement === undefined) throw new Bug('COPY of no statement')
  return statement
}
