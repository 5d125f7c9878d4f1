import tap from 'tap'
import { until } from '../helpers/until.ts'
import {
  askPostgres,
  connectTo,
  failure,
  failureText,
  READ_ONLY,
  READ_WRITE,
  type RunOptions,
  startTestServer,
} from './embedded-client.ts'

const server = await startTestServer()
const client = await connectTo(server, 'transactions')
tap.teardown(async () => {
  client.close()
  await server.remove()
})
await client.ddl(
  'CREATE TABLE n (id bigint PRIMARY KEY, v bigint)',
  'CREATE TABLE seen (id bigint PRIMARY KEY, at spanner.commit_timestamp)',
)

const ABORTED = 10
const RETRY_INFO = 'google.rpc.retryinfo-bin'

async function reset(...rows: readonly (readonly [number, number])[]): Promise<void> {
  await client.write('DELETE FROM n')
  for (const [id, v] of rows) await client.write(`INSERT INTO n (id, v) VALUES (${id}, ${v})`)
}

async function values(): Promise<unknown> {
  return (await client.run('SELECT id, v FROM n ORDER BY id')).rows
}

/** A transaction on a session of its own. */
async function open(sql = 'SELECT 1', given: RunOptions = {}) {
  const session = await client.newSession()
  const first = await client.run(sql, { in: READ_WRITE, ...given, session, seqno: 1 })
  let seqno = 1
  const id = first.transaction
  return {
    session,
    id,
    first,
    run: (next: string, options: RunOptions = {}) =>
      client.run(next, { session, in: id, seqno: ++seqno, ...options }),
    commit: () => client.call('commit', { session, transactionId: id }),
    rollback: () => client.call('rollback', { session, transactionId: id }),
  }
}

tap.test('a transaction sees its own writes, others do not until it commits', async (t) => {
  await reset([1, 1])
  const transaction = await open('UPDATE n SET v = 2 WHERE id = 1')
  t.strictSame((await transaction.run('SELECT v FROM n')).rows, [['2']])
  t.strictSame(await values(), [['1', '1']])
  const { commitTimestamp } = await transaction.commit()
  t.ok(Number(commitTimestamp.seconds) > 1_600_000_000)
  t.strictSame(await values(), [['1', '2']])
  t.strictSame(
    (await transaction.commit()).commitTimestamp,
    commitTimestamp,
    'a second Commit has the same answer',
  )
  const later = await open('UPDATE n SET v = 3 WHERE id = 1')
  const next = (await later.commit()).commitTimestamp
  t.ok(micros(next) > micros(commitTimestamp), 'timestamps rise')
})

function micros(timestamp: { seconds: string; nanos?: number }): number {
  return Number(timestamp.seconds) * 1_000_000 + (timestamp.nanos ?? 0) / 1000
}

tap.test('what is rolled back never was; afterwards the transaction is over', async (t) => {
  await reset([1, 1])
  const transaction = await open('UPDATE n SET v = 2 WHERE id = 1')
  await transaction.rollback()
  await transaction.rollback()
  t.strictSame(await values(), [['1', '1']])
  const over =
    '9 Cannot read or query using a transaction after it has been committed or rolledback.'
  t.equal(await failureText(transaction.run('SELECT 1')), over)
  t.equal(await failureText(transaction.commit()), over)
  const committed = await open('SELECT 1')
  await committed.commit()
  t.equal(await failureText(committed.run('SELECT 1')), over)
})

tap.test('a statement that fails leaves the transaction as it was', async (t) => {
  await reset([1, 1])
  const transaction = await open('INSERT INTO n (id, v) VALUES (2, 2)')
  t.equal(
    await failureText(transaction.run('INSERT INTO n (id, v) VALUES (1, 1)')),
    '6 Row [1] in table n already exists',
  )
  t.equal(await failureText(transaction.run('SELECT 1/0')), '11 division by zero')
  t.equal(
    await failureText(transaction.run('SELECT nope FROM n')),
    '3 column "nope" does not exist',
  )
  await transaction.run('INSERT INTO n (id, v) VALUES (3, 3)')
  t.equal(await failureText(transaction.run('UPDATE n SET v = v / (v - 3)')), '11 division by zero')
  await transaction.commit()
  t.strictSame(await values(), [
    ['1', '1'],
    ['2', '2'],
    ['3', '3'],
  ])
})

