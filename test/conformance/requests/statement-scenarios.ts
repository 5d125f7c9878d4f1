import { params, type Scenario, type Script } from './script.ts'

const INT64 = 'INT64'
const STRUCT = { code: 'STRUCT', structType: { fields: [{ name: 'a', type: { code: INT64 } }] } }
const NUMERIC = { code: 'NUMERIC', typeAnnotation: 'PG_NUMERIC' }
const JSONB = { code: 'JSON', typeAnnotation: 'PG_JSONB' }
const OID = { code: INT64, typeAnnotation: 'PG_OID' }
const array = (of: string | object) => ({
  code: 'ARRAY',
  arrayElementType: typeof of === 'string' ? { code: of } : of,
})

/** Values of each kind that a request can hold. */
const VALUES: readonly unknown[] = [
  '1',
  'x',
  '',
  1,
  1.5,
  true,
  null,
  ['1'],
  [],
  [null],
  ['x', null],
  [['1']],
  { a: '1' },
]

const TYPES: readonly (string | object | undefined)[] = [
  undefined,
  INT64,
  'STRING',
  'BOOL',
  'FLOAT64',
  'FLOAT32',
  'BYTES',
  'DATE',
  'TIMESTAMP',
  NUMERIC,
  JSONB,
  OID,
  array(INT64),
  array('STRING'),
  array(array(INT64)),
  array(STRUCT),
  STRUCT,
  'NUMERIC',
  'JSON',
  'STRUCT',
  'UUID',
  'INTERVAL',
  { code: INT64, typeAnnotation: 'PG_NUMERIC' },
  { code: 'STRING', typeAnnotation: 'PG_JSONB' },
]

const shown = (of: unknown) => JSON.stringify(of) ?? 'none'

/** The emulator dies of lists where structs are meant. */
function isDeadly(type: unknown, value: unknown): boolean {
  return Array.isArray(value) && JSON.stringify(type)?.includes('STRUCT') === true
}

function bindAll(script: Script): void {
  const session = script.session()
  for (const type of TYPES)
    for (const value of VALUES.filter((one) => !isDeadly(type, one)))
      script.sql(
        session,
        'SELECT $1 AS x',
        params([value], [type]),
        `${shown(type)} of ${shown(value)}`,
      )
}

const HINT_NAMES: readonly string[] = [
  'USE_ADDITIONAL_PARALLELISM',
  'OPTIMIZER_STATISTICS_PACKAGE',
  'LOCK_SCANNED_RANGES',
  'SCAN_METHOD',
  'EXECUTION_METHOD',
  'ALLOW_TIMESTAMP_PREDICATE_PUSHDOWN',
  'FORCE_INDEX',
  'GROUPBY_SCAN_OPTIMIZATION',
  'FORCE_JOIN_ORDER',
  'JOIN_METHOD',
  'JOIN_TYPE',
  'HASH_JOIN_BUILD_SIDE',
  'HASH_JOIN_EXECUTION',
  'BATCH_MODE',
  'DISABLE_INLINE',
  'GROUP_METHOD',
  'CONSTANT_FOLDING',
  'ENABLE_ADAPTIVE_PLANS',
  'SEEKABLE_KEY_SIZE',
  'INDEX_STRATEGY',
  'PARAMETER_SENSITIVE',
  'PDML_MAX_PARALLELISM',
]

