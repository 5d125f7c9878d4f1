import { deletion, mutation, type Scenario, type Script } from './script.ts'

const STRONG = { readOnly: { strong: true } }
const WRITE = { readWrite: {} }
const PARTITIONED = { partitionedDml: {} }
const INSERT = "INSERT INTO p (id, name) VALUES (10, 'ten')"
const TEN = mutation('insert', 'p', ['id', 'name'], ['11', 'eleven'])
const SECOND = { seconds: 1 }

type Transaction = ReturnType<Script['begin']>

/** Every kind of request in a transaction. */
function askAll(script: Script, transaction: Transaction, when: string): void {
  const keySet = { all: true }
  const { session, id } = transaction
  script.sql(transaction, 'SELECT count(*) FROM p', {}, `query ${when}`)
  script.sql(transaction, INSERT, {}, `dml ${when}`)
  script.read(transaction, 'p', { keySet }, when)
  script.call('executeStreamingSql', { ...script.at(transaction), sql: 'SELECT 1' }, when)
  script.call(
    'streamingRead',
    { ...script.at(transaction), table: 'p', columns: ['id'], keySet },
    when,
  )
  script.call('executeBatchDml', { ...script.at(transaction), statements: [{ sql: INSERT }] }, when)
  script.call('partitionQuery', { session, transaction: { id }, sql: 'SELECT id FROM p' }, when)
  script.call(
    'partitionRead',
    { session, transaction: { id }, table: 'p', columns: ['id'], keySet },
    when,
  )
}

/** Commit and Rollback, with and without something to do. */
function endAll(script: Script, transaction: Transaction, when: string): void {
  script.commit(transaction, [], when)
  script.commit(transaction, [TEN], `with mutations ${when}`)
  script.call('rollback', { session: transaction.session, transactionId: transaction.id }, when)
}