tap.test('a statement that fails before it is sent leaves it as it was, too', async (t) => {
  await reset([1, 1])
  const transaction = await open('UPDATE n SET v = 2 WHERE id = 1')
  const read = 'SELECT v FROM n WHERE id = $1'
  await client.run(read, { params: ['1'], types: ['INT64'] })
  const failed = transaction.run(read, { params: [true], types: ['INT64'] })
  t.equal(await failureText(failed), '9 Invalid value for bind parameter p1: Expected INT64.')
  t.strictSame((await transaction.run(read, { params: ['1'], types: ['INT64'] })).rows, [['2']])
  await transaction.commit()
  t.strictSame(await values(), [['1', '2']])
})

tap.test(
  'where the statement that begins fails, there is no transaction and no lock',
  async (t) => {
    await reset([1, 1])
    const session = await client.newSession()
    t.equal(
      await failureText(
        client.run('INSERT INTO n (id, v) VALUES (1, 1)', { in: READ_WRITE, session, seqno: 1 }),
      ),
      '6 Row [1] in table n already exists',
    )
    const begun = await client.call('beginTransaction', { session, options: { readWrite: {} } })
    await client.run('UPDATE n SET v = 7 WHERE id = 1', { in: begun.id, session, seqno: 1 })
    await client.call('commit', { session, transactionId: begun.id })
    t.strictSame(await values(), [['1', '7']])
  },
)

tap.test('a lost update is ABORTED, with the delay to wait', async (t) => {
  await reset([1, 1])
  const one = await open('SELECT v FROM n WHERE id = 1')
  const two = await open('SELECT v FROM n WHERE id = 1')
  await one.run('UPDATE n SET v = v + 1 WHERE id = 1')
  await one.commit()
  const error = await failure(
    two.run('UPDATE n SET v = v + 1 WHERE id = 1').then(() => two.commit()),
  )
  t.equal(error.code, ABORTED)
  t.equal(error.metadata.get(RETRY_INFO).length, 1)
  t.equal(error.metadata.get('grpc-status-details-bin').length, 1)
  t.equal((await failure(two.run('SELECT 1'))).code, ABORTED, 'it stays aborted')
  t.equal((await failure(two.commit())).code, ABORTED)
  t.strictSame(await values(), [['1', '2']])
})

tap.test('write skew is ABORTED', async (t) => {
  await reset([1, 1], [2, 1])
  const one = await open('SELECT sum(v) FROM n')
  const two = await open('SELECT sum(v) FROM n')
  await one.run('UPDATE n SET v = 0 WHERE id = 1')
  const outcome = Promise.allSettled([
    two.run('UPDATE n SET v = 0 WHERE id = 2').then(() => two.commit()),
    one.commit(),
  ])
  const codes = (await outcome)
    .map((result) => (result.status === 'rejected' ? result.reason.code : 0))
    .sort()
  t.strictSame(codes, [0, ABORTED])
})

tap.test('a deadlock is ABORTED for one of the two', async (t) => {
  await reset([1, 1], [2, 1])
  const one = await open('UPDATE n SET v = 10 WHERE id = 1')
  const two = await open('UPDATE n SET v = 20 WHERE id = 2')
  const results = await Promise.allSettled([
    one.run('UPDATE n SET v = 10 WHERE id = 2').then(one.commit),
    two.run('UPDATE n SET v = 20 WHERE id = 1').then(two.commit),
  ])
  const codes = results
    .map((result) => (result.status === 'rejected' ? result.reason.code : 0))
    .sort()
  t.strictSame(codes, [0, ABORTED])
})

