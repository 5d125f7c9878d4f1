import type { SpannerStatement } from '../backend/backend.ts'
import { Bug, PgError } from '../base/pg-error.ts'
import { SQL_STATE } from '../base/sql-state.ts'
import { emitPostgresName, quoteIdentifier } from '../schema/postgres-text.ts'
import { type ParsedStatement, parseStatements } from '../sql/statement.ts'
import { truncateCommand } from '../sql/truncate-command.ts'
import { readOnlyViolation } from '../transaction/transaction-block.ts'
import { type Answer, tagOnly } from './answer.ts'
import { bindStatement, NO_PARAMS } from './bound-statement.ts'
import { mustBe, notSupported } from './client-error.ts'
import { demandRelations } from './demand-relations.ts'
import { describeStatement } from './describe.ts'
import { beforeRows } from './run-ddl.ts'
import type { SessionState } from './session-state.ts'
import { readTexts } from './text-request.ts'

/** A table that is to be emptied, or that refers to one. */
interface Table {
  readonly oid: string
  readonly schema: string
  readonly name: string
  readonly isNamed: boolean
  readonly isTable: boolean
  /** The tables that its foreign keys refer to, itself left out. */
  readonly references: readonly string[]
}

/** The named relations and all that refer to them, over however many keys. */
const TABLES_SQL = `WITH RECURSIVE named AS (
    SELECT n.name::pg_catalog.regclass::pg_catalog.oid AS oid, n.place
    FROM pg_catalog.json_array_elements_text($1::pg_catalog.json) WITH ORDINALITY n(name, place)),
  involved AS (
    SELECT oid FROM named
    UNION SELECT k.conrelid FROM pg_catalog.pg_constraint k JOIN involved i ON k.confrelid = i.oid WHERE k.contype = 'f')
  SELECT c.oid, n.nspname, c.relname, c.oid IN (SELECT oid FROM named), c.relkind = 'r' AND c.oid >= 16384,
    (SELECT pg_catalog.string_agg(DISTINCT k.confrelid::pg_catalog.text, ',') FROM pg_catalog.pg_constraint k
      WHERE k.conrelid = c.oid AND k.contype = 'f' AND k.confrelid <> c.oid)
  FROM involved i JOIN pg_catalog.pg_class c ON c.oid = i.oid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  ORDER BY (SELECT min(place) FROM named m WHERE m.oid = c.oid), c.oid`

/** TRUNCATE: Spanner has none; the rows are deleted, in the client's transaction. */
export async function runTruncate(
  state: SessionState,
  statement: ParsedStatement,
  isSole: boolean,
): Promise<Answer> {
  const command = mustBe(truncateCommand(statement.node))
  if (state.block.characteristics.readOnly) throw readOnlyViolation('TRUNCATE TABLE')
  await demandRelations(state, statement)
  await beforeRows(state)
  const tables = await tablesOf(
    state,
    command.relations.map(({ schema, name }) =>
      [...(schema === undefined ? [] : [schema]), name].map(quoteIdentifier).join('.'),
    ),
  )
  for (const table of tables) checkTable(table)
  if (!command.cascades) refuseReferences(tables)
  if (command.restartsIdentity) {
    throw notSupported('TRUNCATE .. RESTART IDENTITY', 'Sequences of Spanner cannot begin anew.')
  }
  for (const { isNamed, name } of tables) {
    if (!isNamed) state.notice(cascadeNotice(name))
  }
  const deletes: WholeDelete[] = []
  for (const table of referencingFirst(tables)) deletes.push(await deleteAll(state, table))
  state.block.noteQuery()
  const { error } = await state.block.executeBatch(deletes, 'TRUNCATE TABLE', {
    ...state.scope.callOptions(),
    isLast: isSole,
    written: deletes.flatMap(({ written }) => written ?? []),
  })
  if (error !== undefined) throw error
  for (const { oid } of tables) state.truncations.add(oid, state.block.savepointLevel)
  return tagOnly(statement.tag)
}

async function tablesOf(state: SessionState, names: readonly string[]): Promise<readonly Table[]> {
  const rows = await readTexts(state, TABLES_SQL, [JSON.stringify(names)])
  return rows.map(([oid = '', schema = '', name = '', isNamed, isTable, references = '']) => ({
    oid,
    schema,
    name,
    isNamed: isNamed === 't',
    isTable: isTable === 't',
    references: references === '' ? [] : references.split(','),
  }))
}

/** truncate_check_rel of src/backend/commands/tablecmds.c. */
function checkTable({ isTable, name }: Table): void {
  if (isTable) return
  throw new PgError(SQL_STATE.wrongObjectType, `"${name}" is not a table`)
}

/** heap_truncate_check_FKs of src/backend/catalog/heap.c. */
function refuseReferences(tables: readonly Table[]): void {
  const named = new Map(tables.filter(({ isNamed }) => isNamed).map((table) => [table.oid, table]))
  for (const { isNamed, name, references } of tables) {
    const referenced = references.find((oid) => named.has(oid))
    if (isNamed || referenced === undefined) continue
    throw new PgError(
      SQL_STATE.featureNotSupported,
      'cannot truncate a table referenced in a foreign key constraint',
      {
        detail: `Table "${name}" references "${named.get(referenced)?.name}".`,
        hint: `Truncate table "${name}" at the same time, or use TRUNCATE ... CASCADE.`,
      },
    )
  }
}

function cascadeNotice(name: string) {
  return {
    severity: 'NOTICE',
    code: SQL_STATE.successfulCompletion,
    message: `truncate cascades to table "${name}"`,
  } as const
}

/** Rows go before those that they refer to; tables that refer to each other go in any order. */
function referencingFirst(tables: readonly Table[]): readonly Table[] {
  const ordered: Table[] = []
  let left = tables
  while (left.length > 0) {
    const free = left.find(({ oid }) => left.every(({ references }) => !references.includes(oid)))
    const next = free ?? left[0]
    if (next === undefined) break
    ordered.push(next)
    left = left.filter((table) => table !== next)
  }
  return ordered
}

/** The DELETE of a whole table. */
interface WholeDelete extends SpannerStatement {
  /** Spanner's name of the table. */
  readonly written: string | undefined
}

async function deleteAll(state: SessionState, table: Table): Promise<WholeDelete> {
  const [statement] = parseStatements(`DELETE FROM ONLY ${emitPostgresName(table)}`)
  if (statement === undefined) throw new Bug('a DELETE of TRUNCATE is no statement')
  const described = await describeStatement(state, statement, [])
  const { spannerParams } = await bindStatement(state, { statement, described }, NO_PARAMS, [])
  const route = described.plan?.route
  if (route?.kind === 'unsupported') throw route.error
  if (route?.kind !== 'pushdown') throw new Bug('a DELETE of TRUNCATE does not go to Spanner')
  return { sql: route.sql, params: spannerParams, written: route.written?.table }
}
