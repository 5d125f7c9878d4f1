import { Bug, PgError } from '../base/pg-error.ts'
import { SQL_STATE } from '../base/sql-state.ts'
import { advanceSequence } from '../schema/advance-sequence.ts'
import type { Sequence } from '../schema/logical-schema.ts'
import { readOnlyViolation } from '../transaction/transaction-block.ts'
import { splitDataRow } from '../wire/data-row.ts'
import { notSupported } from './client-error.ts'
import { textOf } from './record-draws.ts'
import { currvalUndefined, lastvalUndefined, unseenDraw } from './session-sequences.ts'
import type { SessionState } from './session-state.ts'
import { knownValue, lastSequence } from './session-values.ts'
import { catalogSource } from './temporary-tables.ts'

type Args = readonly (string | null)[]

/** nextval(): draws at Spanner, in the client's transaction. */
export async function nextval(state: SessionState, [name]: Args): Promise<string | null> {
  if (name === null) return null
  const sequence = await findSequence(state, name ?? '')
  const stream = await state.block.execute(
    { sql: `SELECT ${sequence.nextvalSql}`, params: [] },
    {
      command: 'nextval()',
      isDml: false,
      returnsRows: true,
      locksRows: true,
      isOrdered: false,
      drawsValues: true,
      isSole: false,
    },
    state.scope.callOptions(),
  )
  const batch = await stream.next()
  if (batch === undefined || batch.rowCount === 0) throw new Bug('no value from a sequence')
  const value = textOf(batch.bytes.subarray(batch.starts[0], batch.ends[0]))
  while ((await stream.next()) !== undefined);
  state.sequences.drew(sequence.oid, { kind: 'known', value })
  return value
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

/** The sequence that a text names as a regclass. */
async function findSequence(state: SessionState, name: string): Promise<Sequence> {
  const answer = await catalogSource(state).read({
    text: 'SELECT r::pg_catalog.oid, coalesce((SELECT relname FROM pg_catalog.pg_class WHERE oid = r), $1) FROM (SELECT $1::pg_catalog.text::pg_catalog.regclass) AS s(r)',
    paramTypes: [25],
    paramFormats: [],
    params: [Buffer.from(name)],
    resultFormats: [],
    session: state.context(),
    signal: state.scope.signal,
  })
  const [row] = answer.rows
  const [oid, ownName] = row === undefined ? [] : splitDataRow(row)
  const sequence = state.database.schema.current.sequences.get(Number(oid?.toString()))
  if (sequence !== undefined) return sequence
  if (state.ddl !== undefined) {
    throw notSupported('a sequence in the transaction that made it', 'Commit before.')
  }
  throw new PgError(SQL_STATE.wrongObjectType, `"${ownName?.toString()}" is not a sequence`)
}