tap.test('concurrent increments with retries lose none', async (t) => {
  await reset([1, 0])
  const increment = async (session: string): Promise<void> => {
    for (;;) {
      try {
        await client.write('UPDATE n SET v = v + 1 WHERE id = 1', { session })
        return
      } catch (error) {
        if ((error as { code: number }).code !== ABORTED) throw error
      }
    }
  }
  await Promise.all(
    Array.from({ length: 6 }, async () => {
      const session = await client.newSession()
      for (let count = 0; count < 5; count++) await increment(session)
    }),
  )
  t.strictSame(await values(), [['1', '30']])
})

tap.test('a read-only transaction keeps its snapshot, also after an error', async (t) => {
  await reset([1, 1])
  const transaction = await open('SELECT v FROM n', { in: READ_ONLY })
  await client.write('UPDATE n SET v = 2 WHERE id = 1')
  t.strictSame((await transaction.run('SELECT v FROM n')).rows, [['1']])
  t.equal(await failureText(transaction.run('SELECT 1/0')), '11 division by zero')
  t.strictSame((await transaction.run('SELECT v FROM n')).rows, [['1']])
  t.equal(
    await failureText(transaction.commit()),
    '9 Cannot commit or rollback a read-only or partitioned-dml transaction.',
  )
  const session = await client.newSession()
  const begun = await client.call('beginTransaction', {
    session,
    options: { readOnly: { strong: true, returnReadTimestamp: true } },
  })
  t.ok(Number(begun.readTimestamp.seconds) > 1_600_000_000)
  await client.write('UPDATE n SET v = 3 WHERE id = 1')
  t.strictSame(
    (await client.run('SELECT v FROM n', { session, in: begun.id })).rows,
    [['2']],
    'the snapshot is that of the begin',
  )
})

tap.test('timestamp bounds: what the present satisfies', async (t) => {
  await reset([1, 1])
  const singleUse = (readOnly: object) =>
    client.run('SELECT v FROM n', { in: { singleUse: { readOnly } } })
  t.strictSame((await singleUse({ maxStaleness: { seconds: 10 } })).rows, [['1']])
  t.strictSame((await singleUse({ minReadTimestamp: { seconds: 1_600_000_000 } })).rows, [['1']])
  t.equal((await failure(singleUse({ exactStaleness: { seconds: 100 } }))).code, 9)
  t.match(
    await failureText(
      client.call('beginTransaction', {
        session: client.session,
        options: { readOnly: { maxStaleness: { seconds: 1 } } },
      }),
    ),
    /^3 Timestamp bound: max_staleness/,
  )
  t.equal(
    await failureText(singleUse({ exactStaleness: { seconds: -1 } })),
    '3 Staleness must be non-negative.',
  )
})

tap.test('on a regular session the next transaction ends the one before', async (t) => {
  await reset([1, 1])
  const first = await open('UPDATE n SET v = 2 WHERE id = 1')
  const second = await client.run('UPDATE n SET v = 3 WHERE id = 1', {
    in: READ_WRITE,
    session: first.session,
    seqno: 1,
  })
  t.match(await failureText(first.run('SELECT 1')), /^9 This transaction has been invalidated/)
  await client.call('commit', { session: first.session, transactionId: second.transaction })
  t.strictSame(await values(), [['1', '3']])
})

tap.test('a multiplexed session has several at a time', async (t) => {
  await reset([1, 1], [2, 2])
  const { name, multiplexed } = await client.call('createSession', {
    database: client.database,
    session: { multiplexed: true },
  })
  t.equal(multiplexed, true)
  const one = await client.run('UPDATE n SET v = 10 WHERE id = 1', {
    in: READ_WRITE,
    session: name,
    seqno: 1,
  })
  const two = await client.run('UPDATE n SET v = 20 WHERE id = 2', {
    in: READ_WRITE,
    session: name,
    seqno: 1,
  })
  await client.call('commit', { session: name, transactionId: one.transaction })
  await client.call('commit', { session: name, transactionId: two.transaction })
  t.strictSame(await values(), [
    ['1', '10'],
    ['2', '20'],
  ])
})

