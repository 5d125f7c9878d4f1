import { PgError } from '../base/pg-error.ts'
import { SQL_STATE } from '../base/sql-state.ts'
import type {
  PinnedConnection,
  ReadAnswer,
  ReadRequest,
  SessionContext,
} from '../companion/companion-types.ts'
import type { ParsedStatement } from '../sql/statement.ts'
import { createsTemporary, onCommit, statementRelations } from '../sql/temporary-names.ts'
import { readOnlyViolation } from '../transaction/transaction-block.ts'
import { type Answer, readyRows } from './answer.ts'
import type { RunnableStatement } from './bound-statement.ts'
import { DROP_STAND_INS } from './call-stand-ins.ts'
import { callsPerformed, runCallsAnywhere, type StandingIn } from './calls-anywhere.ts'
import { notSupported } from './client-error.ts'
import { companionText } from './companion-text.ts'
import { definedText } from './defined-text.ts'
import type { Described } from './prepared-statement.ts'
import type { SessionState } from './session-state.ts'
import { isSessionValue, textWithSessionValues, withoutMark } from './session-values.ts'
import { TemporaryTables } from './temporary-tables.ts'
import { readTexts } from './text-request.ts'

/** Statements that the companion runs by itself where they are about temporary tables alone. */
const CATEGORIES: ReadonlySet<ParsedStatement['category']> = new Set([
  'query',
  'dml',
  'ddl',
  'create-as',
  'truncate',
  'explain',
])

/** Those of them that change no tables, but rows. */
const ROWS_ALONE: ReadonlySet<ParsedStatement['category']> = new Set(['query', 'dml', 'explain'])

/** Those that call functions when they run: DDL keeps calls for later. */
const CALLING: ReadonlySet<ParsedStatement['category']> = new Set(['query', 'dml', 'create-as'])

/** Whether a statement makes or names temporary tables. */
export async function isTemporary(
  state: SessionState,
  statement: ParsedStatement,
): Promise<boolean> {
  if (!CATEGORIES.has(statement.category)) return false
  if (createsTemporary(statement.node)) return true
  const { temporary } = state
  if (temporary === undefined) return false
  for (const relation of statementRelations(statement.node)) {
    if (await temporary.has(relation)) return true
  }
  return false
}

/** Whether it names tables of Spanner's as well: the companion's lock on them would last as long as the session. */
async function namesTables(state: SessionState, { node }: ParsedStatement): Promise<boolean> {
  const names: string[] = []
  for (const relation of statementRelations(node)) {
    if ((await state.temporary?.has(relation)) === true) continue
    names.push([relation.schema, relation.name].flatMap((part) => quoted(part)).join('.'))
  }
  if (names.length === 0) return false
  const rows = await readTexts(
    state,
    `SELECT 1 FROM pg_catalog.json_array_elements_text($1::pg_catalog.json) n(name)
      WHERE pg_catalog.to_regclass(n.name)::pg_catalog.oid >= 16384`,
    [JSON.stringify(names)],
    state.database.companion,
  )
  return rows.length > 0
}

function quoted(part: string | undefined): readonly string[] {
  return part === undefined ? [] : [`"${part.replaceAll('"', '""')}"`]
}

/** Of what run-beside-temporary.ts has no form for. */
export function besideTables(): PgError {
  return notSupported(
    'a statement about temporary tables and other tables',
    'Read the other tables in a statement of their own.',
  )
}

/** As PostgreSQL describes it, on the session's own connection; DDL is not analysed before it runs. */
export async function describeTemporary(
  state: SessionState,
  statement: ParsedStatement,
  declaredTypes: readonly number[],
): Promise<Described> {
  const { category, text } = statement
  const makesTable = category === 'create-as' && !createsTemporary(statement.node)
  const isBesideTables =
    category !== 'query' && (makesTable || (await namesTables(state, statement)))
  if (isBesideTables && category !== 'dml' && category !== 'create-as') throw besideTables()
  const nothing = {
    paramTypes: [],
    fields: undefined,
    plan: undefined,
    isTemporary: true,
    isBesideTables,
  }
  if (category !== 'query' && category !== 'dml' && category !== 'explain') return nothing
  const { pinned } = await TemporaryTables.of(state)
  const request = {
    text,
    paramTypes: declaredTypes,
    session: impatientBesideDdl(state),
    signal: state.scope.signal,
  }
  if (category !== 'query') {
    const { paramTypes, fields } = await pinned.analyse(request).catch((error: unknown) => {
      throw lockedByOwnDdl(state, error) ?? error
    })
    return { ...nothing, paramTypes, fields }
  }
  const planning = state.database.planner.planBesideTemporary({ ...request, pinned })
  const plan = await planning.catch((error: unknown) => {
    throw lockedByOwnDdl(state, error) ?? error
  })
  const { paramTypes, fields, route } = plan
  // It reads nothing of Spanner's.
  if (route.kind === 'catalog') return { ...nothing, paramTypes, fields }
  return { paramTypes, fields, plan }
}

/** CreateCommandName of src/backend/tcop/utility.c: what is told of CREATE TABLE AS at its end is SELECT. */
function commandName({ category, node, tag }: ParsedStatement): string {
  if (category !== 'create-as') return tag
  return 'SelectStmt' in node ? 'SELECT INTO' : 'CREATE TABLE AS'
}