const HINTS: readonly string[] = [
  '/*@ OPTIMIZER_VERSION=1 */ SELECT 1',
  '/*@ OPTIMIZER_VERSION=5 */ SELECT 1',
  '/*@ OPTIMIZER_VERSION=9 */ SELECT 1',
  '/*@ OPTIMIZER_VERSION=100 */ SELECT 1',
  '/*@ OPTIMIZER_VERSION=0 */ SELECT 1',
  '/*@ OPTIMIZER_VERSION=latest */ SELECT 1',
  "/*@ OPTIMIZER_VERSION='latest' */ SELECT 1",
  "/*@ optimizer_statistics_package='x' */ SELECT 1",
  '/*@ ALLOW_DISTRIBUTED_MERGE=true */ SELECT 1',
  '/*@ NOPE=1 */ SELECT 1',
  '/*@ nope.nope=1 */ SELECT 1',
  '/*@ USE_ADDITIONAL_PARALLELISM=true */ SELECT 1',
  '/*@ USE_ADDITIONAL_PARALLELISM=1 */ SELECT 1',
  '/*@ LOCK_SCANNED_RANGES=exclusive */ SELECT 1',
  '/*@ LOCK_SCANNED_RANGES=shared */ SELECT 1',
  '/*@ LOCK_SCANNED_RANGES=nope */ SELECT 1',
  '/*@ SCAN_METHOD=BATCH */ SELECT 1',
  '/*@ SCAN_METHOD=NOPE */ SELECT 1',
  '/*@ EXECUTION_METHOD=DEFAULT */ SELECT 1',
  '/*@ JOIN_METHOD=HASH_JOIN */ SELECT 1',
  '/*@ JOIN_METHOD=NOPE */ SELECT 1',
  '/*@ FORCE_JOIN_ORDER=TRUE */ SELECT 1',
  '/*@ FORCE_JOIN_ORDER=3 */ SELECT 1',
  '/*@ USE_UNENFORCED_FOREIGN_KEY=true */ SELECT 1',
  '/*@ OPTIMIZER_VERSION */ SELECT 1',
  '/*@ OPTIMIZER_VERSION=1, NOPE=2 */ SELECT 1',
  '/*@ OPTIMIZER_VERSION=1, SCAN_METHOD=BATCH */ SELECT 1',
  '/*@ */ SELECT 1',
  '/*@ x SELECT 1',
  '/* @ NOPE=1 */ SELECT 1',
  'SELECT 1 /*@ NOPE=1 */',
  'SELECT /*@ NOPE=1 */ 1',
  'SELECT id FROM k /*@ FORCE_INDEX=k_v */ ORDER BY a, b',
  'SELECT a, b FROM k /*@ FORCE_INDEX=k_v */ ORDER BY a, b',
  'SELECT a, b FROM k /*@ FORCE_INDEX=nope */ ORDER BY a, b',
  'SELECT a, b FROM k /*@ FORCE_INDEX=_BASE_TABLE */ ORDER BY a, b',
  'SELECT a, b FROM k /*@ NOPE=1 */ ORDER BY a, b',
  'SELECT a, b FROM k /*@ GROUPBY_SCAN_OPTIMIZATION=true */ ORDER BY a, b',
  'SELECT a, b FROM k /*@ SCAN_METHOD=ROW */ ORDER BY a, b',
  'SELECT a, b FROM k /*@ SEEKABLE_KEY_SIZE=1 */ ORDER BY a, b',
  'SELECT x.a FROM k x JOIN /*@ JOIN_METHOD=HASH_JOIN */ k y ON x.a = y.a AND x.b = y.b ORDER BY 1',
  'SELECT x.a FROM k x JOIN /*@ JOIN_METHOD=NOPE */ k y ON x.a = y.a AND x.b = y.b ORDER BY 1',
  'SELECT x.a FROM k x JOIN /*@ NOPE=1 */ k y ON x.a = y.a AND x.b = y.b ORDER BY 1',
  'SELECT x.a FROM k x JOIN /*@ JOIN_METHOD=HASH_JOIN, HASH_JOIN_BUILD_SIDE=BUILD_LEFT */ k y ON x.a = y.a AND x.b = y.b ORDER BY 1',
  'SELECT a FROM k GROUP /*@ GROUP_METHOD=HASH_GROUP */ BY a ORDER BY 1',
  'SELECT a FROM k GROUP /*@ NOPE=1 */ BY a ORDER BY 1',
  'SELECT id FROM p WHERE id IN /*@ NOPE=1 */ (SELECT id FROM r) ORDER BY id',
  // What surrounds them.
  '/*@ NOPE=1 */ WITH w AS (SELECT 1 AS a) SELECT a FROM w',
  '/*@ NOPE=1 */ (SELECT 1)',
  '(/*@ NOPE=1 */ SELECT 1)',
  '/* c */ /*@ NOPE=1 */ SELECT 1',
  '/* c */ /*@ JOIN_METHOD=hash_join */ SELECT 1',
  "SELECT '/*@ x */'",
  '/* /*@ NOPE=1 */ */ SELECT 1',
  '/* /*@ NOPE=1 */ SELECT 1',
  '/*@ JOIN_METHOD=hash_join',
  '/*@JOIN_METHOD=hash_join*/SELECT 1',
  '/*@@ JOIN_METHOD=hash_join */ SELECT 1',
  '/*@ JOIN_METHOD=hash_join * / SELECT 1',
  '/*@ NOPE=1 */ SELECT * FROM nope',
  '/*@ JOIN_METHOD=HASH_JOIN */ /*@ FORCE_JOIN_ORDER=true */ SELECT 1',
  'SELECT a FROM k /*@ NOPE=1 */ x',
  'SELECT a FROM k /*@ NOPE=1 */ AS x',
  'SELECT a FROM k x /*@ NOPE=1 */',
  'SELECT a FROM /*@ NOPE=1 */ k',
  'SELECT a FROM ONLY k /*@ NOPE=1 */',
  'SELECT a FROM k * /*@ NOPE=1 */',
  "SELECT 'é', a FROM k /*@ NOPE=1 */",
  "SELECT 'é', a FROM k /*@ FORCE_INDEX=k_v */ ORDER BY a, b",
  'SELECT x.a FROM k x /*@ NOPE=1 */ JOIN k y ON x.a = y.a',
  'SELECT x.a FROM k x LEFT JOIN /*@ NOPE=1 */ k y ON x.a = y.a',
  'SELECT x.a FROM k x LEFT /*@ NOPE=1 */ JOIN k y ON x.a = y.a',
  'SELECT x.a FROM k x CROSS JOIN /*@ NOPE=1 */ k y',
  'SELECT x.a FROM k x, /*@ NOPE=1 */ k y',
  'SELECT x.a FROM k x JOIN /*@ FORCE_INDEX=k_v */ k y ON x.a = y.a',
  'SELECT x.a FROM k x JOIN /*@ BATCH_MODE=true */ k y ON x.a = y.a',
  'SELECT count(*) FROM k JOIN /*@ BATCH_MODE=true */ unnest(ARRAY[1]) x ON true',
  'SELECT count(*) FROM k JOIN /*@ JOIN_METHOD=hash_join */ p /*@ FORCE_INDEX=nope */ ON true',
  'SELECT a FROM (SELECT a FROM k /*@ NOPE=1 */) z',
  'SELECT a FROM (SELECT a FROM k) z /*@ NOPE=1 */',
  'SELECT id FROM p WHERE EXISTS /*@ NOPE=1 */ (SELECT 1)',
  'SELECT id FROM p WHERE id IN (/*@ NOPE=1 */ SELECT 1)',
  'SELECT id FROM p WHERE id NOT IN /*@ NOPE=1 */ (SELECT id FROM r)',
  'SELECT id FROM p WHERE id IN /*@ BATCH_MODE=true */ (SELECT id FROM r) ORDER BY id',
  'SELECT id FROM p WHERE id IN /*@ NOPE=1 */ (1, 2)',
  'SELECT id FROM p WHERE id = ANY /*@ NOPE=1 */ (SELECT 1)',
  'SELECT 1 UNION ALL /*@ NOPE=1 */ SELECT 2',
  'SELECT abs(-1) /*@ NOPE=1 */',
  'SELECT abs(-1) /*@ DISABLE_INLINE=true */ AS x',
  'SELECT abs(-1) /*@ DISABLE_INLINE=1 */',
  'SELECT abs(-1) /*@ DISABLE_INLINE=true, NOPE=2 */',
  "SELECT abs(-1) /*@ DISABLE_INLINE=false */, upper('x') /*@ NOPE=1 */",
  'SELECT abs /*@ NOPE=1 */ (-1)',
  'SELECT 1 + abs(abs(-1)) /*@ DISABLE_INLINE=TRUE */ + 2',
  'SELECT coalesce(1, 2) /*@ NOPE=1 */',
  'SELECT current_timestamp /*@ NOPE=1 */',
  'SELECT x FROM unnest(ARRAY[1]) /*@ NOPE=1 */ x',
  'SELECT x FROM unnest(ARRAY[1]) x /*@ NOPE=1 */',
  'SELECT a FROM k WHERE /*@ NOPE=1 */ true',
  'SELECT a FROM k ORDER BY a /*@ NOPE=1 */',
  'WITH w AS (SELECT a FROM k /*@ NOPE=1 */) SELECT * FROM w',
  'WITH w AS (SELECT a FROM k) SELECT count(*) FROM w /*@ FORCE_INDEX=nope */',
  'SELECT id FROM vw /*@ NOPE=1 */',
  'SELECT id FROM vw /*@ FORCE_INDEX=_BASE_TABLE */ ORDER BY id',
  'SELECT table_name FROM information_schema.tables /*@ NOPE=1 */',
  // Indexes.
  'SELECT a FROM public.k /*@ FORCE_INDEX=k_v */ x ORDER BY a, b',
  'SELECT a FROM k /*@ FORCE_INDEX="K_V" */ x ORDER BY a, b',
  "SELECT a FROM k /*@ FORCE_INDEX='k_v' */ x ORDER BY a, b",
  'SELECT a FROM k /*@ FORCE_INDEX=public.k_v */ x',
  'SELECT id FROM p /*@ FORCE_INDEX=k_v */',
  'SELECT a FROM k /*@ FORCE_INDEX=PK_k */',
  'SELECT a FROM k /*@ FORCE_INDEX=1 */',
  'SELECT a FROM k /*@ FORCE_INDEX=_BASE_TABLE, FORCE_INDEX=k_v */',
  'SELECT a FROM nope /*@ FORCE_INDEX=k_v */',
  '/*@ FORCE_INDEX=_BASE_TABLE */ SELECT 1',
  '/*@ FORCE_INDEX=k_v */ SELECT a FROM k',
]