tap.test('DML that comes twice under one number runs once', async (t) => {
  await reset([1, 1])
  const transaction = await open('SELECT 1')
  const update = () =>
    transaction.run('UPDATE n SET v = v + 1 WHERE id = 1 RETURNING v', { seqno: 5 })
  t.strictSame((await update()).rows, [['2']])
  t.strictSame((await update()).rows, [['2']])
  t.match(
    await failureText(transaction.run('UPDATE n SET v = 0', { seqno: 5 })),
    /^3 Previously received a different request with this seqno. seqno=5/,
  )
  t.match(
    await failureText(transaction.run('UPDATE n SET v = 0', { seqno: 3 })),
    /^3 Request has an out-of-order seqno/,
  )
  await transaction.commit()
  t.strictSame(await values(), [['1', '2']])
})

tap.test('it may come again while it still runs', async (t) => {
  await reset([1, 1])
  const holder = await open('UPDATE n SET v = 10 WHERE id = 1')
  const transaction = await open('SELECT 1')
  const update = () =>
    transaction.run('UPDATE n SET v = v + 1 WHERE id = 1 RETURNING v', { seqno: 5 })
  const both = Promise.all([update(), update()])
  await holder.rollback()
  t.strictSame(
    (await both).map(({ rows }) => rows),
    [[['2']], [['2']]],
  )
  await transaction.commit()
  t.strictSame(await values(), [['1', '2']])
})

tap.test('DML that was given up ends its transaction', async (t) => {
  await reset([1, 1])
  const holder = await open('UPDATE n SET v = 10 WHERE id = 1')
  const { session, id, run } = await open('SELECT 1')
  const sql = 'UPDATE n SET v = v + 1 WHERE id = 1'
  const stream = client.stream({ session, transaction: { id }, seqno: 5, sql })
  const waiting = "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
  await until(async () => (await askPostgres(server, waiting)).length === 1)
  stream.cancel()
  t.equal((await failure(stream.messages)).code, 1)
  await holder.rollback()
  t.equal((await failure(run(sql, { seqno: 5 }))).code, ABORTED)
  t.equal((await failure(run('SELECT 1'))).code, ABORTED)
  t.strictSame(await values(), [['1', '1']])
})

tap.test('after the last statement only Commit follows', async (t) => {
  await reset([1, 1])
  const transaction = await open('SELECT 1')
  await transaction.run('UPDATE n SET v = 2 WHERE id = 1', { isLast: true })
  t.equal((await failure(transaction.run('SELECT 1'))).code, 3)
  await transaction.commit()
  t.strictSame(await values(), [['1', '2']])
  const alone = await open('UPDATE n SET v = 3 WHERE id = 1', { isLast: true })
  await alone.commit()
  t.strictSame(await values(), [['1', '3']])
})

tap.test('batch DML: counts of what ran, the status of what failed', async (t) => {
  await reset([1, 1])
  const session = await client.newSession()
  const batch = (statements: string[], more: object) =>
    client.call('executeBatchDml', {
      session,
      statements: statements.map((sql) => ({ sql })),
      ...more,
    })
  const first = await batch(
    [
      'INSERT INTO n (id, v) VALUES (2, 2), (3, 3)',
      'UPDATE n SET v = v + 1',
      'DELETE FROM n WHERE id = 9',
    ],
    { transaction: READ_WRITE, seqno: 1 },
  )
  t.strictSame(
    first.resultSets.map((set: { stats: { rowCountExact: string } }) => set.stats.rowCountExact),
    ['2', '3', '0'],
  )
  t.equal(first.status.code ?? 0, 0)
  const { id } = first.resultSets[0].metadata.transaction
  const second = await batch(
    ['INSERT INTO n (id, v) VALUES (4, 4)', 'INSERT INTO n (id, v) VALUES (1, 1)', 'DELETE FROM n'],
    { transaction: { id }, seqno: 2 },
  )
  t.equal(second.resultSets.length, 1)
  t.strictSame(
    [second.status.code, second.status.message],
    [6, 'Row [1] in table n already exists'],
  )
  const again = await batch(
    ['INSERT INTO n (id, v) VALUES (4, 4)', 'INSERT INTO n (id, v) VALUES (1, 1)', 'DELETE FROM n'],
    { transaction: { id }, seqno: 2 },
  )
  t.strictSame(again.status, second.status, 'the same batch again is answered again')
  await client.call('commit', { session, transactionId: id })
  t.strictSame(await values(), [
    ['1', '2'],
    ['2', '3'],
    ['3', '4'],
    ['4', '4'],
  ])
  const failed = await batch(['INSERT INTO n (id, v) VALUES (1, 1)'], {
    transaction: READ_WRITE,
    seqno: 1,
  })
  t.equal(failed.status.code, 6)
  t.notOk(failed.resultSets?.length)
})

