import { Bug, PgError } from '../base/pg-error.ts'
import { SQL_STATE } from '../base/sql-state.ts'
import type { Plan, PushdownRoute } from '../plan/plan.ts'
import { type ParsedStatement, parseStatements } from '../sql/statement.ts'
import { readOnlyViolation } from '../transaction/transaction-block.ts'
import { OID } from '../types/pg-type.ts'
import { splitDataRow } from '../wire/data-row.ts'
import { BINARY_FORMAT, type FieldDescription, TEXT_FORMAT } from '../wire/field-description.ts'
import { type Answer, readyRows, tagOnly } from './answer.ts'
import { type BoundStatement, bindStatement } from './bound-statement.ts'
import { type CarriedWrite, carriedInsert, carriedUpdate } from './carried-pieces.ts'
import { withFields } from './client-error.ts'
import { describeStatement } from './describe.ts'
import { gatherRows } from './gather-rows.ts'
import { ownSetting } from './own-settings.ts'
import type { SessionState } from './session-state.ts'
import { sizeInBytes } from './setting-kinds.ts'
import {
  RowStatements,
  type RowWriter,
  rowsPerStatement,
  type WrittenRow,
  writeRows,
} from './write-rows.ts'

/*
 * PostgreSQL:  INSERT INTO t (a, b) SELECT x, rank() OVER (ORDER BY y) FROM u RETURNING id
 * run:         SELECT x, rank() OVER (ORDER BY y) FROM u                          by whatever route it has
 * written:     INSERT INTO t (a, b) VALUES ($1, $2), ($3, $4) .. RETURNING id     in the same transaction
 *
 * PostgreSQL:  UPDATE t SET g = md5(g) WHERE g ~ '^a' RETURNING g
 * run:         SELECT t.id, md5(g) FROM t WHERE g ~ '^a' FOR UPDATE OF t
 * written:     UPDATE t SET g = $2 WHERE t.id = $1 RETURNING g
 *
 * What Spanner cannot run is the query alone; what it found can be written by statements that Spanner can run. What an UPDATE or DELETE reads of its own table
 * is read under lock: a replay compares it.
 */

/** An INSERT, UPDATE or DELETE that Spanner cannot run as it is. */
export interface RefusedWrite {
  readonly bound: BoundStatement
  readonly statement: ParsedStatement
  readonly plan: Pick<Plan, 'paramTypes' | 'fields'>
  readonly isSole: boolean
  /** Why. */
  readonly refusal: PgError
  /** Its rows go into a temporary table. */
  readonly isTemporary?: boolean
}

/** Runs a statement by the route that its plan found. */
type RunQuery = (bound: BoundStatement, isSole: boolean) => Promise<Answer>

interface Carried extends RefusedWrite {
  readonly write: CarriedWrite
}

interface Writing {
  readonly writer: RowWriter
  readonly rows: readonly WrittenRow[]
  readonly run: RunQuery
}

/**
 * Runs what Spanner cannot as a query of its own and writes its rows; undefined where the statement has no such form. Rejects with the refusal
 * where that does not help.
 */
export async function carryWrite(
  state: SessionState,
  refused: RefusedWrite,
  run: RunQuery,
): Promise<Answer | undefined> {
  const { statement, refusal } = refused
  if (refusal.code !== SQL_STATE.featureNotSupported) return undefined
  if (ownSetting(state.settings, 'spanwire.emulation') === 'off') return undefined
  const write =
    carriedInsert(statement) ??
    (await carriedUpdate(state, statement, refused.isTemporary === true))
  if (write === undefined) return undefined
  if (state.block.characteristics.readOnly && refused.isTemporary !== true)
    throw readOnlyViolation(write.command)
  const carried = { ...refused, write }
  const { fields, rows } = await rowsOfSource(state, carried, run)
  if (rows.length === 0) return answerOf(carried, 0n, [])
  const writing = { writer: rowWriter(carried, fields), rows, run }
  return writeCarried(state, carried, writing).catch((error: unknown) => {
    // Its places are those of a statement that the client never sent.
    throw error instanceof PgError ? withFields(error, { position: undefined }) : error
  })
}

