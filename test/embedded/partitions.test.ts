import tap from 'tap'
import {
  connectTo,
  failureText,
  type Message,
  READ_ONLY,
  READ_WRITE,
  startTestServer,
  value,
} from './embedded-client.ts'

const server = await startTestServer()
const client = await connectTo(server, 'partitions')
tap.teardown(async () => {
  client.close()
  await server.remove()
})
await client.ddl('CREATE TABLE t (id bigint PRIMARY KEY)')
await client.write('INSERT INTO t (id) VALUES (1), (2), (3)')

const QUERY = {
  sql: 'SELECT id FROM t WHERE id >= $1',
  params: { fields: { p1: value('2') } },
  paramTypes: { p1: { code: 'INT64' } },
}
const READ = { table: 't', columns: ['id'], keySet: { all: true } }

/** Ids of all partitions together. */
async function union(method: string, request: object, partitions: Message[]): Promise<string[]> {
  const ids: string[] = []
  for (const { partitionToken } of partitions) {
    const answer = await client.call(method, { ...request, partitionToken })
    ids.push(...(answer.rows ?? []).map((row: Message) => row.values[0].stringValue))
  }
  return ids.sort()
}

tap.test(
  'the partitions of a query and of a read are what was there when they were made',
  async (t) => {
    const session = await client.newSession()
    const made = await client.call('partitionQuery', { session, transaction: READ_ONLY, ...QUERY })
    const transaction = { id: made.transaction.id }
    const read = await client.call('partitionRead', { session, transaction, ...READ })
    await client.write('INSERT INTO t (id) VALUES (4)')
    const request = { session, transaction }
    t.strictSame(await union('executeSql', { ...request, ...QUERY }, made.partitions), ['2', '3'])
    t.strictSame(await union('read', { ...request, ...READ }, read.partitions), ['1', '2', '3'])

    const other = { ...request, ...QUERY, sql: 'SELECT id FROM t WHERE id <= $1' }
    t.match(
      await failureText(union('executeSql', other, made.partitions)),
      /^3 The partition token/,
    )
    const elsewhere = await client.newSession()
    const { id } = await client.call('beginTransaction', {
      session: elsewhere,
      options: { readOnly: { strong: true } },
    })
    const moved = { session: elsewhere, transaction: { id }, ...QUERY }
    t.match(
      await failureText(union('executeSql', moved, made.partitions)),
      /^3 The partition token/,
    )
  },
)

tap.test('only queries in read-only transactions have partitions', async (t) => {
  const session = await client.newSession()
  const ask = (request: object) =>
    failureText(client.call('partitionQuery', { session, ...request }))
  t.match(await ask({ ...QUERY, transaction: READ_WRITE }), /^3 Partition operations/)
  t.match(await ask(QUERY), /^3 Partition operations/)
  t.match(
    await ask({ transaction: READ_ONLY, sql: 'DELETE FROM t WHERE true' }),
    /^3 DML statements/,
  )
  t.match(await ask({ transaction: READ_ONLY, sql: 'SELECT id FROM missing' }), /^5 relation/)
})