/** A single-use read at a moment. */
function readAt(atMs: number) {
  const seconds = Math.floor(atMs / 1000)
  return {
    singleUse: { readOnly: { readTimestamp: { seconds, nanos: (atMs % 1000) * 1_000_000 } } },
  }
}

tap.test('a read at a moment to come waits for it', async (t) => {
  await reset([1, 1])
  const change = await open('UPDATE n SET v = 2 WHERE id = 1')
  const atMs = Date.now() + 1_500
  const read = client.run('SELECT v FROM n', { in: readAt(atMs) })
  await change.commit()
  t.ok(Date.now() < atMs, 'the change came before the moment')
  t.strictSame((await read).rows, [['2']])
  t.ok(Date.now() >= atMs)
  t.match(
    await failureText(client.run('SELECT v FROM n', { in: readAt(Date.now() + 3_700_000) })),
    /^4 Read-only transaction timestamp .* is more than 1 hour in future/,
  )
})

tap.test('partitioned DML commits by itself', async (t) => {
  await reset([1, 1], [2, 2])
  const session = await client.newSession()
  const { id } = await client.call('beginTransaction', { session, options: { partitionedDml: {} } })
  const beforeMs = Date.now() + 1
  const before = {
    singleUse: {
      readOnly: {
        readTimestamp: {
          seconds: Math.floor(beforeMs / 1000),
          nanos: (beforeMs % 1000) * 1_000_000,
        },
      },
    },
  }
  t.equal((await client.run('SELECT v FROM n WHERE id = 2', { in: before })).rows.length, 1)
  await until(() => Date.now() > beforeMs)
  t.equal(
    (await client.run('UPDATE n SET v = 0 WHERE true', { session, in: id, seqno: 1 })).count,
    '2',
  )
  t.strictSame(await values(), [
    ['1', '0'],
    ['2', '0'],
  ])
  const again = (seqno: number, sql: string, queryMode = 'NORMAL') =>
    client.run(sql, { session, in: id, seqno, queryMode })
  t.equal((await again(1, 'UPDATE n SET v = 0 WHERE true')).count, '2', 'asked for again')
  for (const sql of ['UPDATE n SET v = 0 WHERE true', 'DELETE FROM n WHERE true'])
    t.equal(
      await failureText(again(2, sql)),
      '3 PartitionedDml transaction may only be used to execute one statement',
    )
  t.match(
    await failureText(client.run('SELECT v FROM n', { in: before })),
    /^9 .*older versions of data are not kept/,
    'it is a commit to readers of the past',
  )
})

tap.test('partitioned DML that fails, or is planned, changes nothing', async (t) => {
  await reset([1, 1])
  const session = await client.newSession()
  const options = { partitionedDml: {} }
  const { id } = await client.call('beginTransaction', { session, options })
  const run = (seqno: number, sql: string, queryMode = 'NORMAL') =>
    client.run(sql, { session, in: id, seqno, queryMode })
  t.match(await failureText(run(1, 'INSERT INTO n (id) VALUES (9)')), /^3 INSERT is not supported/)
  t.match(await failureText(run(2, 'SELECT v FROM n')), /^3 Only DML/)
  t.equal((await run(3, 'UPDATE n SET v = 0 WHERE true', 'PLAN')).count, '0')
  t.strictSame(await values(), [['1', '1']])
  t.equal((await run(3, 'UPDATE n SET v = 0 WHERE true')).count, '1')
})