interface SourceRows {
  readonly fields: readonly FieldDescription[]
  readonly rows: readonly WrittenRow[]
}

/** The rows of the query, with texts as such: what is written to a column of another type was a bare constant. */
async function rowsOfSource(
  state: SessionState,
  { bound, plan, write, refusal }: Carried,
  run: RunQuery,
): Promise<SourceRows> {
  const [statement] = parseStatements(write.source)
  const described = await describeStatement(state, statement, plan.paramTypes).catch(
    (error: unknown) => {
      // A DEFAULT, or a constant whose type only the INSERT tells.
      throw error instanceof PgError ? refusal : error
    },
  )
  const { fields } = described
  if (fields === undefined || fields.length === 0) throw refusal
  const formats = fields.map(({ typeOid }) => formatOf(typeOid))
  const target = { statement, described }
  const answer = await run(await bindStatement(state, target, bound.params, formats), false)
  const rows = await collect(state, answer, write)
  return { fields, rows: write.keyCount === 0 ? rows : firstOfEach(rows, write.keyCount) }
}

function formatOf(typeOid: number) {
  return typeOid === OID.text ? TEXT_FORMAT : BINARY_FORMAT
}

/** A row that is found several times is written once: any of the values that it could get will do. */
function firstOfEach(rows: readonly WrittenRow[], keyCount: number): readonly WrittenRow[] {
  const byKey = new Map<string, WrittenRow>()
  for (const row of rows) {
    const key = row
      .slice(0, keyCount)
      .map((cell) => cell?.toString('hex'))
      .join()
    if (!byKey.has(key)) byKey.set(key, row)
  }
  return [...byKey.values()]
}

/** The rows, within the bounds of an emulation. */
async function collect(
  state: SessionState,
  { rows }: Answer,
  { command }: CarriedWrite,
): Promise<readonly WrittenRow[]> {
  const maxRows = Number(ownSetting(state.settings, 'spanwire.emulation_max_rows'))
  const maxBytes = sizeInBytes(ownSetting(state.settings, 'spanwire.emulation_max_bytes')) ?? 0
  const found = await gatherRows(
    (sink) => rows?.write(sink, maxRows + 1),
    (sizeBytes) => {
      if (sizeBytes > maxBytes)
        throw tooMuch(command, 'spanwire.emulation_max_bytes', `${maxBytes} bytes`)
    },
  )
  if (found.rows.length > maxRows) {
    rows?.close()
    throw tooMuch(command, 'spanwire.emulation_max_rows', `${maxRows} rows`)
  }
  return found.rows.map(splitDataRow)
}

function tooMuch(command: CarriedWrite['command'], setting: string, limit: string): PgError {
  return new PgError(
    SQL_STATE.programLimitExceeded,
    `${WITH_ARTICLE[command]} that Spanner cannot run writes more than ${limit}`,
    {
      detail: `Its rows are carried to Spanner, and ${setting} bounds them.`,
      hint: `Write them in several parts, or raise ${setting}.`,
    },
  )
}

const WITH_ARTICLE = { INSERT: 'an INSERT', UPDATE: 'an UPDATE', DELETE: 'a DELETE' } as const

function rowWriter(
  { write, bound, plan }: Carried,
  fields: readonly FieldDescription[],
): RowWriter {
  const { length } = plan.paramTypes
  return {
    command: write.command,
    textFor: (rowCount) => write.textFor(rowCount, fields.length, length),
    rowsPerStatement: write.rowsPerStatement,
    types: fields.map(({ typeOid }) => (typeOid === OID.text ? 0 : typeOid)),
    formats: fields.map(({ typeOid }) => formatOf(typeOid)),
    params: { types: plan.paramTypes, formats: bound.params.formats, values: bound.params.values },
  }
}

