import t, { type Test } from 'tap'
import type { BackendDatabase, BackendTransaction } from '../../server/backend/backend.ts'
import { BackendError, type BackendFailure } from '../../server/backend/backend-error.ts'
import { createSpannerBackend } from '../../server/spanner/spanner-backend.ts'
import { type Emulator, startEmulator } from '../helpers/emulator.ts'
import { skipWithoutEmulator } from '../helpers/on-emulator.ts'
import { RecordingProxy } from '../helpers/recording-proxy.ts'
import { type Drained, drain, textParam } from '../helpers/rows.ts'

const call = { timeoutMs: 60_000 }

async function failureOf(promise: Promise<unknown>): Promise<BackendFailure> {
  try {
    await promise
  } catch (error) {
    if (error instanceof BackendError) return error.failure
    throw error
  }
  throw new Error('it succeeded')
}

async function query(database: BackendDatabase, sql: string): Promise<Drained> {
  return drain(database.singleUse({ sql, params: [] }, call))
}

async function dml(transaction: BackendTransaction, sql: string): Promise<Drained> {
  return drain(transaction.execute({ sql, params: [] }, { ...call, isDml: true }))
}

const emulator = await startEmulator(['--abort_current_transaction_probability=0'])

if (emulator === undefined) skipWithoutEmulator(t)
else await suite(emulator)