export const TRANSACTION_SCENARIOS: readonly Scenario[] = [
  {
    name: 'committed',
    write: (script) => {
      const transaction = script.begin(script.session())
      script.sql(transaction, INSERT)
      script.commit(transaction)
      script.commit(transaction, [], 'again')
      askAll(script, transaction, 'after')
      endAll(script, transaction, 'after')
      script.sql(transaction.session, 'SELECT id FROM p ORDER BY id')
    },
  },
  {
    name: 'committed without anything',
    write: (script) => {
      const transaction = script.begin(script.session())
      script.commit(transaction)
      endAll(script, transaction, 'after')
    },
  },
  {
    name: 'rolled back',
    write: (script) => {
      const transaction = script.begin(script.session())
      script.sql(transaction, INSERT)
      script.rollback(transaction)
      script.rollback(transaction)
      askAll(script, transaction, 'after')
      endAll(script, transaction, 'after')
      script.sql(transaction.session, 'SELECT id FROM p ORDER BY id')
    },
  },
  {
    name: 'read-only',
    write: (script) => {
      const transaction = script.begin(script.session(), STRONG)
      askAll(script, transaction, 'in')
      endAll(script, transaction, 'in')
      script.sql(transaction, 'SELECT id FROM p WHERE id = 1 FOR UPDATE')
    },
  },
  {
    name: 'partitioned dml',
    write: (script) => {
      const session = script.session()
      for (const sql of [
        "UPDATE p SET note = 'p' WHERE id > 1",
        'DELETE FROM q WHERE true',
        INSERT,
        'SELECT 1',
        'UPDATE p SET name = NULL WHERE true',
        'UPDATE nope SET a = 1 WHERE true',
        "UPDATE p SET note = 'p' WHERE id IN (SELECT id FROM r)",
        "UPDATE p SET note = 'p' WHERE true RETURNING id",
      ])
        script.sql(script.begin(session, PARTITIONED), sql)
      const transaction = script.begin(session, PARTITIONED)
      script.sql(transaction, "UPDATE p SET note = 'q' WHERE true")
      script.sql(transaction, "UPDATE p SET note = 'q' WHERE true", {}, 'a second statement')
      script.sql(transaction, 'DELETE FROM q WHERE true', {}, 'another statement')
      const once = script.begin(session, PARTITIONED)
      for (const id of ['1', '1', '2'])
        script.sql(once, `UPDATE p SET note = 'q' WHERE id = ${id}`, { seqno: 0 })
      script.sql(
        script.begin(session, PARTITIONED),
        "UPDATE p SET note = 'never' WHERE true",
        { queryMode: 'PLAN' },
        'planned',
      )
      askAll(script, script.begin(session, PARTITIONED), 'in')
      endAll(script, transaction, 'in')
      script.sql(session, 'SELECT id, note FROM p ORDER BY id')
    },
  },
  {
    name: 'of another session',
    write: (script) => {
      const session = script.session()
      const other = script.session()
      for (const options of [WRITE, STRONG, PARTITIONED]) {
        const transaction = script.begin(session, options)
        const stolen = { session: other, id: transaction.id }
        const kind = Object.keys(options).join()
        askAll(script, stolen, kind)
        endAll(script, stolen, kind)
        script.rollback(transaction)
      }
    },
  },
  {
    name: 'invented',
    write: (script) => {
      const session = script.session()
      for (const id of ['1', '1234', '987654321']) {
        const transaction = { session, id: Buffer.from(id) }
        askAll(script, transaction, id)
        endAll(script, transaction, id)
      }
      script.sql(session, 'SELECT id FROM p ORDER BY id')
    },
  },
  {
    name: 'replaced on its session',
    write: (script) => {
      const session = script.session()
      for (const [first, second] of [
        [WRITE, WRITE],
        [WRITE, STRONG],
        [STRONG, WRITE],
        [STRONG, STRONG],
        [WRITE, PARTITIONED],
        [PARTITIONED, WRITE],
      ] as const) {
        const old = script.begin(session, first)
        const young = script.begin(session, second)
        const kinds = [first, second].map((options) => Object.keys(options).join()).join(', ')
        script.sql(old, 'SELECT 1', {}, `old of ${kinds}`)
        script.commit(old, [], `old of ${kinds}`)
        script.call('rollback', { session, transactionId: old.id }, `old of ${kinds}`)
        script.sql(young, 'SELECT 1', {}, `young of ${kinds}`)
        script.rollback(young)
      }
      const open = script.begin(session, WRITE, 'beside a single use')
      script.sql(session, 'SELECT 1', {}, 'single use')
      script.sql(open, 'SELECT 1', {}, 'after a single use')
      script.write(session, [TEN], 'mutations alone')
      script.sql(open, 'SELECT 1', {}, 'after mutations alone')
      script.commit(open)
    },
  },
  {
    name: 'options of a begin',
    write: (script) => {
      const session = script.session()
      const timestamp = { seconds: 1 }
      const past = { seconds: 1_000_000_000 }
      const far = { seconds: 95_617_584_000 }
      const readOnly: readonly object[] = [
        {},
        { strong: true },
        { strong: false },
        { strong: true, returnReadTimestamp: true },
        { maxStaleness: SECOND },
        { minReadTimestamp: past },
        { readTimestamp: timestamp },
        { readTimestamp: past },
        { readTimestamp: far },
        { exactStaleness: SECOND },
        { exactStaleness: { seconds: 0 } },
        { exactStaleness: { seconds: -1 } },
        { exactStaleness: { seconds: 100_000 } },
        { maxStaleness: { seconds: -1 } },
        { readTimestamp: { seconds: -1 } },
        { readTimestamp: { seconds: 0, nanos: -1 } },
        { readTimestamp: { seconds: 1_000_000_000, nanos: 1_000_000_000 } },
        { minReadTimestamp: far },
      ]
      for (const options of [...readOnly.map((one) => ({ readOnly: one })), {}]) {
        const shown = JSON.stringify(options)
        script.begin(session, options)
        script.sql(session, 'SELECT 1', { transaction: { singleUse: options } }, `single ${shown}`)
        script.sql(session, 'SELECT 1', { transaction: { begin: options } }, `begin ${shown}`)
        const read = { table: 'p', columns: ['id'], keySet: { all: true } }
        script.call(
          'read',
          { session, ...read, transaction: { singleUse: options } },
          `single ${shown}`,
        )
      }
      for (const options of [WRITE, PARTITIONED]) {
        const shown = JSON.stringify(options)
        script.sql(session, 'SELECT 1', { transaction: { singleUse: options } }, `single ${shown}`)
        script.sql(session, INSERT, { transaction: { singleUse: options } }, `dml single ${shown}`)
      }
      script.sql(session, 'SELECT 1', { transaction: {} }, 'an empty selector')
      script.sql(session, INSERT, { seqno: 1, transaction: {} }, 'dml, an empty selector')
      script.sql(session, INSERT, { seqno: 1 }, 'dml without a selector')
      script.sql(
        session,
        INSERT,
        { seqno: 1, transaction: { begin: PARTITIONED } },
        'dml, partitioned inline',
      )
      script.sql(
        session,
        INSERT,
        { seqno: 1, transaction: { begin: STRONG } },
        'dml, read-only inline',
      )
      for (const isolationLevel of ['SERIALIZABLE', 'REPEATABLE_READ']) {
        script.begin(session, { ...WRITE, isolationLevel })
        script.begin(session, { ...STRONG, isolationLevel })
      }
      for (const readLockMode of ['PESSIMISTIC', 'OPTIMISTIC'])
        script.begin(session, { readWrite: { readLockMode } })
      script.begin(session, { ...WRITE, excludeTxnFromChangeStreams: true })
      script.begin(session, { ...STRONG, excludeTxnFromChangeStreams: true })
      script.call('beginTransaction', { session, options: WRITE, mutationKey: TEN }, 'mutation key')
    },
  },
  {
    name: 'inline begins',
    write: (script) => {
      const session = script.session()
      const begin = { begin: WRITE }
      script.sql(session, 'SELECT nope', { transaction: begin, seqno: 1 }, 'a query that fails')
      script.sql(
        session,
        INSERT.replace('10', '1'),
        { transaction: begin, seqno: 1 },
        'dml that fails',
      )
      const one = script.first(session, 'SELECT 1 AS one')
      script.sql(one, INSERT)
      script.commit(one)
      const two = script.first(session, 'DELETE FROM p WHERE id = 10')
      script.commit(two)
      script.call('executeBatchDml', {
        session,
        transaction: begin,
        seqno: 1,
        statements: [{ sql: INSERT }, { sql: 'DELETE FROM p WHERE id = 10' }],
      })
      script.call(
        'executeBatchDml',
        { session, transaction: begin, seqno: 1, statements: [{ sql: INSERT.replace('10', '1') }] },
        'that fails',
      )
      script.call(
        'executeBatchDml',
        { session, transaction: begin, seqno: 1, statements: [{ sql: 'SELECT 1' }] },
        'a query',
      )
      script.call('executeBatchDml', { session, transaction: begin, seqno: 1 }, 'of nothing')
      script.call(
        'executeBatchDml',
        { session, seqno: 1, statements: [{ sql: INSERT }] },
        'without a selector',
      )
      script.call(
        'executeBatchDml',
        { session, transaction: { singleUse: WRITE }, seqno: 1, statements: [{ sql: INSERT }] },
        'single use',
      )
      script.call(
        'executeBatchDml',
        { session, transaction: { begin: STRONG }, seqno: 1, statements: [{ sql: INSERT }] },
        'read-only',
      )
      const table = { table: 'p', columns: ['id'], keySet: { all: true } }
      script.call('read', { session, transaction: begin, ...table }, 'begins')
      script.call('read', { session, transaction: begin, ...table, columns: ['nope'] }, 'fails')
      script.call('streamingRead', { session, transaction: { begin: STRONG }, ...table }, 'begins')
      script.call(
        'partitionQuery',
        { session, transaction: begin, sql: 'SELECT id FROM p' },
        'read-write',
      )
      script.sql(session, 'SELECT id FROM p ORDER BY id')
    },
  },
  {
    name: 'seqno',
    write: (script) => {
      const transaction = script.begin(script.session())
      const insert = (id: number) => `INSERT INTO p (id, name) VALUES (${id}, 'x')`
      script.sql(transaction, insert(20), { seqno: 5 }, 'first')
      script.sql(transaction, insert(20), { seqno: 5 }, 'repeated')
      script.sql(transaction, insert(21), { seqno: 5 }, 'another one with the same seqno')
      script.sql(transaction, insert(21), { seqno: 4 }, 'going back')
      script.sql(transaction, 'SELECT count(*) FROM p', { seqno: 4 }, 'a query with an old seqno')
      script.sql(transaction, insert(21), { seqno: 0 }, 'without seqno')
      script.sql(transaction, insert(22), { seqno: -1 }, 'negative')
      const batch = (where: Transaction, seqno: number, ...ids: number[]) => ({
        ...script.at(where),
        seqno,
        statements: ids.map((id) => ({ sql: insert(id) })),
      })
      script.call('executeBatchDml', batch(transaction, 10, 30, 31), 'first')
      script.call('executeBatchDml', batch(transaction, 10, 30, 31), 'repeated')
      script.call('executeBatchDml', batch(transaction, 10, 32), 'another one')
      script.call('executeBatchDml', batch(transaction, 9, 33), 'going back')
      script.sql(transaction, insert(30), { seqno: 10 }, 'a statement with the number of a batch')
      script.sql(transaction, 'SELECT id FROM p ORDER BY id')
      script.commit(transaction)
      const second = script.begin(transaction.session)
      script.sql(second, insert(20), { seqno: 8 }, 'fails')
      script.sql(second, insert(20), { seqno: 8 }, 'fails again')
      script.rollback(second)
      const third = script.begin(transaction.session)
      script.call('executeBatchDml', batch(third, 11, 34, 34, 35), 'fails in the middle')
      script.call('executeBatchDml', batch(third, 11, 34, 34, 35), 'fails in the middle, repeated')
      script.rollback(third)
    },
  },
  {
    name: 'after a statement that failed',
    write: (script) => {
      const session = script.session()
      for (const sql of [
        "INSERT INTO p (id, name) VALUES (1, 'again')",
        'INSERT INTO nope (id) VALUES (1)',
        'SELECT nope',
        'SELECT 1 / 0',
        'INSERT INTO r (id, pid) VALUES (7, 77)',
        'INSERT INTO c (id, n) VALUES (77, 1)',
        'UPDATE g SET n = 100 WHERE id = 1',
        'DELETE FROM p WHERE id = 1',
        "UPDATE p SET name = 'far too long a name' WHERE id = 1",
        'UPDATE p SET name = NULL WHERE id = 1',
        "UPDATE k SET w = 'v' WHERE a = 'a' AND b = 1",
      ]) {
        const transaction = script.begin(session)
        script.sql(transaction, INSERT, {}, `before ${sql}`)
        script.sql(transaction, sql)
        script.sql(transaction, 'SELECT count(*) FROM p', {}, `after ${sql}`)
        script.rollback(transaction)
      }
    },
  },
  {
    name: 'after a Commit that failed',
    write: (script) => {
      const session = script.session()
      for (const bad of [
        mutation('insert', 'p', ['id', 'name'], ['1', 'again']),
        mutation('insert', 'nope', ['id'], ['1']),
        mutation('insert', 'p', ['id', 'nope'], ['60', '1']),
        mutation('update', 'p', ['id', 'note'], ['60', '1']),
        deletion('p', { keys: [{ values: [{ stringValue: '1' }] }] }),
      ]) {
        const transaction = script.begin(session)
        script.sql(transaction, "INSERT INTO p (id, name) VALUES (70, 'x')")
        script.commit(transaction, [bad], JSON.stringify(bad))
        script.commit(transaction, [], 'again')
        script.sql(transaction, 'SELECT 1')
        script.call('rollback', { session, transactionId: transaction.id })
        script.sql(session, 'SELECT id FROM p ORDER BY id')
      }
    },
  },
  {
    name: 'requests of Commit',
    write: (script) => {
      const session = script.session()
      const single = (options: object, mutations: readonly object[], more: object = {}) =>
        script.call(
          'commit',
          { session, singleUseTransaction: options, mutations, ...more },
          JSON.stringify([options, mutations.length, more]),
        )
      single(WRITE, [])
      single(WRITE, [TEN])
      single(STRONG, [TEN])
      single(PARTITIONED, [TEN])
      single({}, [TEN])
      single(STRONG, [])
      single(WRITE, [deletion('p', { keys: [] })], { returnCommitStats: true })
      single(WRITE, [mutation('update', 'p', ['id', 'note'], ['1', 'a'])], {
        returnCommitStats: true,
      })
      single(WRITE, [mutation('insertOrUpdate', 'p', ['id', 'name'], ['1', 'a'], ['12', 'b'])], {
        returnCommitStats: true,
      })
      single(WRITE, [mutation('update', 'k', ['a', 'b', 'v'], ['a', '1', '5'])], {
        returnCommitStats: true,
      })
      single(WRITE, [{}])
      single(WRITE, [TEN], { maxCommitDelay: { nanos: 10_000_000 } })
      single(WRITE, [deletion('p', { keys: [] })], { maxCommitDelay: { nanos: 10_000_000 } })
      single(WRITE, [deletion('p', { keys: [] })], { maxCommitDelay: { seconds: 10 } })
      single(WRITE, [deletion('p', { keys: [] })], { maxCommitDelay: { seconds: -1 } })
      const transaction = script.first(session, "UPDATE p SET note = 'q' WHERE id < 3")
      script.call(
        'commit',
        { session, transactionId: transaction.id, returnCommitStats: true },
        'stats',
      )
      script.call('commit', { session }, 'of nothing')
      const group = { mutations: [mutation('insert', 'p', ['id', 'name'], ['90', 'x'])] }
      script.call('batchWrite', { session, mutationGroups: [group] }, 'one group')
      script.call('batchWrite', { session, mutationGroups: [] }, 'no group')
      script.call('batchWrite', { session, mutationGroups: [{}] }, 'an empty group')
    },
  },
  {
    name: 'mutations behind statements',
    write: (script) => {
      const transaction = script.begin(script.session())
      script.sql(transaction, "INSERT INTO p (id, name) VALUES (40, 'x')")
      script.sql(transaction, 'INSERT INTO c (id, n) VALUES (40, 1)')
      script.commit(transaction, [
        mutation('update', 'p', ['id', 'note'], ['40', 'y']),
        mutation('insert', 'r', ['id', 'pid'], ['40', '40']),
      ])
      script.sql(transaction.session, 'SELECT id, name, note FROM p ORDER BY id')
    },
  },
  {
    name: 'last statements',
    write: (script) => {
      const session = script.session()
      const one = script.begin(session)
      script.sql(one, INSERT, { lastStatement: true })
      script.sql(one, 'SELECT 1', {}, 'behind the last')
      script.sql(one, "UPDATE p SET note = 'w' WHERE true", {}, 'dml behind the last')
      script.commit(one)
      const two = script.begin(session)
      script.call('executeBatchDml', {
        ...script.at(two),
        lastStatements: true,
        statements: [{ sql: 'DELETE FROM p WHERE id = 10' }],
      })
      script.commit(two)
      const three = script.begin(session)
      script.sql(three, "INSERT INTO p (id, name) VALUES (1, 'x')", { lastStatement: true })
      script.commit(three)
    },
  },
]
