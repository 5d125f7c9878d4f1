import t from 'tap'
import { TransactionBlock } from '../../server/transaction/transaction-block.ts'
import { WriterQueue } from '../../server/transaction/writer-queue.ts'
import { aborted, FakeDatabase } from '../helpers/fake-backend.ts'

const options = { timeoutMs: 1000, signal: new AbortController().signal }
const select = {
  command: 'SELECT',
  isDml: false,
  returnsRows: true,
  locksRows: false,
  isOrdered: false,
  isSole: false,
}
const load = { locksRows: false, isSole: false, isOnly: false }
const update = { ...select, command: 'UPDATE', isDml: true, returnsRows: false }
const statement = (sql: string) => ({ sql, params: [] })

function start(writerQueue?: WriterQueue) {
  const database = new FakeDatabase()
  const ended: string[] = []
  const block = new TransactionBlock({
    database,
    writerQueue,
    defaults: () => ({ isolation: 'read committed', readOnly: false, deferrable: false }),
    lockTimeoutMs: () => 10,
    spannerOptions: () => ({
      bound: { kind: 'strong' },
      readCommittedRunsAs: 'serializable',
      request: {},
      directedRead: undefined,
      readLockMode: undefined,
      transactionTag: undefined,
      excludeFromChangeStreams: false,
      maxCommitDelayMs: undefined,
      returnCommitStats: false,
    }),
    retriesAborts: () => true,
    onEnd: (outcome) => ended.push(outcome),
    savepointListener: {
      savepoint: (level) => ended.push(`savepoint ${level}`),
      release: (level) => ended.push(`release ${level}`),
      rollbackTo: (level) => ended.push(`rollback to ${level}`),
    },
    connId: 1,
  })
  return { block, database, ended }
}

t.test('a sole read is single-use and needs no commit', async (t) => {
  const { block, database, ended } = start()
  block.startStatement()
  await block.execute(statement('q'), { ...select, isSole: true }, options)
  await block.commit(options)
  t.strictSame(database.calls, ['single-use q'])
  t.strictSame(ended, ['committed'])
  t.equal(block.status, 'I')
})

t.test(
  'a sole query that draws from a sequence is committed, and none where only reads are allowed',
  async (t) => {
    const { block, database } = start()
    block.startStatement()
    const drawing = { ...select, draws: 'with rows', isSole: true } as const
    await (await block.execute(statement('q'), drawing, options)).next()
    await block.commit(options)
    t.strictSame(database.calls, ['read-write q', 'row', 'row', 'commit'])
    const readOnly = start()
    readOnly.block.begin({ ...block.characteristics, readOnly: true })
    await t.rejects(readOnly.block.execute(statement('q'), drawing, options), {
      code: '25006',
      message: 'cannot execute nextval() in a read-only transaction',
    })
    t.strictSame(readOnly.database.calls, [])
  },
)

t.test('loads of a sole statement share a read-only transaction', async (t) => {
  const { block, database, ended } = start()
  block.startStatement()
  for (const sql of ['a', 'b']) {
    const stream = await block.load(statement(sql), { ...load, isSole: true }, options)
    while ((await stream.next()) !== undefined);
  }
  await block.commit(options)
  t.strictSame(database.begun, ['read-only'])
  t.strictSame(database.calls, [
    ...['read-only a', 'row', 'row'],
    ...['read-only b', 'row', 'row', 'commit'],
  ])
  t.strictSame(ended, ['committed'])
})

t.test(
  'loads join the transaction of their block; locking ones need one that writes',
  async (t) => {
    const { block, database } = start()
    block.begin(block.characteristics)
    await (await block.execute(statement('u'), update, options)).next()
    await (await block.load(statement('a'), load, options)).next()
    t.strictSame(database.calls, ['read-write u', 'row', 'row', 'read-write a', 'row', 'row'])

    const sole = start()
    sole.block.startStatement()
    await (
      await sole.block.load(statement('a'), { ...load, locksRows: true, isSole: true }, options)
    ).next()
    t.strictSame(sole.database.calls, ['read-write a', 'row', 'row'])

    const readOnly = start()
    readOnly.block.begin({ ...block.characteristics, readOnly: true })
    await t.rejects(readOnly.block.load(statement('a'), { ...load, locksRows: true }, options), {
      code: '25006',
    })
    await (await readOnly.block.load(statement('a'), load, options)).next()
    t.strictSame(readOnly.database.calls, ['read-only a', 'row'])
  },
)

t.test('a half-read stream is drained before the next statement', async (t) => {
  const { block, database } = start()
  block.begin(block.characteristics)
  const first = await block.execute(statement('a'), select, options)
  await first.next()
  await (await block.execute(statement('b'), select, options)).next()
  t.strictSame(database.calls, ['read-write a', 'row', 'row', 'read-write b', 'row', 'row'])
  t.ok(await first.next(), 'the rest is served from memory')
  t.equal(await first.next(), undefined)
})

t.test('BEGIN; COMMIT sends nothing', async (t) => {
  const { block, database } = start()
  block.begin(block.characteristics)
  t.equal(block.status, 'T')
  await block.commit(options)
  t.strictSame(database.calls, [])
})

