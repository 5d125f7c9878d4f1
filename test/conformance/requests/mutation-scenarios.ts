import { deletion, list, mutation, type Scenario } from './script.ts'

const KINDS = ['insert', 'update', 'insertOrUpdate', 'replace'] as const
const SAMPLES: Readonly<Record<string, readonly unknown[]>> = {
  bo: [true, 'true', 1, null, 't'],
  fl: [1.5, '1.5', 'NaN', 'Infinity', 'nan', null, true],
  re: [1.5, 1e300, 'NaN'],
  tx: ['x', 1, true, null, '', ['x'], '\0'],
  by: ['AQI=', 'AQI', 'x', '*', ''],
  nu: ['1.5', 1.5, 'NaN', 'x', '1e3', ''],
  da: ['2020-01-01', '2020-13-01', '2020-1-1', 'x', ''],
  ts: ['2020-01-01T00:00:00Z', '2020-01-01', 'spanner.commit_timestamp()', 'x'],
  js: ['{"a": 1}', '{', 'null', null, 1],
  ai: [['1', null], ['x'], [1], '1', [], null, [['1']]],
  ax: [['x', null], [1], 'x', [true]],
  id: ['1', 1, null, true, 'x', '', '9223372036854775808', ['1']],
}
/** The tables that change with one. */
const CHANGED: Readonly<Record<string, readonly string[]>> = {
  p: ['p', 'c', 'd', 'r', 'q'],
  P: ['p', 'c', 'd', 'r', 'q'],
}