async function writeCarried(
  state: SessionState,
  carried: Carried,
  { writer, rows, run }: Writing,
): Promise<Answer> {
  const { bound, isSole, isTemporary, plan, write } = carried
  const statements = new RowStatements(state, writer)
  const [only] = groupsOfRows(rows, 1)
  const first = await bindFirst(carried, statements, only ?? [])
  const route = isTemporary === true ? undefined : routeOf(first)
  const isWhole = write.isWhole || (write.command !== 'UPDATE' && refersToItself(state, route))
  if (route !== undefined && plan.fields === undefined && route.draws === undefined && !isWhole) {
    const { rowCount, failure } = await writeRows(state, { writer, rows, isSole })
    if (failure !== undefined) throw failure.error
    return answerOf(carried, rowCount, [])
  }
  const groups = groupsOfRows(rows, rowsPerStatement(writer))
  if (isWhole && groups.length > 1) throw tooManyForOne(write, rowsPerStatement(writer))
  let rowCount = 0n
  const told: Buffer[] = []
  for (const [index, group] of groups.entries()) {
    const insert = await statements.bind(group, bound.resultFormats)
    const answer = await run(insert, isSole && index === groups.length - 1)
    const { rows: returned } = await gatherRows((sink) => answer.rows?.write(sink, 0))
    told.push(...returned)
    rowCount += countIn(answer.tag(BigInt(returned.length)))
  }
  return answerOf(carried, rowCount, told)
}

/** What else the statement asks for, Spanner must be able to do. */
async function bindFirst(
  { plan, refusal }: Carried,
  statements: RowStatements,
  row: readonly WrittenRow[],
): Promise<BoundStatement> {
  try {
    const bound = await statements.bind(row)
    // RETURNING * has the columns of what stands in FROM.
    if (bound.described.fields?.length !== plan.fields?.length) throw refusal
    return bound
  } catch (error) {
    // RETURNING may name what only the query has.
    const isAnalysis = error instanceof PgError && error.code.startsWith('42')
    throw isAnalysis ? refusal : error
  }
}

/** Rows that reference each other are tested when all of them are there: Spanner does so at the end of each statement. */
function refersToItself({ schema }: SessionState, route: PushdownRoute | undefined): boolean {
  const table = schema.tablesByPhysicalName.get(route?.written?.table ?? '')
  return table?.constraints.some(({ referencedTable }) => referencedTable === table.oid) === true
}

function tooManyForOne({ command }: CarriedWrite, maxRows: number): PgError {
  return new PgError(
    SQL_STATE.programLimitExceeded,
    `${WITH_ARTICLE[command]} that Spanner cannot run writes more than ${maxRows} rows by one statement`,
    {
      detail:
        'With ON CONFLICT DO UPDATE, and in a table that references itself, they have to go to Spanner together.',
      hint: 'Write them in several parts.',
    },
  )
}

function groupsOfRows(
  rows: readonly WrittenRow[],
  size: number,
): readonly (readonly WrittenRow[])[] {
  const count = Math.ceil(rows.length / size)
  return Array.from({ length: count }, (_, index) => rows.slice(index * size, (index + 1) * size))
}

function routeOf({ described }: BoundStatement): PushdownRoute {
  const route = described.plan?.route
  if (route?.kind !== 'pushdown') throw new Bug('rows of a query do not go to Spanner')
  return route
}

/** Of `INSERT 0 n` and its like. */
function countIn(tag: string): bigint {
  return BigInt(tag.split(' ').at(-1) ?? '')
}

function answerOf({ plan, write }: Carried, rowCount: bigint, told: readonly Buffer[]): Answer {
  const tag = `${write.command}${write.command === 'INSERT' ? ' 0' : ''} ${rowCount}`
  if (plan.fields === undefined) return tagOnly(tag)
  return { fields: plan.fields, rows: readyRows(told), tag: () => tag }
}