async function suite({ address, stop }: Emulator): Promise<void> {
  t.teardown(stop)
  const backend = await createSpannerBackend({
    project: 'spanwire',
    instance: 'spanwire',
    endpoint: { kind: 'emulator', address },
    channels: 2,
  })
  t.teardown(() => backend.close())
  await backend.createDatabase('shop', call)
  const database = await backend.openDatabase('shop', call)
  await database.updateDdl(
    [
      'CREATE TABLE p (id bigint PRIMARY KEY)',
      `CREATE TABLE t (id bigint PRIMARY KEY, a varchar(5), b numeric, n bigint NOT NULL,
         pid bigint, CONSTRAINT npos CHECK (n > 0), CONSTRAINT fk FOREIGN KEY (pid) REFERENCES p (id))`,
      'CREATE UNIQUE INDEX t_a ON t (a)',
    ],
    call,
  )

  t.test('databases', async (test) => {
    await backend.createDatabase('other', call)
    test.same(await backend.listDatabases(call), ['other', 'shop'])
    test.same(await failureOf(backend.createDatabase('other', call)), { kind: 'database-exists' })
    await backend.dropDatabase('other', call)
    test.same(await backend.listDatabases(call), ['shop'])
    test.same(await failureOf(backend.openDatabase('other', call)), { kind: 'database-not-found' })
  })

  t.test('capabilities of emulator 1.5.28', async (test) => {
    test.equal(database.capabilities.concurrentWrites, false)
    test.equal(database.capabilities.forUpdate, false)
    test.equal(database.capabilities.partitionedDml, false)
    test.equal(database.capabilities.safeNumericKeysAndNullFloats, false)
  })

  t.test('DDL', async (test) => {
    test.match(
      (await database.getDdl(call)).join('\n'),
      /CREATE TABLE t \([\s\S]*CREATE UNIQUE INDEX t_a/,
    )
    test.same(
      await failureOf(database.updateDdl(['CREATE TABLE t (id bigint PRIMARY KEY)'], call)),
      {
        kind: 'object-exists',
      },
    )
    test.same(await failureOf(database.updateDdl(['DROP TABLE nope'], call)), {
      kind: 'object-not-found',
    })
    test.same(await failureOf(database.updateDdl(['CREATE TABL x'], call)), {
      kind: 'sql',
      sqlState: '42601',
    })
    await database.updateDdl([], call)
  })

  t.test('DDL that fails on the data says how much of it stays', async (test) => {
    await database.updateDdl(['CREATE TABLE d (id bigint PRIMARY KEY, v bigint)'], call)
    const transaction = database.beginReadWrite({ isolation: 'serializable' })
    await dml(transaction, 'INSERT INTO d VALUES (1, 7), (2, 7)')
    await transaction.commit(call)
    const error = await database
      .updateDdl(['CREATE INDEX d_i ON d (v)', 'CREATE UNIQUE INDEX d_u ON d (v)'], call)
      .catch((caught: unknown) => caught)
    test.ok(error instanceof BackendError)
    if (!(error instanceof BackendError)) return
    test.same(error.failure, { kind: 'unique-violation', index: 'd_u', key: ['7'] })
    test.equal(error.appliedStatements, 1)
  })

  t.test('rows written with parameters and RETURNING are read back', async (test) => {
    const transaction = database.beginReadWrite({ isolation: 'serializable' })
    test.equal(transaction.isBegun, false)
    const first = await drain(
      transaction.execute(
        {
          sql: 'INSERT INTO t (id, a, b, n) VALUES ($1, $2, $3, 5)',
          params: [
            textParam('INT64', '1'),
            textParam('STRING', 'x'),
            textParam('STRING', null),
          ].map((param, index) =>
            index === 2 ? { ...param, type: { code: 'NUMERIC', annotation: 'PG_NUMERIC' } } : param,
          ),
        },
        { ...call, isDml: true },
      ),
    )
    test.same(first, { columns: [], rows: [], rowCount: 1n })
    test.equal(transaction.isBegun, true)
    const second = await dml(
      transaction,
      "INSERT INTO t (id, a, b, n) VALUES (2, 'y', 1.50, 7) RETURNING id, a, b, n, pid",
    )
    test.same(second.rows, [['2', 'y', '1.50', '7', null]])
    test.equal(second.rowCount, 1n)
    const batch = await transaction.executeBatch(
      [
        { sql: 'UPDATE t SET n = n + 1 WHERE true', params: [] },
        { sql: 'DELETE FROM t WHERE id = $1', params: [textParam('INT64', '9')] },
      ],
      { ...call, isDml: true },
    )
    test.same(batch, { rowCounts: [2n, 0n] })
    test.match((await transaction.commit(call)).commitTimestamp, /^\d{4}-\d\d-\d\dT[\d:.]+Z$/)
    test.same((await query(database, 'SELECT id, n FROM t ORDER BY id')).rows, [
      ['1', '6'],
      ['2', '8'],
    ])
  })

  t.test('values of every type', async (test) => {
    const { columns, rows } = await query(
      database,
      `SELECT true, 1::bigint, 1.5::float8, 'NaN'::float8, 2.50::numeric, 'é', 'ab'::bytea, date '2024-02-29',
        timestamptz '2024-02-29 10:00:00.123456+00', '{"a": 1}'::jsonb, ARRAY[1, NULL], NULL::text`,
    )
    test.same(rows, [
      [
        true,
        '1',
        1.5,
        'NaN',
        '2.50',
        'é',
        'YWI=',
        '2024-02-29',
        '2024-02-29T10:00:00.123456Z',
        '{"a": 1}',
        ['1', null],
        null,
      ],
    ])
    test.same(
      columns.map(({ type }) => type),
      [
        { code: 'BOOL' },
        { code: 'INT64' },
        { code: 'FLOAT64' },
        { code: 'FLOAT64' },
        { code: 'NUMERIC', annotation: 'PG_NUMERIC' },
        { code: 'STRING' },
        { code: 'BYTES' },
        { code: 'DATE' },
        { code: 'TIMESTAMP' },
        { code: 'JSON', annotation: 'PG_JSONB' },
        { code: 'ARRAY', element: { code: 'INT64' } },
        { code: 'STRING' },
      ],
    )
  })

  t.test('a failed first statement leaves no lock, whatever its error', async (test) => {
    const statements: readonly (readonly [sql: string, failure: BackendFailure])[] = [
      ["INSERT INTO t (id, a, n) VALUES (1, 'z', 1)", { kind: 'unique-violation', key: ['1'] }],
      [
        "INSERT INTO t (id, a, n) VALUES (3, 'x', 1)",
        { kind: 'unique-violation', index: 't_a', key: ['x'] },
      ],
      [
        'INSERT INTO t (id, n) VALUES (3, NULL)',
        { kind: 'not-null-violation', table: 't', column: 'n' },
      ],
      [
        'INSERT INTO t (id, n) VALUES (3, -1)',
        { kind: 'check-violation', table: 't', constraint: 'npos' },
      ],
      [
        "INSERT INTO t (id, a, n) VALUES (3, 'toolong', 1)",
        { kind: 'string-too-long', table: 't', column: 'a', limit: 5 },
      ],
      [
        'INSERT INTO t (id, n, pid) VALUES (3, 1, 4)',
        {
          kind: 'foreign-key-violation',
          side: 'referencing',
          constraint: 'fk',
          table: 't',
          key: ['4'],
        },
      ],
      [
        'INSERT INTO t (id, n) SELECT 3, 9223372036854775807 + n FROM t WHERE id = 1',
        { kind: 'sql', sqlState: '22003' },
      ],
      ['UPDATE t SET n = n / (n - n) WHERE true', { kind: 'sql', sqlState: '22012' }],
      ['INSERT INTO nope VALUES (1)', { kind: 'sql', sqlState: '42P01' }],
      ['SELEC', { kind: 'sql', sqlState: '42601' }],
    ]
    for (const [sql, failure] of statements) {
      const transaction = database.beginReadWrite({ isolation: 'serializable' })
      test.same(await failureOf(dml(transaction, sql)), failure, sql)
      await transaction.rollback()
      const next = database.beginReadWrite({ isolation: 'serializable' })
      await dml(next, 'UPDATE t SET n = n WHERE true')
      await next.commit(call)
    }
  })

  t.test('a batch stops at its first failure and gives the counts before it', async (test) => {
    const transaction = database.beginReadWrite({ isolation: 'serializable' })
    const batch = await transaction.executeBatch(
      [
        { sql: 'UPDATE t SET n = n + 1 WHERE id = 1', params: [] },
        { sql: 'UPDATE t SET n = -1 WHERE id = 1', params: [] },
        { sql: 'UPDATE t SET n = n + 1 WHERE id = 1', params: [] },
      ],
      { ...call, isDml: true },
    )
    await transaction.rollback()
    test.same(batch.rowCounts, [1n])
    test.ok(batch.error instanceof BackendError && batch.error.failure.kind === 'check-violation')
    test.same((await query(database, 'SELECT n FROM t WHERE id = 1')).rows, [['6']])
  })

  t.test('the second writer is aborted, and begins again in the same session', async (test) => {
    const holder = database.beginReadWrite({ isolation: 'serializable' })
    await dml(holder, 'UPDATE t SET n = n + 1 WHERE id = 1')
    const second = database.beginReadWrite({ isolation: 'serializable' })
    const update = 'UPDATE t SET n = n * 2 WHERE id = 1'
    test.same(await failureOf(dml(second, update)), { kind: 'aborted' })
    await second.rollback()
    await holder.commit(call)
    const third = database.beginReadWrite({ isolation: 'serializable', previousAttempt: second })
    await dml(third, update)
    await third.commit(call)
    test.same((await query(database, 'SELECT n FROM t WHERE id = 1')).rows, [['14']])
  })

  t.test('a read-only transaction keeps its snapshot', async (test) => {
    const reader = database.beginReadOnly()
    const read = async (): Promise<Drained> =>
      drain(
        reader.execute({ sql: 'SELECT count(*) FROM p', params: [] }, { ...call, isDml: false }),
      )
    test.same((await read()).rows, [['0']])
    const writer = database.beginReadWrite({ isolation: 'serializable' })
    await dml(writer, 'INSERT INTO p VALUES (1)')
    await writer.commit(call)
    test.same((await read()).rows, [['0']])
    test.same(await reader.commit(call), {})
    test.same((await query(database, 'SELECT count(*) FROM p')).rows, [['1']])
  })

  t.test('reads of the past', async (test) => {
    const count = { sql: 'SELECT count(*) FROM p', params: [] }
    const before = database.singleUse(count, call)
    test.same((await drain(before)).rows, [['1']])
    const timestamp = before.readTimestamp ?? ''
    test.match(timestamp, /^\d{4}-\d\d-\d\dT[\d:.]+Z$/)
    const writer = database.beginReadWrite({ isolation: 'serializable' })
    await dml(writer, 'INSERT INTO p VALUES (7), (8)')
    const { commitTimestamp } = await writer.commit(call)
    const bound = { kind: 'read-timestamp', timestamp } as const
    test.same((await drain(database.singleUse(count, { ...call, bound }))).rows, [['1']])
    const reader = database.beginReadOnly({ bound })
    test.same((await drain(reader.execute(count, { ...call, isDml: false }))).rows, [['1']])
    test.equal(reader.readTimestamp, timestamp)
    await reader.rollback()
    const after = database.singleUse(count, {
      ...call,
      bound: { kind: 'min-read-timestamp', timestamp: commitTimestamp ?? '' },
    })
    test.same((await drain(after)).rows, [['3']])
  })

  t.test('partitioned DML', async (test) => {
    const statement = { sql: 'DELETE FROM p WHERE id IN (7, 8)', params: [] }
    test.equal(await database.executePartitionedDml(statement, call), 2n)
    test.same((await query(database, 'SELECT count(*) FROM p')).rows, [['1']])
    test.same(
      await failureOf(
        database.executePartitionedDml({ sql: 'DELETE FROM nope', params: [] }, call),
      ),
      { kind: 'sql', sqlState: '42P01' },
    )
    const asEmitted = { sql: 'DELETE FROM "p" WHERE "id" = 7', params: [] }
    test.same(await failureOf(database.executePartitionedDml(asEmitted, call)), {
      kind: 'unsupported',
    })
    const withParameter = { sql: 'DELETE FROM p WHERE id = $1', params: [textParam('INT64', '7')] }
    test.same(await failureOf(database.executePartitionedDml(withParameter, call)), {
      kind: 'unsupported',
    })
    const writer = database.beginReadWrite({ isolation: 'serializable' })
    await dml(writer, 'UPDATE p SET id = id WHERE false')
    await writer.commit(call)
  })

  async function openThroughProxy(test: Test) {
    const proxy = await RecordingProxy.start(address)
    const through = await createSpannerBackend({
      project: 'spanwire',
      instance: 'spanwire',
      endpoint: { kind: 'emulator', address: proxy.address },
    })
    test.teardown(async () => {
      await through.close()
      await proxy.stop()
    })
    return { proxy, database: await through.openDatabase('shop', call) }
  }

  t.test('a begin whose stream broke off after its first message begins anew', async (test) => {
    const { proxy, database: through } = await openThroughProxy(test)
    const writer = through.beginReadWrite({ isolation: 'serializable' })
    proxy.clear()
    proxy.intercept(() =>
      proxy.calls.length === 1 ? { kind: 'cut', afterMessages: 1, how: 'stream' } : undefined,
    )
    test.same((await dml(writer, 'INSERT INTO p VALUES (10) RETURNING id')).rows, [['10']])
    await dml(writer, 'DELETE FROM p WHERE id = 10')
    await writer.commit(call)
    test.same(proxy.methods(), [
      'ExecuteStreamingSql',
      'ExecuteStreamingSql',
      'ExecuteStreamingSql',
      'Commit',
    ])
    test.match(proxy.calls[1]?.request(), { transaction: { begin: {} }, seqno: '1' })
  })

  t.test(
    'rows of RETURNING that the emulator does not send again abort the transaction',
    async (test) => {
      const { proxy, database: through } = await openThroughProxy(test)
      const writer = through.beginReadWrite({ isolation: 'serializable' })
      await dml(writer, 'UPDATE p SET id = id WHERE false')
      proxy.clear()
      proxy.intercept(() =>
        proxy.calls.length === 1
          ? { kind: 'lose-answer', code: 14, message: 'connection lost' }
          : undefined,
      )
      const returning = dml(writer, 'INSERT INTO p VALUES (11), (12) RETURNING id')
      test.same(await failureOf(returning), { kind: 'aborted' })
      await writer.rollback()
      test.same(proxy.methods(), ['ExecuteStreamingSql', 'ExecuteStreamingSql', 'Rollback'])
    },
  )

  t.test('a Commit whose answer got lost has committed once', async (test) => {
    const { proxy, database: through } = await openThroughProxy(test)
    const writer = through.beginReadWrite({ isolation: 'serializable' })
    await dml(writer, 'INSERT INTO p VALUES (9)')
    proxy.clear()
    proxy.intercept(() =>
      proxy.calls.length === 1
        ? { kind: 'lose-answer', code: 14, message: 'connection lost' }
        : undefined,
    )
    test.match((await writer.commit(call)).commitTimestamp, /^\d{4}-/)
    test.same(proxy.methods(), ['Commit', 'Commit'])
    test.same((await query(database, 'SELECT count(*) FROM p')).rows, [['2']])
  })

  t.test('DDL while a transaction holds the lock is a conflict', async (test) => {
    const holder = database.beginReadWrite({ isolation: 'serializable' })
    await dml(holder, 'INSERT INTO p VALUES (2)')
    test.same(
      await failureOf(database.updateDdl(['CREATE TABLE late (id bigint PRIMARY KEY)'], call)),
      { kind: 'ddl-conflict' },
    )
    await holder.rollback()
    await database.updateDdl(['CREATE TABLE late (id bigint PRIMARY KEY)'], call)
  })

  t.test('thousands of rows arrive whole', async (test) => {
    const { rows } = await query(
      database,
      `SELECT a.x * 100 + b.x, repeat('v', 100) FROM unnest(ARRAY[${numbers(100)}]) AS a(x),
         unnest(ARRAY[${numbers(100)}]) AS b(x) ORDER BY 1`,
    )
    test.equal(rows.length, 10_000)
    test.ok(rows.every((row, index) => row[0] === String(index) && row[1] === 'v'.repeat(100)))
  })
}

function numbers(count: number): string {
  return Array.from({ length: count }, (_, index) => index).join(', ')
}