/** What stands between the marks of a hint of the statement. */
const HINT_TEXTS: readonly string[] = [
  ...HINT_NAMES.flatMap((name) => ['true', '1', "'x'", 'hash_join'].map((of) => `${name}=${of}`)),
  ...['auto', 'always', 'never'].map((of) => `PARAMETER_SENSITIVE=${of}`),
  ...['multi_pass', 'one_pass'].map((of) => `HASH_JOIN_EXECUTION=${of}`),
  ...['force_index', 'FORCE_INDEX_UNION'].map((of) => `INDEX_STRATEGY=${of}`),
  ...['MERGE', 'LOOP', 'APPLY', 'PUSH_BROADCAST_HASH'].map((of) => `JOIN_METHOD=${of}_JOIN`),
  ...['EXCLUSIVE', '"exclusive"', "'exclusive'"].map((of) => `LOCK_SCANNED_RANGES=${of}`),
  ...['nope', 'BUILD_LEFT', 'build_right'].flatMap((of) => [
    `JOIN_METHOD=hash_join, HASH_JOIN_BUILD_SIDE=${of}`,
    `HASH_JOIN_BUILD_SIDE=${of}, JOIN_METHOD=apply_join`,
  ]),
  'JOIN_METHOD=HASH_JOIN, HASH_JOIN_EXECUTION=multi_pass',
  'spanner.JOIN_METHOD=HASH_JOIN',
  'SPANNER.NOPE=1',
  'nope.JOIN_METHOD=nope',
  'a.b.c=1',
  'x=$1',
  'x=NULL',
  'x=1.5',
  'x=-1',
  'x=a.b',
  "x=E'a'",
  "x='a' 'b'",
  '"JOIN_METHOD"=hash_join',
  '"Nope"=1',
  'JOIN_METHOD=hash_join,',
  'JOIN_METHOD hash_join',
  'JOIN_METHOD==hash_join',
  'JOIN_METHOD = hash_join , force_join_order = false',
  'JOIN_METHOD=hash_join JOIN_METHOD=hash_join',
  'JOIN_METHOD=hash_join, join_method=apply_join',
  'select=1',
  'x=select',
  'x=hash',
  'on=1',
  'x=on',
  '-- c\n JOIN_METHOD=hash_join',
  '/* c */ JOIN_METHOD=hash_join',
  'USE_ADDITIONAL_PARALLELISM="true"',
  'CONSTANT_FOLDING=off',
  'ENABLE_ADAPTIVE_PLANS=FALSE',
]