/** Types that the open transaction has made are on a connection of their own: where PostgreSQL would know one, 0A000. */
async function uncommittedType(state: SessionState, error: unknown): Promise<PgError | undefined> {
  const isUnknown = error instanceof PgError && error.code === SQL_STATE.undefinedObject
  const name = isUnknown ? /^type "(.+)" does not exist$/.exec(error.message)?.[1] : undefined
  if (name === undefined || state.ddl === undefined) return undefined
  const asked = 'SELECT pg_catalog.to_regtype($1) IS NOT NULL'
  const [row] = await readTexts(state, asked, [name.replace(/\[\]$/, '')], state.ddl.pinned)
  if (row?.[0] !== 't') return undefined
  return notSupported(
    `type ${name} in a temporary table, in the transaction that made it`,
    'Commit the transaction between the two.',
  )
}

const OWN_LOCK_TIMEOUT = '1s'

/** Open DDL holds its locks until COMMIT, on a connection of its own: a statement that waited for them would do so for ever. */
function impatientBesideDdl(state: SessionState): SessionContext {
  const session = state.context()
  if (state.ddl === undefined) return session
  return {
    ...session,
    settings: new Map([...session.settings, ['lock_timeout', OWN_LOCK_TIMEOUT]]),
  }
}

function lockedByOwnDdl(state: SessionState, error: unknown): PgError | undefined {
  const isLocked = error instanceof PgError && error.code === SQL_STATE.lockNotAvailable
  if (!isLocked || state.ddl === undefined) return undefined
  return notSupported(
    'a statement about temporary tables and tables that the open transaction has changed',
    'Commit the transaction between the two.',
  )
}

const NONE: ReadonlySet<number> = new Set()

/** The companion knows which of its temporary sequences was drawn from last. */
function isToldBeside(name: string): boolean {
  return name !== 'lastval' && isSessionValue(name)
}

/** The level of a savepoint inside of all that clients set. */
const RUN = 1_000_000

/** From now on ROLLBACK TO takes back what is drawn from temporary sequences: each is written anew. */
const OPEN_SEQUENCES = `DO $$ DECLARE s pg_catalog.pg_sequence; BEGIN
  FOR s IN SELECT q.* FROM pg_catalog.pg_sequence q JOIN pg_catalog.pg_class c ON c.oid = q.seqrelid WHERE c.relnamespace = pg_catalog.pg_my_temp_schema() LOOP
    EXECUTE pg_catalog.format('ALTER SEQUENCE %s INCREMENT BY %s', s.seqrelid::pg_catalog.regclass, s.seqincrement);
  END LOOP;
END $$`

/** Each run but the last is undone. */
async function executeWithCalls(
  state: SessionState,
  pinned: PinnedConnection,
  request: ReadRequest,
): Promise<ReadAnswer> {
  await pinned.savepoint(RUN)
  const undo = () => pinned.rollbackTo(RUN)
  const run = async ({ text, standIns }: StandingIn): Promise<ReadAnswer> => {
    await undo()
    for (const statement of [OPEN_SEQUENCES, ...standIns.define]) await pinned.query(statement)
    try {
      return await pinned.execute({ ...request, text, standIns })
    } catch (error) {
      // What the calls ask the companion is asked on this connection.
      await undo()
      throw error
    }
  }
  const answer = await runCallsAnywhere(state, () => request.text, run).catch(
    async (error: unknown) => {
      if (!pinned.lost.aborted) await undo()
      throw error
    },
  )
  await pinned.query(DROP_STAND_INS)
  await pinned.releaseSavepoint(RUN)
  return answer
}

/** Runs it in the companion, in the client's transaction. */
export async function runTemporary(state: SessionState, bound: RunnableStatement): Promise<Answer> {
  const { statement, described, params, resultFormats } = bound
  const isUtility = !ROWS_ALONE.has(statement.category)
  if (isUtility && state.block.characteristics.readOnly)
    throw readOnlyViolation(commandName(statement))
  const temporary = await TemporaryTables.of(state)
  await temporary.join(state)
  state.block.noteQuery()
  const companions = await companionText(state, statement, false)
  const request = {
    paramTypes: described.paramTypes,
    paramFormats: params.formats,
    params: params.values,
    resultFormats,
    session: impatientBesideDdl(state),
    signal: state.scope.signal,
  }
  const defined = isUtility ? definedText(state, companions) : companions.text
  const text = CALLING.has(statement.category)
    ? await textWithSessionValues(state, defined, NONE, isToldBeside)
    : defined
  const isCalling = CALLING.has(statement.category) && callsPerformed(text, companions.node)
  const running = isCalling
    ? executeWithCalls(state, temporary.pinned, { ...request, text })
    : temporary.pinned.execute({ ...request, text })
  const answer = await running.catch(async (error: unknown) => {
    throw (
      lockedByOwnDdl(state, error) ?? (await uncommittedType(state, error)) ?? withoutMark(error)
    )
  })
  for (const notice of answer.notices) state.notice(notice)
  if (answer.touchedUserTables) throw besideTables()
  if (isUtility) temporary.changed(onCommit(statement.node))
  const counted = /^(SELECT) \d+$/.exec(answer.tag)
  return {
    fields: described.fields,
    rows: described.fields === undefined ? undefined : readyRows(answer.rows),
    tag: (rowCount) =>
      counted === null || described.fields === undefined ? answer.tag : `SELECT ${rowCount}`,
  }
}
