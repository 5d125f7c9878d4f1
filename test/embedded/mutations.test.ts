import tap from 'tap'
import {
  connectTo,
  failureText,
  type Message,
  READ_WRITE,
  startTestServer,
  value,
} from './embedded-client.ts'

const server = await startTestServer()
const client = await connectTo(server, 'mutations')
tap.teardown(async () => {
  client.close()
  await server.remove()
})
await client.ddl(
  'CREATE TABLE t (a bigint, b varchar, v varchar, n numeric, at spanner.commit_timestamp, PRIMARY KEY (a, b))',
  'CREATE INDEX t_v ON t (v DESC, a)',
  `CREATE TABLE child (a bigint, b varchar, c bigint, PRIMARY KEY (a, b, c)) INTERLEAVE IN PARENT t ON DELETE CASCADE`,
)

const SINGLE_USE = { singleUseTransaction: { readWrite: {} } }

function list(...of: unknown[]): object {
  return { values: of.map(value) }
}

function write(columns: string[], ...rows: unknown[][]): object {
  return { table: 't', columns, values: rows.map((row) => list(...row)) }
}

const { session } = client
const commit = (...mutations: object[]): Promise<Message> =>
  client.call('commit', { session, ...SINGLE_USE, mutations })

async function read(keySet: object, more: object = {}): Promise<string[]> {
  const request = { session, table: 't', columns: ['a', 'b', 'v'], keySet, ...more }
  const answer = await client.call('read', request)
  return (answer.rows ?? []).map((row: Message) =>
    row.values.map((each: Message) => each.stringValue ?? 'NULL').join(' '),
  )
}

const ALL = { all: true }

async function reset(...rows: unknown[][]): Promise<void> {
  await commit({ delete: { table: 't', keySet: ALL } }, { insert: write(['a', 'b', 'v'], ...rows) })
}

tap.test('Commit counts where it is asked to', async (t) => {
  await reset(['1', 'x', 'one'])
  const mutations = [
    { insert: write(['a', 'b', 'v'], ['2', 'x', 'two'], ['3', 'x', 'three']) },
    { delete: { table: 't', keySet: { keys: [list('1', 'x')] } } },
  ]
  const counted = { session, ...SINGLE_USE, mutations, returnCommitStats: true }
  const { commitStats } = await client.call('commit', counted)
  // Two rows of three columns and an index entry each; a row and its index entry.
  t.equal(commitStats.mutationCount, '10')
  t.notOk((await commit({ delete: { table: 't', keySet: ALL } })).commitStats)
})

tap.test('each kind of mutation does what its name says', async (t) => {
  await reset(['1', 'x', 'one'], ['2', 'x', 'two'])
  await commit({ update: write(['a', 'b', 'v'], ['1', 'x', 'eins']) })
  await commit({ insertOrUpdate: write(['b', 'a', 'n'], ['x', '2', '2.5'], ['y', '3', '3.5']) })
  t.strictSame(await read(ALL), ['1 x eins', '2 x two', '3 y NULL'])
  await commit({ replace: write(['a', 'b', 'n'], ['2', 'x', '7']) })
  t.strictSame(await read(ALL), ['1 x eins', '2 x NULL', '3 y NULL'], 'what it leaves out is NULL')
  await commit({ delete: { table: 't', keySet: { keys: [list('1', 'x'), list('9', 'z')] } } })
  t.strictSame(await read(ALL), ['2 x NULL', '3 y NULL'])
})

tap.test('a commit takes 80,000 mutations', async (t) => {
  await reset(['1', 'x', 'one'])
  const rows = Array.from({ length: 26_667 }, (_, index) => [String(index), 'm', 'v'])
  t.match(
    await failureText(commit({ insert: write(['a', 'b', 'v'], ...rows) })),
    /^3 The transaction contains too many mutations/,
  )
  t.strictSame(await read(ALL), ['1 x one'])
})

tap.test('a commit is whole or nothing', async (t) => {
  await reset(['1', 'x', 'one'])
  const more = { insert: write(['a', 'b'], ['2', 'x']) }
  t.match(
    await failureText(commit(more, { insert: write(['a', 'b'], ['1', 'x']) })),
    /^6 Row \[1,x\] in table t already exists/,
  )
  t.equal(
    await failureText(commit(more, { update: write(['a', 'b', 'v'], ['8', 'x', '?']) })),
    '5 Row [8,x] in table t is missing. Row cannot be updated.',
  )
  t.match(await failureText(commit(more, { update: write(['a', 'v'], ['1', '?']) })), /^9 /)
  t.match(await failureText(commit({ insert: write(['a', 'b'], ['x', 'x']) })), /^9 .*INT64/)
  t.match(await failureText(commit({ insert: { ...write(['a']), table: 'no' } })), /^5 Table not/)
  t.match(await failureText(commit({ insert: write(['zz'], ['1']) })), /^5 Column not found/)
  t.match(await failureText(commit({ insert: write(['a', 'b'], ['1']) })), /^3 /)
  t.match(
    await failureText(client.call('commit', { session, mutations: [more] })),
    /^3 /,
    'a transaction is needed',
  )
  t.strictSame(await read(ALL), ['1 x one'])
})

