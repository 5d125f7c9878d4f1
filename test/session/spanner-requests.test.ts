import t, { type Test } from 'tap'
import { orSkip } from '../helpers/on-emulator.ts'
import {
  type BackendKind,
  type RecordedBackend,
  startRecordedBackend,
} from '../helpers/recorded-backend.ts'
import { isSchemaLook } from '../helpers/schema-look.ts'
import type { Message } from '../helpers/spanner-protos.ts'
import { startSpanwire } from '../helpers/spanwire.ts'
import { WireClient } from '../helpers/wire-client.ts'

for (const kind of ['embedded', 'emulator'] as const) {
  t.test(`what settings and isolation levels ask of Spanner: ${kind}`, (t) =>
    orSkip(
      t,
      () => startRecordedBackend(kind),
      (backend) => checkRequests(t, backend, kind),
    ),
  )
}

async function checkRequests(t: Test, backend: RecordedBackend, kind: BackendKind): Promise<void> {
  const spanwire = await startSpanwire({ env: backend.env })
  const { client } = await WireClient.connect(spanwire, { user: 'me', database: 'postgres' })
  t.teardown(async () => {
    await client.end()
    await spanwire.stop()
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
    const made = backend.proxy.calls
      .filter((call) => !isSchemaLook(call))
      .map((call): Message => ({ method: call.method, ...call.request() }))
    await client.query('discard all')
    return made
  }
  const PRIORITY_LOW = 1
  const update = 'update r set n = n + 1'
  const read = 'select * from r'
  // ReadLockMode PESSIMISTIC and IsolationLevel REPEATABLE_READ; what is absent has its default. The emulator has one level.
  const serializable = { mode: 'readWrite', readWrite: {} }
  const repeatable =
    kind === 'emulator'
      ? serializable
      : { ...serializable, readWrite: { readLockMode: 1 }, isolationLevel: 2 }
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

  await t.test('a replay sends each statement under its own tag', async (t) => {
    const tag = (name: string) => `set local spanner.statement_tag = '${name}'`
    const first = `${tag('a')}; ${update}; ${update}; ${tag('b')}; ${update}; ${update}; ${tag('c')}; ${read} for update`
    const second = `savepoint s; ${tag('d')}; ${update}; rollback to s; ${tag('e')}; ${read}`
    const sent = await requests([], `begin; ${first}; ${second}; commit`)
    const rolledBack = sent.findIndex(({ method }) => method === 'Rollback')
    t.match(sent.slice(rolledBack + 1), [
      { method: 'ExecuteBatchDml', requestOptions: { requestTag: 'a' }, statements: { length: 2 } },
      { method: 'ExecuteBatchDml', requestOptions: { requestTag: 'b' }, statements: { length: 2 } },
      { method: 'ExecuteStreamingSql', requestOptions: { requestTag: 'c' } },
      { method: 'ExecuteStreamingSql', requestOptions: { requestTag: 'e' } },
      { method: 'Commit' },
    ])
  })

  await t.test('the optimizer, on every statement by itself', async (t) => {
    const settings = [
      "spanner.optimizer_version = 'latest'",
      "spanner.optimizer_statistics_package = 'auto_1'",
    ]
    const queryOptions = { optimizerVersion: 'latest', optimizerStatisticsPackage: 'auto_1' }
    const [single] = await requests(settings, read)
    t.match(single, { queryOptions })
    t.match(await requests(settings, `begin read only; ${read}; commit`), [{ queryOptions }])
    t.match(await requests(settings, `begin; ${update}; ${read}; commit`), [
      { queryOptions },
      { queryOptions },
      { method: 'Commit' },
    ])
    const [plain] = await requests([], read)
    t.notOk(plain?.['queryOptions'])
  })

  await t.test('directed reads, outside read-write transactions', async (t) => {
    const only = [
      `spanner.directed_read = '{"includeReplicas": {"replicaSelections": [{"location": "us-east4", "type": "READ_ONLY"}], "autoFailoverDisabled": true}}'`,
    ]
    const directedReadOptions = {
      includeReplicas: {
        replicaSelections: [{ location: 'us-east4', type: 2 }],
        autoFailoverDisabled: true,
      },
    }
    t.match(await requests(only, read), [{ directedReadOptions }])
    t.match(await requests(only, `begin read only; ${read}; commit`), [{ directedReadOptions }])
    for (const request of await requests(only, `begin; ${read}; ${update}; commit`)) {
      t.notOk(request['directedReadOptions'], 'Spanner would refuse it')
    }
    const [not] = await requests(
      [
        `spanner.directed_read = '{"exclude_replicas": {"replica_selections": [{"type": "READ_WRITE"}]}}'`,
      ],
      read,
    )
    t.match(not, {
      directedReadOptions: { excludeReplicas: { replicaSelections: [{ type: 1 }] } },
    })
  })

  await t.test('locks of reads', async (t) => {
    const optimistic = ["spanner.read_lock_mode = 'optimistic'"]
    t.strictSame(await begun(optimistic, update), {
      ...serializable,
      readWrite: { readLockMode: 2 },
    })
    const text = `begin isolation level repeatable read; ${update}; commit`
    t.strictSame(await begun(optimistic, text), { ...repeatable, readWrite: { readLockMode: 2 } })
    t.strictSame(await begun(["spanner.read_lock_mode = 'pessimistic'"], update), {
      ...serializable,
      readWrite: { readLockMode: 1 },
    })
  })

  await t.test('a replay asks as the first run did', async (t) => {
    const settings = ["spanner.transaction_tag = 'tx'", "spanner.rpc_priority = 'low'"]
    const text = `begin; ${update}; savepoint s; update r set n = 7; rollback to s; ${read}; commit`
    const replayed = (await requests(settings, text)).slice(3)
    t.match(
      replayed.map(({ method }) => method),
      ['ExecuteBatchDml', 'ExecuteStreamingSql', 'Commit'],
    )
    for (const { requestOptions } of replayed) {
      t.match(requestOptions, { priority: PRIORITY_LOW, transactionTag: 'tx' })
    }
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
    const partitioned = [
      "spanner.autocommit_dml_mode = 'partitioned_non_atomic'",
      "spanner.statement_tag = 'st'",
    ]
    if (kind === 'emulator') return
    t.match(await requests(partitioned, update), [
      { method: 'BeginTransaction', options: { partitionedDml: {} } },
      { method: 'ExecuteStreamingSql', requestOptions: { requestTag: 'st' } },
    ])
  })
}