const DML_HINTS: readonly string[] = [
  "/*@ NOPE=1 */ UPDATE p SET note = 'h' WHERE id = 1",
  "/*@ LOCK_SCANNED_RANGES=exclusive */ UPDATE p SET note = 'h' WHERE id = 1",
  '/*@ PDML_MAX_PARALLELISM=1 */ DELETE FROM p WHERE id = 100',
  "UPDATE p /*@ FORCE_INDEX=_BASE_TABLE */ SET note = 'h' WHERE id = 1",
  "UPDATE p /*@ NOPE=1 */ SET note = 'h' WHERE id = 1",
  'DELETE FROM p /*@ NOPE=1 */ WHERE id = 100',
  'DELETE FROM p /*@ FORCE_INDEX=_BASE_TABLE */ WHERE id = 100',
  "UPDATE p /*@ NOPE=1 */ x SET note = 'h' WHERE id = 1",
  "UPDATE p /*@ FORCE_INDEX=nope */ SET note = 'h' WHERE id = 1",
  "UPDATE p SET note = 'h' WHERE id IN /*@ NOPE=1 */ (SELECT id FROM r)",
  "UPDATE p SET note = 'h' WHERE id IN (SELECT id FROM r /*@ NOPE=1 */)",
  "UPDATE p SET note = upper('a') /*@ NOPE=1 */ WHERE id = 1",
  "INSERT INTO p /*@ NOPE=1 */ (id, name) VALUES (100, 'x')",
  "INSERT INTO p (id, name) /*@ NOPE=1 */ VALUES (100, 'x')",
  "/*@ NOPE=1 */ INSERT INTO p (id, name) VALUES (100, 'x')",
  "/*@ nope.x=1 */ UPDATE p SET note = 'h' WHERE id = 1",
  ...HINT_NAMES.map((name) => `/*@ ${name}=true */ UPDATE p SET note = 'h' WHERE id = 1`),
]