tap.test('mutations of a transaction are committed with its DML, once', async (t) => {
  await reset(['1', 'x', 'one'])
  const own = await client.newSession()
  const sql = "INSERT INTO t (a, b) VALUES (2, 'x')"
  const { transaction } = await client.run(sql, { session: own, in: READ_WRITE, seqno: 1 })
  const request = {
    session: own,
    transactionId: transaction,
    mutations: [{ insert: write(['a', 'b'], ['3', 'x']) }],
  }
  const first = await client.call('commit', request)
  t.strictSame(await client.call('commit', request), first, 'repeated, it is answered again')
  t.strictSame(await read(ALL), ['1 x one', '2 x NULL', '3 x NULL'])
})

tap.test('the timestamp of the commit is written where it is asked for', async (t) => {
  await commit({ delete: { table: 't', keySet: ALL } })
  const { commitTimestamp } = await commit({
    insert: write(
      ['a', 'b', 'v', 'at'],
      ['1', 'x', 'spanner.commit_timestamp()', 'spanner.commit_timestamp()'],
    ),
  })
  const micros =
    BigInt(commitTimestamp.seconds) * 1_000_000n + BigInt((commitTimestamp.nanos ?? 0) / 1000)
  t.strictSame(
    (
      await client.run('SELECT v, extract(epoch FROM at) * 1000000 = $1 FROM t', {
        params: [String(micros)],
        types: [{ code: 'NUMERIC', typeAnnotation: 'PG_NUMERIC' }],
      })
    ).rows,
    [['spanner.commit_timestamp()', true]],
  )
})

tap.test('key sets: keys, ranges with open and closed ends, prefixes, everything', async (t) => {
  await reset(['1', 'a', 'q'], ['1', 'b', 'p'], ['2', 'a', 'q'], ['2', 'b', null], ['3', 'a', 'r'])
  const closed = (start: unknown[], end: unknown[]) =>
    ({ ranges: [{ startClosed: list(...start), endClosed: list(...end) }] }) as object
  const open = (start: unknown[], end: unknown[]) =>
    ({ ranges: [{ startOpen: list(...start), endOpen: list(...end) }] }) as object
  t.strictSame(await read(closed(['1', 'b'], ['2'])), ['1 b p', '2 a q', '2 b NULL'])
  t.strictSame(await read(open(['1', 'a'], ['2', 'b'])), ['1 b p', '2 a q'])
  t.strictSame(
    await read(open(['1'], ['3'])),
    ['2 a q', '2 b NULL'],
    'an open prefix leaves all of it out',
  )
  t.strictSame((await read(closed([], []))).length, 5)
  t.strictSame(await read({ keys: [list('3', 'a'), list('1', 'a'), list('3', 'a')] }), [
    '1 a q',
    '3 a r',
  ])
  t.strictSame(await read({}), [])
  t.strictSame(await read(ALL, { limit: '2' }), ['1 a q', '1 b p'])
  t.match(
    await failureText(read({ keys: [list('3')] })),
    /^9 Wrong number of key parts for t. Expected 2 key parts, found 1/,
  )
  const index = { index: 't_v' }
  t.strictSame(await read(closed(['q'], ['p']), index), ['1 a q', '2 a q', '1 b p'], 'DESC')
  t.strictSame(await read({ keys: [list('q', '2')] }, index), ['2 a q'])
  t.match(await failureText(read(ALL, { index: 'no' })), /^5 Index not found on table t: no/)
  await client.ddl('CREATE INDEX t_b ON t (b)')
  await client.write(`UPDATE t SET v = 'q' WHERE a = 1 AND b = 'a'`)
  t.match(
    await failureText(read(ALL, { index: 't_b' })),
    /^5 Index 't_b' which indexes 't' does not have a column named v/,
  )
  const held = { index: 't_b', columns: ['b', 'a'] }
  t.strictSame(
    await read(ALL, held),
    ['a 1', 'a 2', 'a 3', 'b 1', 'b 2'],
    'equal keys by the primary one',
  )
  await client.ddl('DROP INDEX t_b')
  t.match(await failureText(read(ALL, { columns: ['zz'] })), /^5 Column not found/)
  await commit({ delete: { table: 't', keySet: closed(['1', 'b'], ['2']) } })
  t.strictSame(await read(ALL), ['1 a q', '3 a r'])
})

