import t from 'tap'
import type { RowStream } from '../../server/backend/backend.ts'
import { BackendError } from '../../server/backend/backend-error.ts'
import type { Capabilities } from '../../server/backend/capabilities.ts'
import type { IsolationLevel } from '../../server/transaction/characteristics.ts'
import { ReplayedTransaction } from '../../server/transaction/replayed-transaction.ts'
import { MAX_HELD_BYTES } from '../../server/transaction/replaying-stream.ts'
import type { StatementTraits } from '../../server/transaction/statement-traits.ts'
import { aborted } from '../helpers/fake-backend.ts'
import { type Script, ScriptedDatabase } from '../helpers/scripted-database.ts'

const options = { timeoutMs: 1000, signal: new AbortController().signal }
const statement = (sql: string) => ({ sql, params: [] })
const select = {
  command: 'SELECT',
  isDml: false,
  returnsRows: true,
  locksRows: false,
  isOrdered: false,
  isSole: false,
}
const locking = { ...select, locksRows: true }
const ordered = { ...select, isOrdered: true }
const returning = { ...select, command: 'UPDATE', isDml: true }
const update = { ...returning, returnsRows: false }

const duplicateKey = new BackendError('duplicate', {
  failure: { kind: 'unique-violation', table: 't', key: ['1'] },
  grpcCode: 6,
})

const givenUp = new BackendError('given up', { failure: { kind: 'cancelled' }, grpcCode: 1 })

function start(
  script: Script,
  isolation: IsolationLevel = 'serializable',
  capabilities: Partial<Capabilities> = {},
) {
  const database = new ScriptedDatabase(script, capabilities)
  const transaction = new ReplayedTransaction({
    database,
    begin: { isolation: 'serializable' },
    isolation,
    mayReplay: () => true,
    writerQueue: undefined,
    lockTimeoutMs: () => 1000,
  })
  const run = (sql: string, traits: StatementTraits) =>
    readAll(transaction.execute(statement(sql), traits, options))
  return { database, transaction, run }
}

async function readAll(stream: RowStream): Promise<string[]> {
  const rows: string[] = []
  for (let batch = await stream.next(); batch !== undefined; batch = await stream.next()) {
    rows.push(batch.bytes.toString())
  }
  return rows
}

/** The first attempt's Commit is aborted; `later` answers in the attempts after it. */
function commitAbortedOnce(first: Script, later: Script = first): Script {
  return (sql, attempt) => {
    if (sql === 'commit') return attempt === 1 ? { error: aborted() } : {}
    return attempt === 1 ? first(sql, attempt) : later(sql, attempt)
  }
}

t.test('an aborted commit runs the log again, DML without rows in one batch', async (t) => {
  const { database, transaction, run } = start(
    commitAbortedOnce((sql) => (sql.startsWith('u') ? { count: 1n } : { rows: ['a', 'b'] })),
  )
  await run('q', select)
  await run('u1', update)
  await run('u2', update)
  await transaction.commit(options)
  t.strictSame(database.calls, [
    'begin 1',
    '1: q',
    '1: u1',
    '1: u2',
    '1: commit',
    '1: rollback',
    'begin 2 again',
    '2: q',
    '2: [u1, u2]',
    '2: commit',
  ])
})

t.test('rows may come in another order where the plan does not fix it', async (t) => {
  const script = commitAbortedOnce(
    () => ({ rows: ['a', 'b', 'b'] }),
    () => ({ rows: ['b', 'a', 'b'] }),
  )
  const free = start(script)
  await free.run('q', select)
  await t.resolves(free.transaction.commit(options))
  const fixed = start(script)
  await fixed.run('q', ordered)
  await t.rejects(fixed.transaction.commit(options), { code: '40001' })
})