export const STATEMENT_SCENARIOS: readonly Scenario[] = [
  { name: 'parameters of each type', write: bindAll },
  {
    name: 'parameters of a statement',
    write: (script) => {
      const session = script.session()
      const ask = (sql: string, request: object, label = '') =>
        script.sql(session, sql, request, `${sql} ${label}`)
      ask('SELECT $1::bigint', {}, 'unbound')
      ask('SELECT $1', {}, 'unbound')
      ask('SELECT $1::bool', {}, 'unbound')
      ask('SELECT id FROM p ORDER BY id LIMIT $1', {}, 'unbound')
      ask('SELECT id FROM p ORDER BY id LIMIT $1', params(['1'], [INT64]))
      ask('SELECT id FROM p ORDER BY id LIMIT $1', params(['-1'], [INT64]), 'negative')
      ask('SELECT id FROM p ORDER BY id LIMIT $1', params([null], [INT64]), 'null')
      ask('SELECT id FROM p ORDER BY id OFFSET $1', params(['-1'], [INT64]), 'negative')
      ask('SELECT id FROM p ORDER BY id LIMIT $1', params(['1'], ['STRING']), 'text')
      ask('SELECT 1', params(['1'], [INT64]), 'not named')
      ask('SELECT $2::bigint', params(['1', '2'], [INT64, INT64]), 'second only')
      ask('SELECT $2::bigint', params(['1', '2']), 'second only, untyped')
      ask('SELECT $1 + $2', params(['1', '2'], [INT64]))
      ask('SELECT $1 + 1', params(['x']), 'untyped text')
      ask('SELECT $1 + 1', params([1]), 'untyped number')
      ask('SELECT $1 + 1', params(['1'], ['STRING']), 'text')
      ask('SELECT id FROM p WHERE id = $1', params(['1'], ['STRING']), 'text')
      ask('SELECT id FROM p WHERE id = $1', params(['1']))
      ask('SELECT id FROM p WHERE id = $1', params([true], ['BOOL']), 'bool')
      ask('SELECT id FROM p WHERE id = ANY ($1) ORDER BY id', params([['1', '3']], [array(INT64)]))
      ask('SELECT id FROM p WHERE id = ANY ($1)', params([['x']], [array(INT64)]), 'no numbers')
      ask('SELECT id FROM p WHERE name = $1', params(['1'], [INT64]), 'number')
      ask('SELECT $1', { params: { fields: { x: { stringValue: '1' } } } }, 'another name')
      ask('SELECT $0', {})
      ask('SELECT $1', { params: { fields: { P1: { stringValue: '1' } } } }, 'upper case')
      ask('SELECT @p1', params(['1']))
      ask('SELECT $1', { ...params(['1']), paramTypes: { p1: {} } }, 'without a code')
      for (const [type, values] of FORMS)
        for (const value of values)
          ask('SELECT $1 AS x', params([value], [type]), `${shown(type)} ${shown(value)}`)
    },
  },
  {
    name: 'hints',
    write: (script) => {
      const session = script.session()
      for (const sql of HINTS) script.sql(session, sql)
      for (const text of HINT_TEXTS) script.sql(session, `/*@ ${text} */ SELECT 1`)
      for (const name of HINT_NAMES)
        for (const of of ['true', '1', "'x'", 'hash_join']) {
          script.sql(session, `SELECT count(*) FROM k /*@ ${name}=${of} */`)
          script.sql(session, `SELECT count(*) FROM k x JOIN /*@ ${name}=${of} */ k y ON x.a = y.a`)
          script.sql(session, `SELECT 1 FROM p WHERE id IN /*@ ${name}=${of} */ (SELECT 1)`)
        }
      for (const sql of DML_HINTS) {
        const transaction = script.begin(session)
        script.sql(transaction, sql)
        script.rollback(transaction)
      }
    },
  },
  {
    name: 'query modes and options',
    write: (script) => {
      const session = script.session()
      for (const queryMode of [
        'NORMAL',
        'PLAN',
        'PROFILE',
        'WITH_STATS',
        'WITH_PLAN_AND_STATS',
        9,
      ]) {
        script.sql(session, 'SELECT id FROM p WHERE id = 1', { queryMode }, `query ${queryMode}`)
        const transaction = script.begin(session)
        script.sql(
          transaction,
          "UPDATE p SET note = 'm' WHERE id = 1",
          { queryMode },
          `dml ${queryMode}`,
        )
        script.sql(transaction, 'SELECT note FROM p WHERE id = 1')
        script.rollback(transaction)
        script.call('executeStreamingSql', { session, sql: 'SELECT 1', queryMode }, `${queryMode}`)
      }
      const option = (queryOptions: object) =>
        script.sql(session, 'SELECT 1', { queryOptions }, JSON.stringify(queryOptions))
      for (const optimizerVersion of ['1', '5', '8', '100', 'latest', 'default', 'nope', '0', '-1'])
        option({ optimizerVersion })
      option({ optimizerStatisticsPackage: 'latest' })
      option({ optimizerStatisticsPackage: 'nope' })
      const request = (requestOptions: object) =>
        script.sql(session, 'SELECT 1', { requestOptions }, JSON.stringify(requestOptions))
      request({ priority: 'PRIORITY_LOW' })
      request({ priority: 9 })
      request({ requestTag: 'a tag' })
      request({ requestTag: 'x'.repeat(60) })
      request({ transactionTag: 'x' })
      script.sql(session, 'SELECT 1', { resumeToken: Buffer.from('nonsense') }, 'a resume token')
      script.sql(
        session,
        'SELECT 1',
        { partitionToken: Buffer.from('nonsense') },
        'a partition token',
      )
      script.sql(session, 'SELECT 1', { dataBoostEnabled: true }, 'data boost')
      script.call(
        'executeStreamingSql',
        { session, sql: 'SELECT 1', resumeToken: Buffer.from('x') },
        'a resume token',
      )
    },
  },
  {
    name: 'statements that are none',
    write: (script) => {
      const session = script.session()
      for (const sql of [
        '',
        ' ',
        ';',
        'SELECT 1;',
        'SELECT 1; SELECT 2',
        'nonsense',
        '-- nothing',
        'BEGIN',
        'CREATE TABLE x (id bigint PRIMARY KEY)',
        'EXPLAIN SELECT 1',
        'SHOW x',
      ])
        script.sql(session, sql, {}, `'${sql}'`)
      script.call('executeSql', { session }, 'without SQL')
      const transaction = script.begin(session)
      const batch = (label: string, statements: readonly object[], more: object = {}) =>
        script.call('executeBatchDml', { ...script.at(transaction), statements, ...more }, label)
      batch('of nothing', [])
      batch('an empty statement', [{ sql: '' }])
      batch('nonsense', [{ sql: 'nonsense' }])
      batch('a query', [{ sql: 'SELECT 1' }])
      batch('a query behind', [
        { sql: "UPDATE p SET note = 'b' WHERE id = 1" },
        { sql: 'SELECT 1' },
      ])
      batch('returning', [{ sql: "UPDATE p SET note = 'b' WHERE id = 1 RETURNING id, note" }])
      batch('parameters', [
        { sql: 'UPDATE p SET note = $1 WHERE id = 1', ...params(['c'], ['STRING']) },
      ])
      batch('a parameter of a wrong type', [
        { sql: 'UPDATE p SET note = $1 WHERE id = 1', ...params([true], [INT64]) },
      ])
      batch('without seqno', [{ sql: "UPDATE p SET note = 'd' WHERE id = 1" }], { seqno: 0 })
      script.rollback(transaction)
    },
  },
  {
    name: 'counts and rows of DML',
    write: (script) => {
      const transaction = script.begin(script.session())
      for (const sql of [
        "INSERT INTO p (id, name) VALUES (100, 'a'), (101, 'b')",
        "INSERT INTO p (id, name) VALUES (102, 'a') RETURNING id, name, note",
        "UPDATE p SET note = 'r' WHERE id > 100 RETURNING *",
        'DELETE FROM p WHERE id = 999',
        'DELETE FROM p WHERE id = 102 RETURNING note',
        "INSERT INTO p (id, name) VALUES (1, 'o') ON CONFLICT DO NOTHING",
        "INSERT INTO p (id, name) VALUES (1, 'o') ON CONFLICT (id) DO NOTHING",
        "INSERT INTO p (id, name) VALUES (1, 'o') ON CONFLICT (id) DO UPDATE SET id = excluded.id, name = excluded.name",
        'DELETE FROM d WHERE id = 2',
        'DELETE FROM p WHERE id = 3',
        'INSERT INTO g (id) VALUES (10) RETURNING id, n, twice',
        'INSERT INTO g (id, twice) VALUES (11, 1)',
        'INSERT INTO g (id, ct) VALUES (12, spanner.pending_commit_timestamp())',
        'UPDATE g SET n = n + 1 WHERE true',
        "SELECT nextval('sq') > 0",
        "UPDATE k SET w = CASE w WHEN 'u' THEN 'v' ELSE 'u' END WHERE a = 'a'",
        'SELECT a, b, w FROM k ORDER BY a, b',
        'UPDATE p SET id = 7 WHERE id = 2',
        'INSERT INTO vw (id, name) VALUES (1, 2)',
        'INSERT INTO ty (id, ai, ax) VALUES (9, ARRAY[1, NULL], ARRAY[]::varchar[]) RETURNING ai, ax',
      ])
        script.sql(transaction, sql)
      script.commit(transaction)
    },
  },
]