tap.test('interleaved rows: no child without its parent, none left behind', async (t) => {
  await reset(['1', 'x', 'one'])
  const child = (...row: string[]) => ({
    insert: { table: 'child', columns: ['a', 'b', 'c'], values: [list(...row)] },
  })
  await commit(child('1', 'x', '1'))
  t.match(
    await failureText(commit(child('7', 'x', '1'))),
    /^5 Parent row for row \[7,x\] in table child is missing/,
  )
  await commit({ delete: { table: 't', keySet: ALL } })
  t.strictSame((await client.run('SELECT count(*) FROM child')).rows, [['0']])
})

tap.test('groups of mutations succeed and fail by themselves', async (t) => {
  await reset(['1', 'x', 'one'])
  const insert = (...rows: unknown[][]) => ({ insert: write(['a', 'b', 'v'], ...rows) })
  const child = {
    insert: { table: 'child', columns: ['a', 'b', 'c'], values: [list('9', 'z', '1')] },
  }
  const mutationGroups = [
    {
      mutations: [
        insert(['2', 'x', 'two']),
        { update: write(['a', 'b', 'v'], ['1', 'x', 'eins']) },
      ],
    },
    { mutations: [insert(['3', 'x', 'three']), insert(['1', 'x', 'again'])] },
    { mutations: [child] },
    { mutations: [insert(['4', 'x', 'four'])] },
  ]
  const answers = await client.stream({ mutationGroups }, 'batchWrite').messages
  t.strictSame(
    answers.map(({ indexes, status, commitTimestamp }) => [
      indexes,
      status.code ?? 0,
      commitTimestamp !== undefined,
    ]),
    [
      [[0], 0, true],
      [[1], 6, false],
      [[2], 5, false],
      [[3], 0, true],
    ],
  )
  t.match(answers[1].status.message, /already exists/)
  t.strictSame(await read(ALL), ['1 x eins', '2 x two', '4 x four'])
  for (const groups of [[], [...mutationGroups, { mutations: [] }]]) {
    t.match(
      await failureText(client.stream({ mutationGroups: groups }, 'batchWrite').messages),
      /^3 /,
      'nothing to write',
    )
  }
  t.match(
    await failureText(
      client.stream({ session: `${client.database}/sessions/x`, mutationGroups }, 'batchWrite')
        .messages,
    ),
    /^5 Session not found/,
  )
})

tap.test('values are as large as a column holds', async (t) => {
  await client.ddl('CREATE TABLE large (id bigint PRIMARY KEY, s varchar, b bytea)')
  const put = (column: string, of: string) =>
    commit({
      insertOrUpdate: { table: 'large', columns: ['id', column], values: [list('1', of)] },
    })
  const text = 'New value exceeds the maximum size limit for this column: large.'
  await put('s', '\u{1f600}'.repeat(2_621_440))
  t.equal(
    await failureText(put('s', 'x'.repeat(2_621_441))),
    `9 ${text}s, size: 2621441, limit: 2621440.`,
  )
  const bytes = (size: number) => Buffer.alloc(size).toString('base64')
  await put('b', bytes(10_485_760))
  t.equal(
    await failureText(put('b', bytes(10_485_761))),
    `9 ${text}b, size: 10485761, limit: 10485760.`,
  )
  t.strictSame((await client.run('SELECT length(s), length(b) FROM large')).rows, [
    ['2621440', '10485760'],
  ])
})

tap.test('a group waits for whoever holds its rows', async (t) => {
  await reset(['1', 'x', 'one'])
  const other = await client.newSession()
  const { transaction } = await client.run(`UPDATE t SET v = 'theirs' WHERE a = 1`, {
    session: other,
    in: READ_WRITE,
    seqno: 1,
  })
  const mutationGroups = [{ mutations: [{ update: write(['a', 'b', 'v'], ['1', 'x', 'ours']) }] }]
  const answers = client.stream({ mutationGroups }, 'batchWrite').messages
  await client.call('commit', { session: other, transactionId: transaction })
  t.equal((await answers)[0].status.code ?? 0, 0)
  t.strictSame(await read(ALL), ['1 x ours'])
})