t.test('a read compares equal once values were written that Spanner draws', async (t) => {
  const moved = commitAbortedOnce(
    () => ({ rows: ['1'], count: 1n }),
    () => ({ rows: ['2'], count: 1n }),
  )
  const drawing = { ...update, writesDrawn: true }
  const before = start(moved, 'read committed')
  await before.run('q', select)
  await before.run('i', drawing)
  await t.resolves(before.transaction.commit(options), 'what was read before')
  const after = start(moved, 'read committed')
  await after.run('i', drawing)
  await after.run('q', select)
  await t.rejects(after.transaction.commit(options), { code: '40001' })
  const inBatch = start(moved, 'read committed')
  await inBatch.transaction.executeBatch([statement('i')], {
    ...options,
    written: [],
    writesDrawn: true,
  })
  await inBatch.run('q', select)
  await t.rejects(inBatch.transaction.commit(options), { code: '40001' })
  const bound = start(moved, 'read committed')
  await bound.run('i', { ...drawing, again: () => statement('i with its values') })
  await bound.run('q', select)
  await t.resolves(bound.transaction.commit(options), 'the same values are written again')
})

t.test('what must compare equal depends on the isolation level', async (t) => {
  const moved = commitAbortedOnce(
    (sql) => ({ rows: [sql, '1'], count: 1n }),
    (sql) => ({ rows: [sql, '2'], count: 1n }),
  )
  const refused = {
    code: '40001',
    message: 'could not serialize access due to read/write dependencies among transactions',
  }
  const cases: readonly [IsolationLevel, typeof select, boolean][] = [
    ['read uncommitted', select, true],
    ['read committed', select, true],
    ['read committed', locking, false],
    ['read committed', returning, false],
    ['repeatable read', select, false],
    ['serializable', select, false],
  ]
  for (const [isolation, traits, isFree] of cases) {
    const { database, transaction, run } = start(moved, isolation)
    await run('q', traits)
    const name = `${isolation}, ${JSON.stringify(traits)}`
    if (isFree) {
      await t.resolves(transaction.commit(options), name)
      t.notOk(database.calls.includes('2: q'), 'what need not be the same is not even read again')
    } else if (isolation === 'serializable') {
      await t.rejects(transaction.commit(options), refused, name)
    } else await t.rejects(transaction.commit(options), { code: '40001' }, name)
  }
})

t.test('a count that changed is 40001 at every level', async (t) => {
  const script = commitAbortedOnce(
    () => ({ count: 2n }),
    () => ({ count: 3n }),
  )
  const { transaction, run } = start(script, 'read committed')
  await run('u', update)
  await t.rejects(transaction.commit(options), {
    code: '40001',
    message: 'could not serialize access due to concurrent update',
    fields: {
      detail:
        'Spanner aborted the transaction, and when it was run again the count of rows had changed.',
    },
  })
})

t.test(
  'an aborted statement is run in the next attempt; nobody has seen its first answer',
  async (t) => {
    const { database, run } = start((sql, attempt) =>
      sql === 'u' && attempt < 3 ? { error: aborted() } : { rows: [`${sql}${attempt}`], count: 1n },
    )
    t.strictSame(await run('q', select), ['q1'])
    t.strictSame(await run('r', { ...update, isDml: true }), ['r1'])
    // The read of the first attempt must come again, and does not.
    await t.rejects(run('u', update), { code: '40001' })
    const free = start((sql, attempt) =>
      sql === 'u' && attempt < 3 ? { error: aborted() } : { rows: [`${attempt}`], count: 1n },
    )
    t.strictSame(await free.run('u', returning), ['3'])
    t.ok(database.calls.includes('2: q'))
  },
)

/** A first attempt that is aborted after some rows, and what comes in the next one. */
function abortedHalfway(rows: readonly string[], again: readonly string[]): Script {
  return (_sql, attempt) => (attempt === 1 ? { rows, error: aborted() } : { rows: again })
}

t.test('a long stream that is aborted goes on after the rows that were handed on', async (t) => {
  const [a = '', b = '', c = '', d = ''] = ['a', 'b', 'c', 'd'].map((row) =>
    row.repeat(MAX_HELD_BYTES + 1),
  )
  const inOrder = start(abortedHalfway([a, b], [a, b, c, d]))
  t.strictSame(await inOrder.run('q', ordered), [a, b, c, d])
  const shuffled = start(abortedHalfway([a, b], [d, b, c, a, b]))
  t.strictSame(await shuffled.run('q', select), [a, b, d, c, b])
  const gone = start(abortedHalfway([a, b], [a, c, d]), 'read committed')
  await t.rejects(gone.run('q', select), { code: '40001' })
  const before = start(abortedHalfway([b], [a, b]))
  await t.rejects(before.run('q', ordered), { code: '40001' }, 'a row would come too late')
})

