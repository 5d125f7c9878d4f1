import { list, type Scenario } from './script.ts'

const STRONG = { readOnly: { strong: true } }
const KEYS = ['a', 'b', 'v', 'w'] as const
type Bound = readonly unknown[]

function range(
  start: Bound | undefined,
  end: Bound | undefined,
  kinds: readonly [string, string] = ['Closed', 'Closed'],
): object {
  return {
    ranges: [
      {
        ...(start === undefined ? {} : { [`start${kinds[0]}`]: list(...start) }),
        ...(end === undefined ? {} : { [`end${kinds[1]}`]: list(...end) }),
      },
    ],
  }
}

const keys = (...of: readonly Bound[]) => ({ keys: of.map((key) => list(...key)) })

const KINDS = [
  ['Closed', 'Closed'],
  ['Closed', 'Open'],
  ['Open', 'Closed'],
  ['Open', 'Open'],
] as const

export const READ_SCENARIOS: readonly Scenario[] = [
  {
    name: 'reads by the primary key',
    write: (script) => {
      const session = script.session()
      const read = (keySet: object | undefined, more: object = {}) =>
        script.read(session, 'k', {
          columns: KEYS,
          ...(keySet === undefined ? {} : { keySet }),
          ...more,
        })
      read({ all: true })
      read({ all: true }, { limit: 2 })
      read({ all: true }, { limit: -1 })
      read({ all: true }, { limit: 100 })
      read({ all: true }, { columns: [] })
      read({ all: true }, { columns: ['nope'] })
      read({ all: true }, { columns: ['A'] })
      read({ all: true }, { columns: ['v', 'v'] })
      read({ all: true }, { columns: ['"a"'] })
      read({ all: true }, { columns: ['*'] })
      read({})
      read(undefined)
      read({ all: false })
      read(keys(['a', '1']))
      read(keys(['a', '1'], ['c', '5'], ['a', '1']))
      read(keys(['z', '1']))
      read(keys(['a']))
      read(keys([]))
      read(keys(['a', '1', 'x']))
      read(keys([null, '1']))
      read(keys(['a', null]))
      read(keys(['a', 'x']))
      read(keys(['a', 1]))
      read(keys([1, '1']))
      read(keys(['a', true]))
      read(keys(['a', ['1']]))
      read(keys(['a', '9223372036854775808']))
      read({ ...keys(['a', '1']), all: true })
      read({ ...keys(['c', '5']), ...range(['a'], ['b']) })
      read({ ranges: [{}] })
      read(range(['a'], undefined))
      read(range(undefined, ['a']))
      read(range(['b'], ['a']))
      read(range([], []))
      read(range([], ['a']))
      read(range(['b'], []))
      read(range([], [], ['Open', 'Open']))
      read(range(['a', '1', 'x'], ['b']))
      read(range(['a', 'x'], ['b']))
      read(range(['a', '1'], ['a', '2']), { limit: 1 })
      for (const kinds of KINDS) {
        read(range(['a'], ['b'], kinds))
        read(range(['a', '1'], ['c', '1'], kinds))
        read(range(['a', '2'], ['b'], kinds))
        read(range(['a'], ['b', '1'], kinds))
        read(range([null], ['b'], kinds))
        read(range(['b'], [null], kinds))
        read(range(['a', null], ['b', null], kinds))
        read(range([null], [null], kinds))
      }
    },
  },
  {
    name: 'reads by an index',
    write: (script) => {
      const session = script.session()
      for (const [index, columns] of [
        ['k_v', ['a', 'b', 'v']],
        ['k_vd', ['a', 'b', 'v', 'w']],
        ['k_w', ['a', 'b', 'w']],
        ['k_f', ['a', 'b', 'v']],
      ] as const) {
        const read = (keySet: object, more: object = {}) =>
          script.read(session, 'k', { index, columns, keySet, ...more })
        const [one, two] = index === 'k_w' ? ['u', 'x'] : ['10', '20']
        read({ all: true })
        read({ all: true }, { limit: 3 })
        read({ all: true }, { columns: ['nope'] })
        read({ all: true }, { columns: ['a', 'w'] })
        read({ all: true }, { columns: ['v'] })
        read({ all: true }, { columns: ['b', 'a'] })
        if (index === 'k_vd') {
          read(keys([one, 'u']))
          read(keys([null, 'v']))
          read(keys([null, null]))
          read(keys(['30', null]))
          for (const kinds of KINDS) {
            read(range([two, 'y'], [one, 'u'], kinds))
            read(range([one, null], [null, 'v'], kinds))
            read(range(['30'], [null], kinds))
            read(range(['30', null], ['10', 'u'], kinds))
            read(range([null], ['10'], kinds))
          }
          continue
        }
        read(keys([one]))
        read(keys([one], [two], [null]))
        read(keys([null]))
        read(keys([one, 'a']))
        read(keys([one, 'a', '1']))
        for (const kinds of KINDS) {
          read(range([one], [two], kinds))
          read(range([null], [two], kinds))
          read(range([one], [null], kinds))
          read(range([null], [null], kinds))
          read(range([], [one], kinds))
          read(range([null], [], kinds))
        }
      }
      const all = { keySet: { all: true } }
      script.read(session, 'k', { index: 'nope', columns: ['a'], ...all })
      script.read(session, 'p', { index: 'k_v', columns: ['id'], ...all })
      script.read(session, 'nope', { index: 'k_v', ...all })
      script.read(session, 'nope', all)
      script.read(session, '', all)
      script.read(session, 'K', { columns: ['a'], ...all })
      script.read(session, '"k"', { columns: ['a'], ...all })
      script.read(session, 'public.k', { columns: ['a'], ...all })
      script.read(session, 'vw', all)
      script.read(session, 'k_v', { columns: ['v'], ...all })
      script.read(session, 'pg_catalog.pg_class', { columns: ['relname'], ...all })
      script.read(session, 'information_schema.tables', { columns: ['table_name'], ...all })
      script.read(session, 'k', { index: 'PRIMARY_KEY', columns: ['a'], ...all })
      script.read(session, 'k', { index: 'K_V', columns: ['a'], ...all })
    },
  },
  {
    name: 'reads in transactions',
    write: (script) => {
      const session = script.session()
      const all = { keySet: { all: true } }
      const write = script.begin(session)
      script.read(write, 'p', all)
      script.sql(write, "INSERT INTO p (id, name) VALUES (20, 'x')")
      script.read(write, 'p', all, 'after a change')
      script.call('streamingRead', {
        ...script.at(write),
        table: 'p',
        columns: ['id', 'name'],
        ...all,
      })
      script.read(write, 'p', { ...all, partitionToken: Buffer.from('x') }, 'a partition token')
      script.read(write, 'p', { ...all, resumeToken: Buffer.from('x') }, 'a resume token')
      script.commit(write)
      const snapshot = script.begin(session, STRONG)
      script.read(snapshot, 'p', all)
      script.read(snapshot, 'p', { ...all, limit: 2 })
      script.call('streamingRead', {
        ...script.at(snapshot),
        table: 'p',
        columns: ['nope'],
        ...all,
      })
      for (const table of ['ty', 'g']) script.read(session, table, { columns: ['id'], ...all })
      script.read(session, 'ty', {
        columns: ['id', 'bo', 'fl', 're', 'tx', 'by', 'nu', 'da', 'ts', 'js', 'ai', 'ax'],
        ...all,
      })
      for (const orderBy of ['ORDER_BY_PRIMARY_KEY', 'ORDER_BY_NO_ORDER', 9])
        script.read(session, 'p', { ...all, orderBy })
      for (const lockHint of ['LOCK_HINT_SHARED', 'LOCK_HINT_EXCLUSIVE', 9])
        script.read(session, 'p', { ...all, lockHint })
      const again = script.begin(session)
      script.read(again, 'p', { ...all, lockHint: 'LOCK_HINT_EXCLUSIVE' })
    },
  },
  {
    name: 'partitions',
    write: (script) => {
      const session = script.session()
      const snapshot = script.begin(session, STRONG)
      const query = (more: object, label: string) =>
        script.call(
          'partitionQuery',
          { ...script.at(snapshot), seqno: undefined, sql: 'SELECT id FROM p', ...more },
          label,
        )
      const read = (more: object, label: string) =>
        script.call(
          'partitionRead',
          {
            ...script.at(snapshot),
            seqno: undefined,
            table: 'p',
            columns: ['id'],
            keySet: { all: true },
            ...more,
          },
          label,
        )
      for (const [label, partitionOptions] of [
        ['no options', undefined],
        ['empty options', {}],
        ['a size', { partitionSizeBytes: 100 }],
        ['a negative size', { partitionSizeBytes: -1 }],
        ['a number', { maxPartitions: 2 }],
        ['a negative number', { maxPartitions: -1 }],
        ['a large number', { maxPartitions: 1_000_000 }],
        ['both', { partitionSizeBytes: 100, maxPartitions: 2 }],
        ['both negative', { partitionSizeBytes: -1, maxPartitions: -2 }],
        ['zero', { partitionSizeBytes: 0, maxPartitions: 0 }],
      ] as const) {
        query({ partitionOptions }, label)
        read({ partitionOptions }, label)
      }
      query({ sql: 'SELECT count(*) FROM p' }, 'an aggregate')
      query({ sql: 'SELECT nope FROM p' }, 'an unknown column')
      query({ sql: '' }, 'no sql')
      query({ sql: 'DELETE FROM p WHERE true' }, 'dml')
      query({ sql: 'SELECT id FROM p WHERE id = $1' }, 'an unbound parameter')
      query(
        { sql: 'SELECT id FROM p WHERE id = $1', params: { fields: { p1: { boolValue: true } } } },
        'a wrong parameter',
      )
      read({ keySet: undefined }, 'no key set')
      read({ table: 'nope' }, 'an unknown table')
      read({ columns: ['nope'] }, 'an unknown column')
      read({ columns: [] }, 'no columns')
      read({ index: 'nope' }, 'an unknown index')
      read({ keySet: { keys: [list('1', '2')] } }, 'a long key')
      query({ transaction: { begin: STRONG } }, 'inline')
      query({ transaction: { singleUse: STRONG } }, 'single use')
      query({ transaction: undefined }, 'no transaction')
      query({ transaction: { begin: { readWrite: {} } } }, 'read-write')
      query({ transaction: { begin: { partitionedDml: {} } } }, 'partitioned dml')
      read({ transaction: { begin: STRONG } }, 'inline')
      read({ transaction: undefined }, 'no transaction')
    },
  },
]