tap.test('the commit timestamp that is written is the one that is answered', async (t) => {
  const transaction = await open(
    'INSERT INTO seen (id, at) VALUES (1, spanner.pending_commit_timestamp())',
  )
  const { commitTimestamp } = await transaction.commit()
  const [[at]] = (await client.run('SELECT at FROM seen')).rows as [[string]]
  const fraction = String((commitTimestamp.nanos ?? 0) / 1000)
    .padStart(6, '0')
    .replace(/0+$/, '')
  t.equal(
    at,
    `${new Date(Number(commitTimestamp.seconds) * 1000).toISOString().slice(0, 19)}${fraction === '' ? '' : `.${fraction}`}Z`,
  )
})

tap.test('sessions: made in numbers, listed, deleted with what they have open', async (t) => {
  await reset([1, 1])
  const { session } = await client.call('batchCreateSessions', {
    database: client.database,
    sessionCount: 3,
  })
  t.equal(session.length, 3)
  t.match(
    await failureText(
      client.call('batchCreateSessions', { database: client.database, sessionCount: -1 }),
    ),
    /^3 Session count/,
  )
  const labelled = await client.call('createSession', {
    database: client.database,
    session: { labels: { a: 'b' } },
  })
  t.strictSame((await client.call('getSession', { name: labelled.name })).labels, { a: 'b' })
  const listed = await client.call('listSessions', { database: client.database })
  t.ok(listed.sessions.some((each: { name: string }) => each.name === labelled.name))
  const name = session[0].name
  await client.run('UPDATE n SET v = 5 WHERE id = 1', { in: READ_WRITE, session: name, seqno: 1 })
  await client.call('deleteSession', { name })
  t.match(await failureText(client.call('getSession', { name })), /^5 Session not found: projects/)
  t.equal(
    (await failure(client.run('SELECT 1', { session: name }))).metadata.get(
      'google.rpc.resourceinfo-bin',
    ).length,
    1,
  )
  await client.write('UPDATE n SET v = 6 WHERE id = 1')
  t.strictSame(await values(), [['1', '6']])
})

tap.test('sessions are listed by their labels', async (t) => {
  const own = await connectTo(server, 'labels')
  t.teardown(() => own.close())
  const { database } = own
  const make = async (labels: object) =>
    (await own.call('createSession', { database, session: { labels } })).name
  const dev = await make({ env: 'dev', team: 'a-team' })
  const prod = await make({ env: 'prod' })
  const listed = async (filter: string) =>
    ((await own.call('listSessions', { database, filter })).sessions ?? []).map(
      ({ name }: { readonly name: string }) => name,
    )
  t.equal((await listed('')).length, 3)
  t.strictSame(await listed('labels.env:*'), [dev, prod].sort())
  t.strictSame(await listed('LABELS.ENV:Dev'), [dev])
  t.strictSame(await listed('labels.env:* labels.team:team'), [dev])
  t.strictSame(await listed('labels.team:x'), [])
  t.equal(await failureText(listed('name=x')), '3 Invalid filter: name=x')
})

tap.test('unknown transactions', async (t) => {
  t.equal((await failure(client.run('SELECT 1', { in: Buffer.from('nonsense') }))).code, 5)
  t.equal(
    (
      await failure(
        client.call('commit', {
          session: client.session,
          transactionId: Buffer.from('rw-1-4000000000-0'),
        }),
      )
    ).code,
    5,
    'nobody can make one up',
  )
})

tap.test(
  'who waits in its first statement gets the locks of a transaction that was left',
  async (t) => {
    await reset([1, 1])
    const left = await open('UPDATE n SET v = 2 WHERE id = 1')
    // Ten seconds later; how long it takes is Spanner's number, not the test's.
    const heir = await open('UPDATE n SET v = v + 10 WHERE id = 1')
    await heir.commit()
    t.match(await failureText(left.run('SELECT 1')), /^10 /)
    t.strictSame(await values(), [['1', '11']])
  },
)
