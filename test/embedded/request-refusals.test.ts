import tap from 'tap'
import {
  connectTo,
  failureText,
  type Message,
  startEmulatorProfile,
  value,
} from './embedded-client.ts'

/*
 * Requests that Spanner refuses, with its codes. Each expectation was measured on the emulator 1.5.28.
 */

const server = await startEmulatorProfile()
const client = await connectTo(server, 'refusals')
tap.teardown(async () => {
  client.close()
  await server.remove()
})
await client.ddl(
  'CREATE TABLE t (id bigint PRIMARY KEY, ct spanner.commit_timestamp)',
  'CREATE TABLE g (id bigint PRIMARY KEY, twice bigint GENERATED ALWAYS AS (id * 2) STORED)',
  'CREATE INDEX t_ct ON t (ct)',
  'CREATE VIEW v SQL SECURITY INVOKER AS SELECT id FROM t',
)

const { session } = client

function list(...of: unknown[]): object {
  return { values: of.map(value) }
}

const commit = (...mutations: object[]): Promise<Message> =>
  client.call('commit', { session, singleUseTransaction: { readWrite: {} }, mutations })

tap.test('a commit timestamp lies in the past, or is the one of the commit', async (t) => {
  const future = '2990-01-01T00:00:00Z'
  const row = (id: string, at: string) => ({
    table: 't',
    columns: ['id', 'ct'],
    values: [list(id, at)],
  })
  const refused = '9 Cannot write timestamps in the future, found: 2990-01-01T00:00:00+00:00'
  t.equal(await failureText(commit({ insert: row('1', future) })), refused)
  await commit({ insert: row('1', '1990-01-01T00:00:00Z') })
  await commit({ insert: row('2', 'spanner.commit_timestamp()') })
  await client.write('INSERT INTO t (id, ct) VALUES (3, spanner.pending_commit_timestamp())')
  t.equal(await failureText(commit({ update: row('1', future) })), refused)
  t.equal(await failureText(client.write(`UPDATE t SET ct = '${future}' WHERE id = 1`)), refused)
  const { rows } = await client.run('SELECT id FROM t WHERE ct < now() ORDER BY id')
  t.strictSame(rows, [['1'], ['2'], ['3']])
})

tap.test('a transaction is one of its session', async (t) => {
  const other = await client.newSession()
  const modes = { readWrite: {} }
  for (const options of [modes, { readOnly: { strong: true } }, { partitionedDml: {} }]) {
    const { id } = await client.call('beginTransaction', { session, options })
    const kind = Object.keys(options).join()
    const notFound = `5 Transaction not found: ${id}`
    const transaction = { id }
    const calls: readonly (readonly [method: string, request: object])[] = [
      ['executeSql', { transaction, sql: 'SELECT 1' }],
      ['read', { transaction, table: 't', columns: ['id'], keySet: { all: true } }],
      ['executeBatchDml', { transaction, statements: [{ sql: 'DELETE FROM t WHERE true' }] }],
      ['partitionQuery', { transaction, sql: 'SELECT id FROM t' }],
      ['commit', { transactionId: id }],
      ['rollback', { transactionId: id }],
    ]
    for (const [method, request] of calls)
      t.equal(
        await failureText(client.call(method, { session: other, seqno: 1, ...request })),
        notFound,
        `${kind} ${method}`,
      )
    if (options === modes) await client.call('commit', { session, transactionId: id })
  }
  const unknown = { session, transaction: { id: Buffer.from('1234') }, sql: 'SELECT 1' }
  t.equal(await failureText(client.call('executeSql', unknown)), '5 Transaction not found: 1234')
})

tap.test('sessions are listed by pages', async (t) => {
  const own = await connectTo(server, 'pages')
  t.teardown(() => own.close())
  const made = [own.session]
  for (let count = 0; count < 4; count++) made.push(await own.newSession())
  const names: string[] = []
  const sizes: number[] = []
  let pageToken = ''
  do {
    const page = await own.call('listSessions', { database: own.database, pageSize: 2, pageToken })
    sizes.push(page.sessions.length)
    names.push(...page.sessions.map(({ name }: Message) => name))
    pageToken = page.nextPageToken ?? ''
  } while (pageToken !== '')
  t.strictSame(sizes, [2, 2, 1])
  t.strictSame(names, made.sort())
  for (const pageSize of [0, -1]) {
    const all = await own.call('listSessions', { database: own.database, pageSize })
    t.equal(all.sessions.length, 5)
    t.notOk(all.nextPageToken)
  }
})