/** Mutations, each list a Commit of its own over the same rows. */
const COMMITS: readonly (readonly object[])[] = [
  ...KINDS.flatMap((kind) => [
    [mutation(kind, 'p', ['id', 'name'], ['1', 'again'])],
    [mutation(kind, 'p', ['id', 'name'], ['80', 'new'])],
    [mutation(kind, 'p', ['id', 'note'], ['1', 'again'])],
    [mutation(kind, 'p', ['id', 'note'], ['81', 'new'])],
    [mutation(kind, 'p', ['id', 'name'], ['82', null])],
    [mutation(kind, 'p', ['id', 'name'], ['1', null])],
    [mutation(kind, 'p', ['name'], ['no key'])],
    [mutation(kind, 'p', ['id'], ['1'])],
    [mutation(kind, 'p', ['id', 'name', 'name'], ['83', 'a', 'b'])],
    [mutation(kind, 'p', ['id', 'name'], ['84'])],
    [mutation(kind, 'p', ['id', 'name'], ['84', 'a', 'b'])],
    [mutation(kind, 'p', ['id', 'name'], [])],
    [mutation(kind, 'p', ['id', 'name'])],
    [mutation(kind, 'p', [], [])],
    [mutation(kind, 'p', [])],
    [mutation(kind, 'p', ['id', 'nope'], ['1', 'a'])],
    [mutation(kind, 'p', ['ID', 'NAME'], ['85', 'a'])],
    [mutation(kind, 'nope', ['id'], ['1'])],
    [mutation(kind, '', ['id'], ['1'])],
    [mutation(kind, 'P', ['id', 'name'], ['86', 'a'])],
    [mutation(kind, 'vw', ['id', 'name'], ['87', 'a'])],
    [mutation(kind, 'p', ['id', 'name'], ['88', 'far too long a name'])],
    [mutation(kind, 'p', ['id', 'name'], ['89', 'a'], ['89', 'b'])],
    [mutation(kind, 'p', ['id', 'name'], ['2', 'a'], ['90', 'b'])],
    [mutation(kind, 'c', ['id', 'n'], ['77', '1'])],
    [mutation(kind, 'c', ['id', 'n'], ['1', '1'])],
    [mutation(kind, 'r', ['id', 'pid'], ['50', '77'])],
    [mutation(kind, 'r', ['id', 'pid'], ['1', '2'])],
    [mutation(kind, 'g', ['id', 'twice'], ['1', '2'])],
    [mutation(kind, 'g', ['id', 'n'], ['1', '100'])],
    [mutation(kind, 'g', ['id', 'n'], ['60', '100'])],
    [mutation(kind, 'g', ['id'], ['61'])],
    [mutation(kind, 'g', ['id', 'ct'], ['1', 'spanner.commit_timestamp()'])],
    [mutation(kind, 'g', ['id', 'n'], ['62', 'spanner.commit_timestamp()'])],
    [mutation(kind, 'k', ['a', 'b', 'w'], ['z', '1', 'u'])],
    [mutation(kind, 'k', ['a', 'b', 'w'], ['a', '1', 'v'])],
    [mutation(kind, 'k', ['a', 'b', 'v'], ['a', '1', '99'])],
    [mutation(kind, 'k', ['a', 'b'], [null, '1'])],
  ]),
  // Unique indexes are checked when all are applied.
  [
    mutation('insert', 'k', ['a', 'b', 'w'], ['y', '1', 'u']),
    mutation('update', 'k', ['a', 'b', 'w'], ['a', '1', 'free']),
  ],
  [mutation('insert', 'k', ['a', 'b', 'w'], ['y', '1', 'u'], ['y', '2', 'new'])],
  [
    mutation('insert', 'k', ['a', 'b', 'w'], ['y', '1', 'u']),
    deletion('k', { keys: [list('y', '1')] }),
  ],
  [
    mutation('insert', 'k', ['a', 'b', 'w'], ['y', '1', 'u']),
    mutation('update', 'g', ['id', 'n'], ['99', '5']),
  ],
  // A row that is deleted and written, in a table that a foreign key with ON DELETE CASCADE refers to.
  ...['3', '9'].flatMap((id) => [
    [deletion('p', { keys: [list(id)] }), mutation('insert', 'p', ['id', 'name'], [id, 'again'])],
    [
      deletion('p', { keys: [list(id)] }),
      mutation('insertOrUpdate', 'P', ['name', 'id'], ['again', id]),
    ],
    [mutation('insert', 'p', ['id', 'name'], [id, 'again']), deletion('p', { keys: [list(id)] })],
    [mutation('update', 'p', ['id', 'name'], [id, 'again']), deletion('p', { keys: [list(id)] })],
    [
      deletion('p', {
        ranges: [{ startClosed: list('3'), endOpen: list(id === '3' ? '4' : '9') }],
      }),
      mutation('insert', 'p', ['id', 'name'], [id, 'again']),
    ],
  ]),
  [deletion('p', { keys: [list('3')] }), mutation('insert', 'p', ['id', 'name'], ['30', 'x'])],
  [
    deletion('r', { all: true }),
    deletion('c', { all: true }),
    deletion('p', { all: true }),
    mutation('insert', 'p', ['id', 'name'], ['50', 'again']),
  ],
  [deletion('q', { keys: [list('1')] }), mutation('insert', 'q', ['id', 'pid'], ['1', '3'])],
  [deletion('d', { keys: [list('2', '1')] }), mutation('insert', 'd', ['id', 'n'], ['2', '1'])],
  [mutation('insert', 'q', ['id', 'pid'], ['5', '3']), deletion('p', { keys: [list('3')] })],
  [deletion('p', { keys: [list('3')] }), mutation('insert', 'q', ['id', 'pid'], ['5', '3'])],
  // Foreign keys and parents, in either order.
  [
    mutation('insert', 'r', ['id', 'pid'], ['51', '91']),
    mutation('insert', 'p', ['id', 'name'], ['91', 'a']),
  ],
  [
    mutation('insert', 'p', ['id', 'name'], ['91', 'a']),
    mutation('insert', 'r', ['id', 'pid'], ['51', '91']),
  ],
  [
    mutation('insert', 'c', ['id', 'n'], ['92', '1']),
    mutation('insert', 'p', ['id', 'name'], ['92', 'a']),
  ],
  [
    mutation('insert', 'p', ['id', 'name'], ['92', 'a']),
    mutation('insert', 'c', ['id', 'n'], ['92', '1']),
  ],
  [mutation('insert', 'self', ['id', 'up'], ['10', '11'], ['11', '10'])],
  [mutation('insert', 'self', ['id', 'up'], ['10', '10'])],
  [
    deletion('p', { keys: [list('1')] }),
    deletion('c', { all: true }),
    deletion('r', { all: true }),
  ],
  [
    deletion('c', { all: true }),
    deletion('r', { all: true }),
    deletion('p', { keys: [list('1')] }),
  ],
  [
    deletion('c', { all: true }),
    deletion('p', { keys: [list('1')] }),
    deletion('r', { all: true }),
  ],
  [
    deletion('c', { all: true }),
    deletion('p', { keys: [list('1')] }),
    mutation('insert', 'p', ['id', 'name'], ['1', 'new']),
  ],
  [deletion('r', { all: true }), deletion('p', { all: true })],
  [deletion('p', { all: true })],
  [deletion('p', { keys: [list('1')] })],
  [deletion('p', { keys: [list('2')] })],
  [deletion('p', { keys: [list('3')] })],
  [deletion('self', { keys: [list('1')] })],
  [deletion('self', { keys: [list('1')] }), deletion('self', { keys: [list('2')] })],
  [deletion('self', { all: true })],
  [mutation('replace', 'p', ['id', 'name'], ['2', 'new'])],
  [mutation('replace', 'p', ['id', 'name'], ['3', 'new'])],
  [mutation('replace', 'self', ['id'], ['1'])],
  [mutation('update', 'self', ['id', 'up'], ['1', '2'])],
  [mutation('update', 'self', ['id', 'up'], ['1', '3'], ['1', null])],
  [mutation('insertOrUpdate', 'r', ['id', 'pid'], ['1', '77'], ['1', '2'])],
  // Checks, unique indexes and NOT NULL that a later mutation would heal.
  [mutation('update', 'k', ['a', 'b', 'w'], ['a', '1', 'v'], ['a', '2', 'u'])],
  [mutation('update', 'k', ['a', 'b', 'w'], ['a', '1', 'v'], ['a', '2', 'other'])],
  [
    mutation('insert', 'k', ['a', 'b', 'w'], ['y', '1', 'u']),
    deletion('k', { keys: [list('a', '1')] }),
  ],
  [
    deletion('k', { keys: [list('a', '1')] }),
    mutation('insert', 'k', ['a', 'b', 'w'], ['y', '1', 'u']),
  ],
  [
    mutation('insert', 'g', ['id', 'n'], ['70', '100']),
    mutation('update', 'g', ['id', 'n'], ['70', '1']),
  ],
  [mutation('insert', 'p', ['id'], ['71']), mutation('update', 'p', ['id', 'name'], ['71', 'x'])],
  [
    mutation('insert', 'p', ['id', 'name'], ['72', 'x']),
    deletion('p', { keys: [list('72')] }),
    mutation('update', 'p', ['id', 'note'], ['72', 'x']),
  ],
  [
    mutation('insert', 'p', ['id', 'name'], ['73', 'x']),
    mutation('insert', 'p', ['id', 'name'], ['73', 'y']),
  ],
  [deletion('p', { keys: [list('2')] }), mutation('insert', 'p', ['id', 'name'], ['2', 'y'])],
  [
    mutation('insertOrUpdate', 'p', ['id', 'name', 'note'], ['74', 'x', 'y']),
    mutation('insertOrUpdate', 'p', ['id', 'name'], ['74', 'z']),
  ],
  // Key sets of deletions.
  [deletion('nope', { all: true })],
  [deletion('', { all: true })],
  [deletion('vw', { all: true })],
  [deletion('k', {})],
  [deletion('k', { keys: [list('a')] })],
  [deletion('k', { keys: [list('a', '1', '2')] })],
  [deletion('k', { keys: [list('a', 'x')] })],
  [deletion('k', { keys: [list('a', null)] })],
  [deletion('k', { keys: [list('z', '1')] })],
  [deletion('k', { ranges: [{}] })],
  [deletion('k', { ranges: [{ startClosed: list('a') }] })],
  [deletion('k', { ranges: [{ startClosed: list('a'), endClosed: list('b') }] })],
  [deletion('k', { ranges: [{ startOpen: list('a', '1'), endOpen: list('c') }] })],
  [deletion('k', { ranges: [{ startClosed: list('b'), endClosed: list('a') }] })],
  [deletion('k', { ranges: [{ startClosed: list(null), endClosed: list('a') }] })],
  [deletion('k', { ranges: [{ startClosed: list(), endClosed: list() }] })],
  [deletion('k', { ranges: [{ startClosed: list('a', '1'), endClosed: list('b', '1') }] })],
  [deletion('k', { ranges: [{ startClosed: list('a', '1'), endClosed: list('a', '2') }] })],
  [{ delete: { table: 'k' } }],
]

export const MUTATION_SCENARIOS: readonly Scenario[] = [
  ...COMMITS.map((mutations) => ({
    name: `mutations ${JSON.stringify(mutations)}`,
    write: (script: Parameters<Scenario['write']>[0]) => {
      const session = script.session()
      script.write(session, mutations, 'them')
      const [, table = ''] = /"table":"(\w*)"/.exec(JSON.stringify(mutations)) ?? []
      for (const changed of CHANGED[table] ?? [table])
        if (/^(?:c|d|g|k|p|q|r|self)$/.test(changed))
          script.sql(session, `SELECT * FROM ${changed}`)
    },
  })),
  {
    name: 'values of each type',
    write: (script) => {
      const session = script.session()
      for (const [column, samples] of Object.entries(SAMPLES))
        for (const sample of samples) {
          const columns = column === 'id' ? ['id'] : ['id', column]
          const row = column === 'id' ? [sample] : ['9', sample]
          script.write(
            session,
            [mutation('insertOrUpdate', 'ty', columns, row)],
            `${column} ${JSON.stringify(sample)}`,
          )
          if (column !== 'id') script.sql(session, `SELECT ${column} FROM ty WHERE id = 9`)
        }
    },
  },
]
