import { Bug, PgError } from '../base/pg-error.ts'
import { SQL_STATE } from '../base/sql-state.ts'
import { advanceSequence } from '../schema/advance-sequence.ts'
import type { Sequence } from '../schema/logical-schema.ts'
import type { StatementTraits } from '../transaction/statement-traits.ts'
import { readOnlyViolation } from '../transaction/transaction-block.ts'
import { textOf } from './record-draws.ts'
import { beforeRows } from './run-ddl.ts'
import { currvalUndefined, lastvalUndefined, unseenDraw } from './session-sequences.ts'
import type { SessionState } from './session-state.ts'
import { knownValue, lastSequence } from './session-values.ts'
import { readTexts } from './text-request.ts'

type Args = readonly (string | null)[]

/** nextval(): draws at Spanner, in the client's transaction. */
export async function nextval(state: SessionState, [name]: Args): Promise<string | null> {
  if (name === null) return null
  const [value] = await drawValues(state, await findSequence(state, name ?? ''), 1)
  return value ?? null
}

/** nextval() for each of some rows: of one sequence, all are drawn together. */
export async function nextvalForRows(
  state: SessionState,
  rows: readonly Args[],
): Promise<readonly (string | null)[]> {
  const [first] = rows
  if (first === undefined || first[0] === null || rows.some(([name]) => name !== first[0])) {
    const values: (string | null)[] = []
    for (const row of rows) values.push(await nextval(state, row))
    return values
  }
  return drawValues(state, await findSequence(state, first[0] ?? ''), rows.length)
}

/** The next values of the sequence that a text names. */
export async function drawFor(
  state: SessionState,
  name: string,
  count: number,
): Promise<readonly string[]> {
  return drawValues(state, await findSequence(state, name), count)
}

/** Of what was drawn together, a part was given: that is what the session has drawn. */
export async function noteDrawn(state: SessionState, name: string, value: string): Promise<void> {
  state.sequences.drew((await findSequence(state, name)).oid, { kind: 'known', value })
}

/** Values that one statement draws. */
const MAX_DRAWN = 1_000

async function drawValues(
  state: SessionState,
  { oid, nextvalSql }: Sequence,
  count: number,
): Promise<readonly string[]> {
  const values: string[] = []
  while (values.length < count) {
    const wanted = Math.min(count - values.length, MAX_DRAWN)
    const rows = `unnest(ARRAY[${new Array<number>(wanted).fill(0).join(',')}])`
    const sql = `SELECT ${nextvalSql}${wanted === 1 ? '' : ` FROM ${rows} AS n`}`
    const stream = await state.block.execute({ sql, params: [] }, DRAW, state.scope.callOptions())
    const before = values.length
    for (let batch = await stream.next(); batch !== undefined; batch = await stream.next()) {
      for (let row = 0; row < batch.rowCount; row++)
        values.push(textOf(batch.bytes.subarray(batch.starts[row], batch.ends[row])))
    }
    if (values.length !== before + wanted) throw new Bug('no value from a sequence')
  }
  const value = values.at(-1)
  if (value !== undefined) state.sequences.drew(oid, { kind: 'known', value })
  return values
}

const DRAW: StatementTraits = {
  command: 'SELECT',
  isDml: false,
  returnsRows: true,
  locksRows: false,
  isOrdered: false,
  draws: 'only',
  isSole: false,
}

/** currval(). */
export async function currval(state: SessionState, [name]: Args): Promise<string | null> {
  if (name === null) return null
  const { oid, name: ownName } = await findSequence(state, name ?? '')
  if (state.sequences.find(oid) === undefined) throw currvalUndefined(ownName)
  return demandKnown(state, oid)
}

/** lastval(). */
export function lastval(state: SessionState): string {
  const sequence = lastSequence(state)
  if (sequence === undefined) throw lastvalUndefined()
  return demandKnown(state, sequence)
}

function demandKnown(state: SessionState, sequence: number): string {
  const value = knownValue(state, sequence)
  if (value === undefined) throw unseenDraw()
  return value
}

/** setval(): later values are not among those up to this one. It waits for COMMIT: Spanner takes it for a change of the schema. */
export async function setval(
  state: SessionState,
  [name, value, isCalled = 'true']: Args,
): Promise<string | null> {
  if (name === null || value === null || value === undefined || isCalled === null) return null
  const { block, database, sequences } = state
  if (block.characteristics.readOnly) throw readOnlyViolation('setval()')
  const sequence = await findSequence(state, name ?? '')
  const { min, max } = sequence.declared
  const wanted = BigInt(value)
  if (wanted < BigInt(min) || wanted > BigInt(max)) {
    throw new PgError(
      SQL_STATE.numericValueOutOfRange,
      `setval: value ${value} is out of bounds for sequence "${sequence.name}" (${min}..${max})`,
    )
  }
  const hasGivenIt = isCalled.startsWith('t')
  if (hasGivenIt) sequences.set(sequence.oid, value)
  const last = hasGivenIt ? wanted : wanted - 1n
  await block.enlist({
    ...NOTHING_TO_UNDO,
    commit: (options) => advanceSequence(database.backend, sequence, last, options),
  })
  return value
}

/** PostgreSQL's setval() is no part of its transaction either. */
const NOTHING_TO_UNDO = {
  rollback: async () => undefined,
  savepoint: async () => undefined,
  release: async () => undefined,
  rollbackTo: async () => undefined,
}

/** A sequence that the open transaction has made: to draw from it, Spanner must have it. */
async function declared(state: SessionState, oid: number): Promise<Sequence | undefined> {
  await beforeRows(state)
  return state.schema.sequences.get(oid)
}

/** The sequence that a text names as a regclass. */
async function findSequence(state: SessionState, name: string): Promise<Sequence> {
  const [row] = await readTexts(
    state,
    'SELECT r::pg_catalog.oid, coalesce((SELECT relname FROM pg_catalog.pg_class WHERE oid = r), $1) FROM (SELECT $1::pg_catalog.text::pg_catalog.regclass) AS s(r)',
    [name],
  )
  const [oid, ownName = ''] = row ?? []
  const sequence = state.schema.sequences.get(Number(oid)) ?? (await declared(state, Number(oid)))
  if (sequence !== undefined) return sequence
  throw new PgError(SQL_STATE.wrongObjectType, `"${ownName}" is not a sequence`)
}