tap.test('what writes nothing is neither committed nor rolled back', async (t) => {
  const refused = '9 Cannot commit or rollback a read-only or partitioned-dml transaction.'
  for (const options of [{ readOnly: { strong: true } }, { partitionedDml: {} }]) {
    const { id } = await client.call('beginTransaction', { session, options })
    for (const method of ['commit', 'rollback'])
      t.equal(await failureText(client.call(method, { session, transactionId: id })), refused)
  }
  const singleUseTransaction = { readOnly: { strong: true } }
  t.equal(await failureText(client.call('commit', { session, singleUseTransaction })), refused)
})

tap.test('requests without what they must have', async (t) => {
  const missing = '3 No value provided for required field: '
  const insert = { table: 't', columns: ['id'], values: [list('9')] }
  const calls: readonly (readonly [method: string, request: object, text: string])[] = [
    ['commit', {}, `${missing}CommitRequest.transaction`],
    ['commit', { mutations: [{ insert }] }, `${missing}CommitRequest.transaction`],
    ['commit', { singleUseTransaction: {} }, `${missing}TransactionOptions.mode`],
    ['read', { table: 't', columns: ['id'] }, `${missing}ReadRequest.key_set`],
    ['updateDatabaseDdl', { database: client.database }, '3 Missing statements in the request.'],
  ]
  for (const [method, request, text] of calls)
    t.equal(await failureText(client.call(method, { session, ...request })), text, method)
})

tap.test('a mutation writes no generated column', async (t) => {
  const row = (...values: string[]) => ({
    table: 'g',
    columns: ['id', 'twice'].slice(0, values.length),
    values: [list(...values)],
  })
  const refused = '9 Cannot write into generated column `g.twice`.'
  await commit({ insert: row('1') })
  t.equal(await failureText(commit({ insert: row('2', '4') })), refused)
  t.equal(await failureText(commit({ update: row('1', '2') })), refused)
})

tap.test('a key has as many parts as what it is of', async (t) => {
  const text = (name: string) =>
    `9 Wrong number of key parts for ${name}. Expected 1 key parts, found 2 key parts.`
  const request = { session, table: 't', columns: ['id'] }
  const keySet = { keys: [list('1', '2')] }
  const ranges = [{ startClosed: list('1', '2'), endOpen: list('3') }]
  t.equal(await failureText(client.call('read', { ...request, keySet })), text('t'))
  t.equal(await failureText(client.call('read', { ...request, keySet: { ranges } })), text('t'))
  const byIndex = { ...request, index: 't_ct', keySet }
  t.equal(await failureText(client.call('read', byIndex)), text('t_ct'))
  t.equal(await failureText(commit({ delete: { table: 't', keySet } })), text('t'))
})

tap.test('PartitionQuery takes one scan, without what needs its rows together', async (t) => {
  const { id } = await client.call('beginTransaction', {
    session,
    options: { readOnly: { strong: true } },
  })
  const partition = (sql: string) =>
    client.call('partitionQuery', { session, transaction: { id }, sql })
  for (const sql of [
    'SELECT id + 1 AS x FROM t AS a WHERE id IN (1, 2) AND id = ANY (ARRAY[1])',
    'SELECT 1',
    'SELECT id FROM v',
    '/*@ spanner_emulator.disable_query_partitionability_check=true */ SELECT id FROM t ORDER BY id',
  ])
    t.equal((await partition(sql)).partitions.length, 1, sql)
  for (const sql of [
    'SELECT count(*) FROM t',
    'SELECT id FROM t GROUP BY id',
    'SELECT DISTINCT id FROM t',
    'SELECT id FROM t ORDER BY id',
    'SELECT id FROM t LIMIT 1',
    'SELECT id FROM t OFFSET 1',
    'SELECT t.id FROM t, g',
    'SELECT t.id FROM t JOIN g ON t.id = g.id',
    'SELECT id FROM t UNION ALL SELECT id FROM g',
    'SELECT * FROM (SELECT id FROM t) x',
    'SELECT (SELECT 1) AS x FROM t',
    'SELECT id FROM t WHERE EXISTS (SELECT 1 FROM g)',
    'WITH a AS (SELECT id FROM t) SELECT id FROM a',
  ])
    t.match(
      await failureText(partition(sql)),
      /^3 .* not able to determine whether this query/,
      sql,
    )
})

