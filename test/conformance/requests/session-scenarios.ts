import type { Scenario } from './script.ts'

export const SESSION_SCENARIOS: readonly Scenario[] = [
  {
    name: 'sessions',
    write: (script) => {
      const { database } = script
      const own = script.session()
      script.call('getSession', { name: own })
      const labelled = script.session({ session: { labels: { a: '1' } } })
      script.call('getSession', { name: labelled }, 'with labels')
      script.session({ session: { multiplexed: true } })
      script.session({ session: { creatorRole: 'nobody' } })
      for (const labels of [{ A: '1' }, { a: 'B C' }, { '': '1' }, { a: '' }])
        script.session({ session: { labels } })
      script.call('createSession', { database: 'nonsense' }, 'of nonsense')
      script.call(
        'createSession',
        { database: 'projects/p/instances/i/databases/none' },
        'elsewhere',
      )
      script.call('createSession', {}, 'of nothing')
      for (const sessionCount of [0, -1, 1, 3])
        script.call('batchCreateSessions', { database, sessionCount }, `${sessionCount}`)
      script.call('batchCreateSessions', { database }, 'without a count')
      script.call(
        'batchCreateSessions',
        { database, sessionCount: 1, sessionTemplate: { multiplexed: true } },
        'multiplexed',
      )
      for (const name of ['nonsense', script.nobody, '']) {
        script.call('getSession', { name }, `${name}`)
        script.call('deleteSession', { name }, `${name}`)
      }
      script.call('deleteSession', { name: own })
      script.call('deleteSession', { name: own }, 'again')
      script.call('getSession', { name: own }, 'deleted')
      script.sql(own, 'SELECT 1', {}, 'in a deleted one')
      script.call('listSessions', { database: 'nonsense' }, 'of nonsense')
      script.call('listSessions', { database, pageToken: 'nonsense' }, 'from nonsense')
    },
  },
  {
    name: 'no session',
    write: (script) => {
      const at = { transaction: { id: Buffer.from('1') } }
      const keySet = { all: true }
      for (const [what, session] of [
        ['unknown', script.nobody],
        ['nonsense', 'x'],
        ['empty', ''],
      ] as const) {
        script.sql(session, 'SELECT 1', {}, what)
        script.call('executeStreamingSql', { session, sql: 'SELECT 1' }, what)
        script.call(
          'executeBatchDml',
          { ...at, session, statements: [{ sql: 'DELETE FROM p' }] },
          what,
        )
        script.call('read', { session, table: 'p', columns: ['id'], keySet }, what)
        script.call('streamingRead', { session, table: 'p', columns: ['id'], keySet }, what)
        script.call('beginTransaction', { session, options: { readWrite: {} } }, what)
        script.call('commit', { session, transactionId: Buffer.from('1') }, what)
        script.call('rollback', { session, transactionId: Buffer.from('1') }, what)
        script.call('partitionQuery', { ...at, session, sql: 'SELECT id FROM p' }, what)
        script.call('partitionRead', { ...at, session, table: 'p', columns: ['id'], keySet }, what)
        script.call('batchWrite', { session, mutationGroups: [] }, what)
      }
    },
  },
  {
    name: 'multiplexed sessions',
    write: (script) => {
      const session = script.session({ session: { multiplexed: true } })
      const one = script.begin(session)
      script.sql(one, "INSERT INTO p (id, name) VALUES (10, 'ten')")
      script.sql(one, 'SELECT id FROM p ORDER BY id')
      script.commit(one)
      const snapshot = script.begin(session, { readOnly: { strong: true } })
      const other = script.begin(session, { readOnly: { strong: true } }, 'a second one')
      script.sql(snapshot, 'SELECT count(*) FROM p')
      script.sql(other, 'SELECT count(*) AS n FROM p')
      script.sql(session, 'SELECT 2')
      script.begin(session, { partitionedDml: {} })
    },
  },
]
