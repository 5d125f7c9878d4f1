import tap from 'tap'
import { noNames } from '../../server/embedded/database-names.ts'
import { NameReader } from '../../server/embedded/name-reader.ts'
import { connectTo, READ_WRITE, startTestServer } from './embedded-client.ts'

function typeRow(oid: number, name: string) {
  return { kind: 't', oid: String(oid), schema: '', name, detail: '' }
}

tap.test('names are looked up once, all that were asked for at a time', async (t) => {
  const queries: string[] = []
  const query = async (text: string) => {
    queries.push(text)
    return [typeRow(20_000, 'mood')]
  }
  const system = noNames()
  system.types.set(25, 'text')
  const reader = new NameReader(system, noNames(), query)
  const read = () =>
    reader.read((names) => [25, 26, 20_000, 20_001].map((oid) => names.typeAt(oid)))
  t.strictSame(await read(), ['text', undefined, 'mood', undefined])
  t.equal(queries.length, 1)
  t.match(queries[0], /FROM pg_type t WHERE t\.oid IN \(20000, 20001\)$/)
  t.strictSame(await read(), ['text', undefined, 'mood', undefined])
  t.equal(queries.length, 1, 'what is not there is not asked for again')
})

tap.test('what is thrown counts once all names are known', async (t) => {
  const reader = new NameReader(noNames(), noNames(), async () => [typeRow(20_000, 'mood')])
  const demand = (oid: number) =>
    reader.read((names) => {
      const name = names.typeAt(oid)
      if (name === undefined) throw new Error(`no type ${oid}`)
      return name
    })
  t.equal(await demand(20_000), 'mood')
  await t.rejects(demand(20_001), { message: 'no type 20001' })
})

tap.test('in a database', async (t) => {
  const server = await startTestServer()
  const client = await connectTo(server, 'names')
  t.teardown(async () => {
    client.close()
    await server.remove()
  })
  await client.ddl('CREATE TABLE a (id bigint PRIMARY KEY)')

  t.test('a transaction with an older snapshot takes no names from others', async (t) => {
    const session = await client.newSession()
    const { transaction } = await client.run('SELECT * FROM a', {
      in: { begin: { readOnly: { strong: true } } },
      session,
    })
    await client.ddl('CREATE TABLE b (id bigint PRIMARY KEY, v bigint)')
    await client.run('SELECT * FROM b', { in: transaction, session })
    const { count } = await client.write(
      'INSERT INTO b (id, v) VALUES (1, 1) ON CONFLICT (id) DO NOTHING',
    )
    t.equal(count, '1')
  })

  t.test('what is written along is known anew after a schema change', async (t) => {
    const insert = async (id: string) => {
      const session = await client.newSession()
      const { transaction } = await client.run('INSERT INTO c (id, v) VALUES ($1, $1)', {
        in: READ_WRITE,
        seqno: 1,
        session,
        params: [id],
        types: ['INT64'],
      })
      const { commitStats } = await client.call('commit', {
        session,
        transactionId: transaction,
        returnCommitStats: true,
      })
      return commitStats.mutationCount
    }
    await client.ddl('CREATE TABLE c (id bigint PRIMARY KEY, v bigint)')
    t.equal(await insert('1'), '2')
    await client.ddl('CREATE INDEX by_v ON c (v)')
    t.equal(await insert('2'), '3')
  })
})