tap.test('only what reads may be directed to replicas', async (t) => {
  const directedReadOptions = { includeReplicas: { replicaSelections: [{ location: 'us' }] } }
  const query = { session, sql: 'SELECT 1', directedReadOptions }
  const read = { session, table: 't', columns: ['id'], keySet: { all: true }, directedReadOptions }
  const refused = '9 Directed reads can only be performed in a read-only transaction.'
  for (const options of [{ readWrite: {} }, { partitionedDml: {} }]) {
    const transaction = await client.call('beginTransaction', { session, options })
    const { id } = transaction
    for (const [method, request] of [
      ['executeSql', query],
      ['read', read],
    ] as const)
      t.equal(
        await failureText(client.call(method, { ...request, transaction: { id } })),
        refused,
        method,
      )
  }
  const { id } = await client.call('beginTransaction', {
    session,
    options: { readOnly: { strong: true } },
  })
  t.equal((await client.call('executeSql', { ...query, transaction: { id } })).rows.length, 1)
  t.equal((await client.call('executeSql', query)).rows.length, 1)
})

tap.test('parameters are of types that there are', async (t) => {
  const run = (type: object) => client.run('SELECT $1 AS x', { params: ['1'], types: [type] })
  const refused: readonly (readonly [type: object, text: string])[] = [
    [{ code: 'ENUM', protoTypeFqn: 'a.b' }, '5 Enum type not found: `a.b`'],
    [{ code: 'PROTO' }, '5 Type not found: ``'],
    [{ code: 'ARRAY', arrayElementType: { code: 'ENUM' } }, '5 Enum type not found: ``'],
    [{ code: 99 }, '3 Type code must be specified, found code: 99'],
    [{ code: 'ARRAY' }, '3 Array types must specify element type, found code: ARRAY'],
  ]
  for (const [type, text] of refused)
    t.equal(await failureText(run(type)), text, JSON.stringify(type))
})

tap.test('TTL is on a timestamp, and INCLUDE has what the index lacks', async (t) => {
  await client.ddl('CREATE TABLE o (id bigint PRIMARY KEY, k bigint, v bigint, ts timestamptz)')
  await client.ddl('CREATE INDEX o_k ON o (k) INCLUDE (v)')
  const policy = '3 Cannot create ROW DELETION POLICY because '
  const refused: readonly (readonly [sql: string, text: string])[] = [
    [
      "CREATE TABLE x (id bigint PRIMARY KEY) TTL INTERVAL '3 days' ON nope",
      `${policy}there is no column named nope in table x.`,
    ],
    [
      "CREATE TABLE x (id bigint PRIMARY KEY, d date) TTL INTERVAL '3 days' ON d",
      `${policy}column d in table x is not of type TIMESTAMP.`,
    ],
    [
      "ALTER TABLE o ADD TTL INTERVAL '3 days' ON nope",
      `${policy}there is no column named nope in table o.`,
    ],
    [
      'CREATE INDEX x ON o (k) INCLUDE (id)',
      '9 Index x specifies stored column id which is a key of table o.',
    ],
    [
      'CREATE INDEX x ON o (k) INCLUDE (k)',
      '3 Index x specifies stored column k already specified as primary key.',
    ],
    ['CREATE INDEX x ON o (k) INCLUDE (v, v)', '3 Index x specifies key column v twice.'],
    [
      'CREATE INDEX x ON o (k) INCLUDE (nope)',
      "3 Index x specifies key column nope which does not exist in the index's base table.",
    ],
    ['ALTER INDEX o_k ADD INCLUDE COLUMN id', '9 Column id is already existed in index o_k.'],
    ['ALTER INDEX o_k ADD INCLUDE COLUMN v', '9 Column v is already existed in index o_k.'],
  ]
  for (const [sql, text] of refused) t.equal(await failureText(client.ddl(sql)), text, sql)
  await client.ddl("ALTER TABLE o ADD TTL INTERVAL '3 days' ON ts", 'DROP INDEX o_k')
})