t.test('a short one begins anew: nobody has seen anything of it', async (t) => {
  for (const isolation of ['read committed', 'serializable'] as const) {
    const { run } = start(abortedHalfway(['a', 'b'], ['c']), isolation)
    t.strictSame(await run('q', ordered), ['c'])
  }
})

t.test('a stream that the client gave up half-way must show the same rows again', async (t) => {
  const again = (rows: readonly string[]) =>
    commitAbortedOnce(
      () => ({ rows: ['a', 'b', 'c'] }),
      () => ({ rows }),
    )
  for (const [rows, isSame] of [
    [['c', 'a'], true],
    [['b', 'c'], false],
  ] as const) {
    const { transaction } = start(again(rows))
    const stream = transaction.execute(statement('q'), select, options)
    await stream.next()
    stream.cancel()
    if (isSame) await t.resolves(transaction.commit(options))
    else await t.rejects(transaction.commit(options), { code: '40001' })
  }
})

t.test('an error that the client was told must come again', async (t) => {
  const first: Script = (sql) => (sql === 'u' ? { error: duplicateKey } : { count: 1n })
  const same = start(commitAbortedOnce(first))
  await t.rejects(same.run('u', update), duplicateKey)
  await same.run('v', update)
  await same.transaction.commit(options)
  t.ok(same.database.calls.includes('2: u'))
  const gone = start(commitAbortedOnce(first, () => ({ count: 1n })))
  await t.rejects(gone.run('u', update), duplicateKey)
  await t.rejects(gone.transaction.commit(options), { code: '40001' })
})

t.test('rolling back to a savepoint costs nothing where nothing was changed since', async (t) => {
  const { database, transaction, run } = start((sql) =>
    sql === 'none' ? { count: 0n } : { rows: ['a'], count: 1n },
  )
  await run('u', update)
  const mark = transaction.mark()
  await run('q', select)
  await run('none', update)
  await transaction.rollbackTo(mark)
  await transaction.commit(options)
  t.strictSame(database.calls, ['begin 1', '1: u', '1: q', '1: none', '1: commit'])
})

t.test(
  'rolling back changes runs what came before again, when the next call needs it',
  async (t) => {
    const { database, transaction, run } = start(() => ({ rows: ['a'], count: 1n }))
    await run('u', update)
    const mark = transaction.mark()
    await run('q', select)
    await run('v', update)
    await run('r', select)
    await transaction.rollbackTo(mark)
    t.strictSame(database.calls.slice(-2), ['1: r', '1: rollback'])
    await run('w', update)
    await transaction.commit(options)
    t.strictSame(
      database.calls.slice(6),
      ['begin 2 again', '2: [u]', '2: q', '2: w', '2: commit'],
      'what was seen before the change stays seen',
    )
  },
)

t.test('a failed statement ends the attempt where Spanner would repeat its error', async (t) => {
  const script: Script = (sql) => (sql === 'bad' ? { error: duplicateKey } : { count: 1n })
  const { database, transaction, run } = start(script, 'read committed', {
    survivesStatementError: false,
  })
  await run('u', update)
  const mark = transaction.mark()
  await t.rejects(run('bad', update), duplicateKey)
  await transaction.rollbackTo(mark)
  await transaction.commit(options)
  t.strictSame(database.calls, [
    'begin 1',
    '1: u',
    '1: bad',
    '1: rollback',
    'begin 2 again',
    '2: [u]',
    '2: commit',
  ])
})

t.test('values that were drawn are not drawn again', async (t) => {
  const { database, transaction, run } = start(
    commitAbortedOnce((sql) => (sql === 'u' ? { count: 1n } : { rows: ['17'] })),
  )
  await run('nextval', { ...locking, draws: 'only' } as typeof select)
  await run('u', update)
  await transaction.commit(options)
  t.notOk(database.calls.includes('2: nextval'))
})