t.test('a failed statement fails an explicit block and ends an implicit one', async (t) => {
  const { block, database, ended } = start()
  block.begin(block.characteristics)
  await block.execute(statement('u'), update, options)
  await block.fail()
  t.equal(block.status, 'E')
  t.ok(database.calls.includes('rollback'), 'Spanner does not wait for the client')
  t.strictSame(ended, [])
  await block.rollback()
  t.equal(block.status, 'I')
  block.startStatement()
  await block.fail()
  t.strictSame(ended, ['rolled-back', 'rolled-back'])
})

t.test('a read-only transaction refuses writes with 25006', async (t) => {
  const { block, database } = start()
  block.begin({ ...block.characteristics, readOnly: true })
  await block.execute(statement('q'), select, options)
  await t.rejects(block.execute(statement('u'), update, options), {
    code: '25006',
    message: 'cannot execute UPDATE in a read-only transaction',
  })
  t.strictSame(database.calls, ['read-only q'])
})

t.test(
  'a failed commit rolls back; an aborted implicit one stays open to be run again',
  async (t) => {
    const explicit = start()
    explicit.block.begin(explicit.block.characteristics)
    await explicit.block.execute(statement('u'), update, options)
    explicit.database.failures.set('commit', new Error('lost'))
    await t.rejects(explicit.block.commit(options), { message: 'lost' })
    t.equal(explicit.block.state, 'idle')

    const implicit = start()
    implicit.block.startStatement()
    await implicit.block.execute(statement('u'), update, options)
    implicit.database.failures.set('commit', aborted())
    await t.rejects(implicit.block.commit(options), { message: 'aborted' })
    t.equal(implicit.block.state, 'implicit')
    await implicit.block.restart()
    await implicit.block.execute(statement('u'), update, options)
    await implicit.block.commit(options)
    t.equal(implicit.database.calls.filter((call) => call === 'read-write u').length, 2)
  },
)

t.test('the place in the writer queue is given back however the transaction ends', async (t) => {
  const queue = new WriterQueue()
  for (const end of ['commit', 'rollback', 'fail'] as const) {
    const { block } = start(queue)
    block.begin(block.characteristics)
    await block.execute(statement('u'), update, options)
    const other = start(queue)
    other.block.begin(other.block.characteristics)
    await t.rejects(other.block.execute(statement('v'), update, options), { code: '55P03' })
    if (end === 'commit') await block.commit(options)
    else await block[end]()
    await t.resolves(other.block.execute(statement('v'), update, options), end)
    await other.block.rollback()
  }
})

t.test('DDL takes effect after the rows, and goes with ROLLBACK', async (t) => {
  const { block, database } = start()
  const participant = {
    commit: async () => {
      database.calls.push('ddl commit')
    },
    rollback: async () => {
      database.calls.push('ddl rollback')
    },
    savepoint: async (level: number) => {
      database.calls.push(`ddl savepoint ${level}`)
    },
    release: async (level: number) => {
      database.calls.push(`ddl release ${level}`)
    },
    rollbackTo: async (level: number) => {
      database.calls.push(`ddl rollback to ${level}`)
    },
  }
  block.begin(block.characteristics)
  await block.enlist(participant)
  await block.execute(statement('u'), update, options)
  await block.commit(options)
  t.strictSame(database.calls.slice(-2), ['commit', 'ddl commit'])
  block.begin(block.characteristics)
  await block.enlist(participant)
  await block.rollback()
  t.equal(database.calls.at(-1), 'ddl rollback')
})

t.test('savepoints: a failed transaction goes on after ROLLBACK TO', async (t) => {
  const { block, database, ended } = start()
  block.begin(block.characteristics)
  await block.execute(statement('u'), update, options)
  await block.savepoint('a')
  await block.savepoint('b')
  await block.savepoint('a')
  await block.fail()
  t.equal(block.status, 'E')
  t.notOk(database.calls.includes('rollback'), 'the savepoint may want it back')
  await block.rollbackTo('a')
  t.equal(block.status, 'T')
  await block.release('a')
  await block.rollbackTo('a')
  await t.rejects(block.rollbackTo('b'), {
    code: '3B001',
    message: 'savepoint "b" does not exist',
  })
  await block.commit(options)
  t.strictSame(ended, [
    'savepoint 1',
    'savepoint 2',
    'savepoint 3',
    'rollback to 3',
    'release 3',
    'rollback to 1',
    'committed',
  ])
})

t.test('DDL follows savepoints, those too that were there before it', async (t) => {
  const { block, database } = start()
  const note = (call: string) => async () => {
    database.calls.push(call)
  }
  block.begin(block.characteristics)
  await block.savepoint('a')
  await block.enlist({
    commit: note('commit'),
    rollback: note('rollback'),
    savepoint: (level) => note(`savepoint ${level}`)(),
    release: (level) => note(`release ${level}`)(),
    rollbackTo: (level) => note(`rollback to ${level}`)(),
  })
  await block.savepoint('b')
  await block.rollbackTo('a')
  t.strictSame(database.calls, ['savepoint 1', 'savepoint 2', 'rollback to 1'])
})
