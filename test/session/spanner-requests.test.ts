import t from 'tap'
import { startRecordedEmbedded } from '../helpers/recorded-backend.ts'
import type { Message } from '../helpers/spanner-protos.ts'
import { startSpanwire } from '../helpers/spanwire.ts'
import { WireClient } from '../helpers/wire-client.ts'

t.test('what settings and isolation levels ask of Spanner', async (t) => {
  const backend = await startRecordedEmbedded()
  const spanwire = await startSpanwire({ env: backend.env })
  const { client } = await WireClient.connect(spanwire, { user: 'me', database: 'postgres' })
  t.teardown(async () => {
    await client.end()
    await spanwire.stop()
    await backend.stop()
  })
  await client.query('create table r (id bigint primary key, n bigint)')
  await client.query('insert into r values (1, 0)')

  /** The requests of some statements under some settings. */
  const requests = async (settings: readonly string[], text: string) => {
    for (const setting of settings) await client.query(`set ${setting}`)
    backend.proxy.clear()
    const answers = await client.query(text)
    t.notOk(
      answers.find(({ name }) => name === 'error'),
      text,
    )
    const made = backend.proxy.calls.map(
      (call): Message => ({ method: call.method, ...call.request() }),
    )
    await client.query('discard all')
    return made
  }
  const PRIORITY_LOW = 1
  const update = 'update r set n = n + 1'
  const read = 'select * from r'
  // ReadLockMode PESSIMISTIC and IsolationLevel REPEATABLE_READ; what is absent has its default.
  const serializable = { mode: 'readWrite', readWrite: {} }
  const repeatable = { ...serializable, readWrite: { readLockMode: 1 }, isolationLevel: 2 }
  const begun = async (settings: readonly string[], text: string) => {
    const [first = {}] = await requests(settings, text)
    return (first['transaction'] as { readonly begin?: unknown } | undefined)?.begin
  }

  await t.test('isolation levels', async (t) => {
    const asRepeatable = "spanwire.read_committed_runs_as = 'repeatable_read'"
    for (const [level, settings, expected] of [
      ['read committed', [], serializable],
      ['read uncommitted', [], serializable],
      ['repeatable read', [], repeatable],
      ['serializable', [], serializable],
      ['read committed', [asRepeatable], repeatable],
      ['read uncommitted', [asRepeatable], repeatable],
      ['serializable', [asRepeatable], serializable],
    ] as const) {
      const text = `begin isolation level ${level}; ${update}; ${read}; commit`
      t.strictSame(await begun(settings, text), expected, `${level} ${settings}`)
    }
    t.strictSame(await begun([asRepeatable], update), repeatable, 'outside a block')
  })

  await t.test('tags and priority are on every request of a transaction', async (t) => {
    const settings = [
      "spanner.transaction_tag = 'tx'",
      "spanner.statement_tag = 'st'",
      "spanner.rpc_priority = 'low'",
    ]
    const statement = { priority: PRIORITY_LOW, requestTag: 'st', transactionTag: 'tx' }
    const commit = { priority: PRIORITY_LOW, transactionTag: 'tx' }
    t.match(await requests(settings, `begin; ${update}; ${read}; commit`), [
      { method: 'ExecuteStreamingSql', requestOptions: statement },
      { method: 'ExecuteStreamingSql', requestOptions: statement },
      { method: 'Commit', requestOptions: commit },
    ])
    t.match(await requests(settings, `${update}; ${update}`), [
      { method: 'ExecuteBatchDml', requestOptions: statement },
      { method: 'Commit', requestOptions: commit },
    ])
    const [single = {}] = await requests(settings, read)
    t.strictSame(single['requestOptions'], { priority: PRIORITY_LOW, requestTag: 'st' })
  })

  await t.test('Commit', async (t) => {
    const settings = ["spanner.max_commit_delay = '20ms'", 'spanner.return_commit_stats = on']
    const [, commit] = await requests(settings, update)
    t.match(commit, { returnCommitStats: true, maxCommitDelay: { nanos: 20_000_000 } })
    const [, plain] = await requests([], update)
    t.hasStrict(plain, { method: 'Commit' })
    t.notHas(plain, { returnCommitStats: true })
    t.equal(plain?.['maxCommitDelay'], undefined)
  })

  await t.test('change streams, staleness, partitioned DML', async (t) => {
    const [excluded] = await requests(['spanner.exclude_txn_from_change_streams = on'], update)
    t.match(excluded, { transaction: { begin: { excludeTxnFromChangeStreams: true } } })
    t.match(await requests(["spanner.read_only_staleness = 'exact_staleness 1us'"], read), [
      { transaction: { singleUse: { readOnly: { exactStaleness: { nanos: 1000 } } } } },
    ])
    const partitioned = ["spanner.autocommit_dml_mode = 'partitioned_non_atomic'"]
    t.match(await requests(partitioned, update), [
      { method: 'BeginTransaction', options: { partitionedDml: {} } },
      { method: 'ExecuteStreamingSql' },
    ])
  })
})