/** Texts of values that are right for a type, and wrong. */
const FORMS: readonly (readonly [type: string | object, values: readonly unknown[]])[] = [
  [
    INT64,
    [
      '9223372036854775807',
      '9223372036854775808',
      '-9223372036854775808',
      ' 1',
      '1 ',
      '+1',
      '1.0',
      '1e3',
      '0x1',
      '',
    ],
  ],
  [NUMERIC, ['1.50', '-0', 'NaN', 'nan', 'inf', '1e3', ' 1', '.5', '5.', '']],
  ['FLOAT64', ['Infinity', '-Infinity', 'inf', 'NaN', '1.5']],
  ['FLOAT32', [1e300, 'Infinity', 1.1]],
  [
    'DATE',
    [
      '2020-02-29',
      '2021-02-29',
      '2020-1-1',
      '0000-01-01',
      '10000-01-01',
      '2020-01-01 ',
      '20200101',
    ],
  ],
  [
    'TIMESTAMP',
    [
      '2020-01-01T00:00:00Z',
      '2020-01-01 00:00:00Z',
      '2020-01-01T00:00:00',
      '2020-01-01T00:00:00.123456789Z',
      '2020-01-01T00:00:00+01:00',
      '2020-13-01T00:00:00Z',
      '0000-01-01T00:00:00Z',
      '2020-01-01',
      'spanner.commit_timestamp()',
    ],
  ],
  ['BYTES', ['AQI=', 'AQI', 'A', '*', '', 'AQ_-']],
  ['STRING', ['\0', 'é', 'x'.repeat(10)]],
  [JSONB, ['{}', '{"a":1,"a":2}', '[1', 'null', '1', 'nan']],
  ['BOOL', ['true', 't', 0]],
  [OID, ['1', '-1', '4294967295', '4294967296', 'x']],
]