t.test('what Spanner drew in a statement is bound when it runs again', async (t) => {
  const { database, transaction } = start(commitAbortedOnce(() => ({ rows: ['17'], count: 1n })))
  const stream = transaction.execute(
    statement('insert'),
    {
      ...returning,
      again: (rows) => statement(`insert with ${rows.cells()?.[0]?.[0]?.toString()}`),
    },
    options,
  )
  await readAll(stream)
  await transaction.commit(options)
  t.strictSame(database.calls.slice(-2), ['2: insert with 17', '2: commit'])
})

t.test('a transaction that is aborted without end gives up with 40001', async (t) => {
  const { database, transaction, run } = start((sql) =>
    sql === 'commit' ? { error: aborted() } : { count: 1n },
  )
  await run('u', update)
  await t.rejects(transaction.commit(options), {
    code: '40001',
    fields: { detail: /^Spanner aborted the transaction 100 times within \d+ ms\.$/ },
  })
  t.equal(database.calls.filter((call) => call.endsWith('commit')).length, 100)
})

t.test('a batch is logged as far as it ran', async (t) => {
  const { database, transaction } = start(
    commitAbortedOnce((sql) => (sql === 'c' ? { error: duplicateKey } : { count: 1n })),
  )
  const result = await transaction.executeBatch(['a', 'b', 'c', 'd'].map(statement), {
    ...options,
    written: [],
  })
  t.strictSame(result, { rowCounts: [1n, 1n], error: duplicateKey })
  await transaction.commit(options)
  t.strictSame(database.calls.slice(-3), ['begin 2 again', '2: [a, b, c, d]', '2: commit'])
})

t.test('what a batch did that was given up half-way is not committed', async (t) => {
  const { database, transaction, run } = start((sql) =>
    sql === 'slow' ? { error: givenUp } : { count: 1n },
  )
  await run('u1', update)
  const mark = transaction.mark()
  await t.rejects(
    transaction.executeBatch([statement('u2'), statement('slow')], { ...options, written: [] }),
    givenUp,
  )
  await transaction.rollbackTo(mark)
  await transaction.commit(options)
  t.strictSame(database.calls, [
    'begin 1',
    '1: u1',
    '1: [u2, slow]',
    '1: rollback',
    'begin 2 again',
    '2: [u1]',
    '2: commit',
  ])
})

t.test('keeping alive is a call that the log knows nothing of', async (t) => {
  const { database, transaction, run } = start((sql, attempt) =>
    sql === 'SELECT 1' && attempt === 2 ? { error: aborted() } : { count: 1n },
  )
  await transaction.keepAlive(options)
  t.strictSame(database.calls, [], 'nothing was begun')
  await run('u1', update)
  await transaction.keepAlive(options)
  await transaction.rollbackTo(0)
  await run('u2', update)
  await transaction.keepAlive(options)
  await transaction.commit(options)
  t.strictSame(database.calls, [
    'begin 1',
    '1: u1',
    '1: SELECT 1',
    '1: rollback',
    'begin 2 again',
    '2: u2',
    '2: SELECT 1',
    '2: rollback',
    'begin 3 again',
    '3: [u2]',
    '3: commit',
  ])
})

t.test('a replay that is given up half-way is begun anew', async (t) => {
  const { database, transaction, run } = start((sql, attempt) =>
    sql === 'q' && attempt === 2 ? { error: givenUp } : { rows: ['1'], count: 1n },
  )
  await run('q', select)
  await run('u1', update)
  const mark = transaction.mark()
  await run('u2', update)
  await transaction.rollbackTo(mark)
  await t.rejects(run('u3', update), givenUp)
  await transaction.rollbackTo(mark)
  await transaction.commit(options)
  t.strictSame(database.calls.slice(4), [
    '1: rollback',
    'begin 2 again',
    '2: q',
    '2: rollback',
    'begin 3 again',
    '3: q',
    '3: [u1]',
    '3: commit',
  ])
})

t.test('without leave to replay, ABORTED is thrown', async (t) => {
  const database = new ScriptedDatabase(() => ({ error: aborted() }))
  const transaction = new ReplayedTransaction({
    database,
    begin: { isolation: 'serializable' },
    isolation: 'serializable',
    mayReplay: () => false,
    writerQueue: undefined,
    lockTimeoutMs: () => 1000,
  })
  const stream = transaction.execute(statement('u'), update, options)
  await t.rejects(stream.next(), { message: 'aborted' })
})
