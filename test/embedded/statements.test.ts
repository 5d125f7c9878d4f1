import tap from 'tap'
import {
  connectTo,
  failure,
  failureText,
  type Message,
  READ_WRITE,
  startTestServer,
} from './embedded-client.ts'

const server = await startTestServer()
const client = await connectTo(server, 'statements')
tap.teardown(async () => {
  client.close()
  await server.remove()
})
await client.ddl(
  'CREATE TABLE p (id bigint PRIMARY KEY, code varchar(5), UNUSED bigint)',
  `CREATE TABLE k (id bigint NOT NULL, v bigint NOT NULL, s varchar(5), pid bigint, u varchar,
     CONSTRAINT vpos CHECK (v > 0), CONSTRAINT fk_pid FOREIGN KEY (pid) REFERENCES p(id), PRIMARY KEY (id))`,
  'CREATE UNIQUE INDEX k_u ON k (u)',
  `CREATE TABLE every (id bigint PRIMARY KEY, b bool, f8 float8, f4 real, n numeric, s text, by bytea, d date, ts timestamptz, j jsonb, u uuid,
     ab bool[], ai bigint[], af float8[], an numeric[], "as" varchar[], aby bytea[], ad date[], ats timestamptz[], aj jsonb[], au uuid[], ar real[])`,
)
await client.write("INSERT INTO p (id, code) VALUES (1, 'a'), (2, 'b')")
await client.write("INSERT INTO k (id, v, s, pid, u) VALUES (1, 1, 'x', 1, 'u1')")

tap.test('rows are written, read, changed and deleted', async (t) => {
  const inserted = await client.write(
    'INSERT INTO p (id, code) VALUES ($1, $2), ($3, NULL) RETURNING id, code',
    {
      params: ['10', 'ten', '11'],
      types: ['INT64', 'STRING', 'INT64'],
    },
  )
  t.strictSame(inserted.columns, ['id INT64', 'code STRING'])
  t.strictSame(inserted.rows, [
    ['10', 'ten'],
    ['11', null],
  ])
  t.equal(inserted.count, '2')
  t.equal(
    (
      await client.write('UPDATE p SET code = code || $1 WHERE id >= 10', {
        params: ['!'],
        types: ['STRING'],
      })
    ).count,
    '2',
  )
  t.strictSame((await client.run('SELECT code FROM p WHERE id = 10')).rows, [['ten!']])
  t.equal((await client.write('DELETE FROM p WHERE id >= 10')).count, '2')
  t.equal(
    (await client.write('DELETE FROM p WHERE id >= 10')).count,
    '0',
    'a count of nothing is there',
  )
  t.strictSame((await client.run('SELECT id FROM p ORDER BY id')).rows, [['1'], ['2']])
})

tap.test('every type goes in and comes out in the form that Spanner has for it', async (t) => {
  const array = (code: string, typeAnnotation?: string) => ({
    code: 'ARRAY',
    arrayElementType: { code, typeAnnotation },
  })
  const numeric = { code: 'NUMERIC', typeAnnotation: 'PG_NUMERIC' }
  const jsonb = { code: 'JSON', typeAnnotation: 'PG_JSONB' }
  const cases: readonly (readonly [string, string | object, unknown, unknown?])[] = [
    ['b', 'BOOL', true],
    ['f8', 'FLOAT64', 1.25],
    ['f8', 'FLOAT64', -0],
    ['f4', 'FLOAT32', 0.5],
    ['n', numeric, '123456789012345678901234567890.0500'],
    ['s', 'STRING', 'ä "quoted" \\ {x,y} \u{1f600}'],
    ['by', 'BYTES', Buffer.from([0, 1, 254, 255]).toString('base64')],
    ['d', 'DATE', '0001-02-03'],
    ['ts', 'TIMESTAMP', '2024-02-29T23:59:59.000120Z', '2024-02-29T23:59:59.00012Z'],
    ['j', jsonb, '{"b":1,"a":[null,"x"],"b":2}', '{"a": [null, "x"], "b": 2}'],
    ['u', 'UUID', '01234567-89ab-cdef-0123-456789abcdef'],
    ['ab', array('BOOL'), [true, null, false]],
    ['ai', array('INT64'), ['1', null, '-9223372036854775808']],
    ['af', array('FLOAT64'), [1.5, null, 'NaN', '-Infinity', -0]],
    ['an', array('NUMERIC', 'PG_NUMERIC'), ['1.10', null, 'NaN']],
    ['as', array('STRING'), ['', 'NULL', null, 'a"b\\c', '{,}', ' ']],
    ['aby', array('BYTES'), ['AP8=', null, '']],
    ['ad', array('DATE'), ['9999-12-31', null, '0001-01-01']],
    ['ats', array('TIMESTAMP'), ['0001-01-01T00:00:00Z', null, '9999-12-31T23:59:59.999999Z']],
    ['aj', array('JSON', 'PG_JSONB'), ['{"a": 1}', null, 'null']],
    ['au', array('UUID'), ['01234567-89ab-cdef-0123-456789abcdef', null]],
    ['ar', array('FLOAT32'), [0.5, null]],
  ]
  for (const [index, [column, type, input, output = input]] of cases.entries()) {
    const id = String(index + 1)
    const sql = `INSERT INTO every (id, "${column}") VALUES ($1, $2) RETURNING "${column}"`
    const result = await client.write(sql, { params: [id, input], types: ['INT64', type] })
    t.strictSame(result.rows, [[output]], `${column} typed`)
    await client.write(`UPDATE every SET "${column}" = NULL WHERE id = ${id}`)
    t.strictSame(
      (await client.run(`SELECT "${column}" FROM every WHERE id = ${id}`)).rows,
      [[null]],
      `${column} null`,
    )
    const untyped = await client.write(
      `UPDATE every SET "${column}" = $1 WHERE id = ${id} RETURNING "${column}"`,
      { params: [input] },
    )
    t.strictSame(untyped.rows, [[output]], `${column} untyped`)
  }
  const { columns } = await client.run('SELECT * FROM every')
  t.strictSame(columns, [
    'id INT64',
    'b BOOL',
    'f8 FLOAT64',
    'f4 FLOAT32',
    'n NUMERIC/PG_NUMERIC',
    's STRING',
    'by BYTES',
    'd DATE',
    'ts TIMESTAMP',
    'j JSON/PG_JSONB',
    'u UUID',
    'ab ARRAY<BOOL>',
    'ai ARRAY<INT64>',
    'af ARRAY<FLOAT64>',
    'an ARRAY<NUMERIC/PG_NUMERIC>',
    'as ARRAY<STRING>',
    'aby ARRAY<BYTES>',
    'ad ARRAY<DATE>',
    'ats ARRAY<TIMESTAMP>',
    'aj ARRAY<JSON/PG_JSONB>',
    'au ARRAY<UUID>',
    'ar ARRAY<FLOAT32>',
  ])
})

tap.test("integers have 64 bits, and the time zone is Spanner's", async (t) => {
  t.strictSame(
    (
      await client.run(
        "SELECT 2147483647 + 1, 65536 * 65536, 1 << 40, '3000000000'::int, CAST(3000000000 AS integer), sum(x) FROM unnest(ARRAY[1,2]) x",
      )
    ).rows,
    [['2147483648', '4294967296', '1099511627776', '3000000000', '3000000000', '3']],
  )
  t.strictSame(
    (await client.run("SELECT '2024-07-01 00:00:00'::timestamptz, pg_catalog.oid(26)")).rows,
    [['2024-07-01T07:00:00Z', '26']],
  )
  t.strictSame(
    (
      await client.run("SELECT interval '1 year 2 days', 1 AS x, substr('abcdef', $1, $2)", {
        params: ['2', '3'],
        types: ['INT64', 'INT64'],
      })
    ).rows,
    [['P1Y2D', '1', 'bcd']],
  )
  t.strictSame(
    (await client.run('/*@ LOCK_SCANNED_RANGES=exclusive */ SELECT spanner.bit_reverse(100, true)'))
      .rows,
    [['1369094286720630784']],
  )
})

tap.test('PLAN answers with types and runs nothing', async (t) => {
  const plan = await client.run('SELECT id, code FROM p WHERE id = $1 AND code = $2', {
    queryMode: 'PLAN',
  })
  t.strictSame(plan.columns, ['id INT64', 'code STRING'])
  t.strictSame(
    plan.metadata.undeclaredParameters.fields.map(
      (field: { name: string; type: { code: string } }) => [field.name, field.type.code],
    ),
    [
      ['p1', 'INT64'],
      ['p2', 'STRING'],
    ],
  )
  const insert = await client.run('INSERT INTO p (id, code) VALUES ($1, $2)', {
    queryMode: 'PLAN',
    in: READ_WRITE,
    session: await client.newSession(),
  })
  t.equal(insert.metadata.undeclaredParameters.fields.length, 2)
  t.ok(insert.transaction.length > 0)
  t.strictSame((await client.run('SELECT count(*) FROM p')).rows, [['2']])
})

tap.test("constraints fail in Spanner's words", async (t) => {
  const cases: readonly (readonly [string, string])[] = [
    ['INSERT INTO k (id, v) VALUES (1, 1)', '6 Row [1] in table k already exists'],
    [
      "INSERT INTO k (id, v, u) VALUES (10, 1, 'u1')",
      '6 Unique index violation on index k_u at index key [u1]. It conflicts with row [..] in table k.',
    ],
    [
      'INSERT INTO k (id, v, pid) VALUES (10, 1, 99)',
      '9 Foreign key constraint `fk_pid` is violated on table `k`. Cannot find referenced values in p(id).',
    ],
    [
      'DELETE FROM p WHERE id = 1',
      '9 Foreign key constraint violation when deleting or updating referenced row(s): referencing row(s) found in table `k`.',
    ],
    ['INSERT INTO k (id, v) VALUES (10, NULL)', '9 v must not be NULL in table k.'],
    [
      'INSERT INTO k (id, v) VALUES (10, -1)',
      '11 Check constraint `k`.`vpos` is violated for key `(10)`',
    ],
    [
      "INSERT INTO k (id, v, s) VALUES (10, 1, 'toolong')",
      '9 value too long for type character varying(5)',
    ],
  ]
  for (const [sql, text] of cases) t.equal(await failureText(client.write(sql)), text, sql)
})

tap.test("other errors have PostgreSQL's words under Spanner's codes", async (t) => {
  const cases: readonly (readonly [string, string])[] = [
    ['SELECT * FROM missing', '5 relation "missing" does not exist'],
    ['SELECT missing FROM k', '3 column "missing" does not exist'],
    ['SELECT id FRM k', '3 syntax error at or near "k"'],
    ['SELECT 1/0', '11 division by zero'],
    ['SELECT 9223372036854775807 + 1', '11 bigint out of range'],
    ["SELECT 'abc'::bigint", '3 invalid input syntax for type bigint: "abc"'],
    ['SELECT (SELECT x FROM unnest(ARRAY[1,2]) x)', '11 More than one element'],
    ["SELECT '1'::json", '12 The Postgres Type is not supported: json'],
    ['SELECT ARRAY[ARRAY[1],ARRAY[2]]', '3 Multi-dimensional arrays are not supported'],
  ]
  for (const [sql, text] of cases) t.equal(await failureText(client.run(sql)), text, sql)
  t.match(
    await failureText(client.run('SELECT nofunc(1)')),
    /^5 function nofunc\(integer\) does not exist\nHint: /,
  )
  t.equal(
    await failureText(client.run('SELECT $1::bigint', { params: [5], types: ['INT64'] })),
    '9 Invalid value for bind parameter p1: Expected INT64.',
  )
  const unreadable = [
    ['INT64', 'x'],
    ['INT64', ''],
    ['DATE', '2024-02-30'],
    ['DATE', '24-1-1'],
    [{ code: 'NUMERIC', typeAnnotation: 'PG_NUMERIC' }, '1e'],
    [{ code: 'JSON', typeAnnotation: 'PG_JSONB' }, '{'],
  ] as const
  for (const [type, text] of unreadable) {
    const { code } = await failure(client.run('SELECT $1', { params: [text], types: [type] }))
    t.equal(code, 9, text)
  }
  const read = await client.run('SELECT $1, $2, $3', {
    params: ['2024-2-9', '-1.5e3', '[1]'],
    types: ['DATE', unreadable[4][0], unreadable[5][0]],
  })
  t.strictSame(read.rows, [['2024-02-09', '-1500', '[1]']])
  t.equal(
    await failureText(client.run('SELECT $1::bigint', { types: ['INT64'] })),
    '3 No parameter found for binding: p1',
  )
})

tap.test("what Spanner's dialect lacks is refused", async (t) => {
  const cases: readonly (readonly [string, string])[] = [
    [
      'SELECT id, row_number() OVER (ORDER BY id) FROM k',
      '12 Statements with WINDOW clauses are not supported',
    ],
    [
      'WITH RECURSIVE x AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM x WHERE n < 5) SELECT n FROM x',
      '12 Recursive WITH expressions are not supported',
    ],
    ['SELECT DISTINCT ON (v) v FROM k', '12 Statements with DISTINCT ON clauses are not supported'],
    ['SELECT * FROM (VALUES (1)) v', '12 VALUES lists in FROM clause are not supported'],
    [
      'SELECT count(*) FILTER (WHERE v > 1) FROM k',
      '12 Aggregate functions with FILTER clauses are not supported',
    ],
    [
      'SELECT * FROM (WITH x AS (SELECT 1) SELECT * FROM x) y',
      '12 WITH expressions in subqueries are not supported',
    ],
    ['SELECT id FROM k FOR SHARE', '12 Statements with ROW MARK clauses are not supported'],
    [
      'UPDATE k SET v = p.id FROM p WHERE p.id = k.pid',
      '12 UPDATE...FROM statements are not supported.',
    ],
    ['DELETE FROM k USING p WHERE p.id = k.pid', '12 DELETE...USING statements are not supported.'],
    [
      'WITH x AS (DELETE FROM k RETURNING id) SELECT * FROM x',
      '12 WITH subexpressions must be SELECT statements',
    ],
    [
      'INSERT INTO k (id, v) VALUES (1, 1) ON CONFLICT DO NOTHING',
      '3 ON CONFLICT target must list all key columns',
    ],
    ['SAVEPOINT a', '12 Utility SQL statements are not supported'],
    [
      'CREATE TABLE x (id bigint PRIMARY KEY)',
      '12 DDL statements cannot be issued as SELECT/DML statements',
    ],
  ]
  for (const [sql, text] of cases) t.equal(await failureText(client.run(sql)), text, sql)
  t.equal((await failure(client.run('SELECT 1; SELECT 2'))).code, 3)
  // Words that are refused elsewhere are good names and parts of other constructs.
  t.strictSame(
    (await client.run('SELECT v AS filter, id AS "over" FROM k WHERE v IS DISTINCT FROM 2')).rows,
    [['1', '1']],
  )
})

tap.test('client SQL is not run as a superuser', async (t) => {
  // Spanner has the relation, and nothing in it.
  t.strictSame((await client.run('SELECT * FROM pg_catalog.pg_hba_file_rules')).rows, [])
  t.match(await failureText(client.run("SELECT pg_read_file('/etc/passwd')")), /^12 /)
})

tap.test('DML needs a read-write transaction', async (t) => {
  t.equal(
    await failureText(client.run('DELETE FROM k')),
    '3 DML statements may not be performed in single-use transactions, to avoid replay.',
  )
  t.match(
    await failureText(
      client.run('DELETE FROM k', {
        in: { begin: { readOnly: { strong: true } } },
        session: await client.newSession(),
      }),
    ),
    /^3 DML statements can only be performed/,
  )
  t.match(await failureText(client.run('SELECT id FROM k FOR UPDATE')), /^3 /)
})

tap.test('PLAN and PROFILE tell of the query beside its rows', async (t) => {
  const session = await client.newSession()
  const stats = async (request: object): Promise<Message> =>
    (await client.call('executeSql', { session, ...request })).stats
  const queryPlan = { planNodes: [{ displayName: 'No query plan' }] }
  const query = { sql: 'SELECT unnest FROM unnest(ARRAY[1, 2])' }
  t.strictSame(plainStats(await stats({ ...query, queryMode: 'PLAN' })), { queryPlan })
  t.strictSame(plainStats(await stats({ ...query, queryMode: 'PROFILE' })), {
    queryPlan,
    rows: '2',
    hasElapsed: true,
  })
  const streamed = await client.stream({ session, ...query, queryMode: 'PROFILE' }).messages
  t.strictSame(plainStats(streamed.at(-1).stats), { rows: '2', hasElapsed: true })
  const { id } = await client.call('beginTransaction', { session, options: { readWrite: {} } })
  const dml = { transaction: { id }, seqno: 1, sql: 'DELETE FROM k WHERE true' }
  t.strictSame(plainStats(await stats({ ...dml, queryMode: 'PLAN' })), { queryPlan, count: '0' })
  const profiled = plainStats(await stats({ ...dml, queryMode: 'PROFILE' }))
  t.match(profiled, { queryPlan, rows: '0', hasElapsed: true, count: /^\d+$/ })
  await client.call('rollback', { session, transactionId: id })
})

function plainStats({ queryPlan, queryStats, rowCountExact }: Message): object {
  const { rows_returned: rows, elapsed_time: elapsed } = queryStats?.fields ?? {}
  return {
    ...(queryPlan === undefined ? {} : { queryPlan }),
    ...(rows === undefined ? {} : { rows: rows.stringValue }),
    ...(elapsed === undefined ? {} : { hasElapsed: /^\d+\.\d+ms$/.test(elapsed.stringValue) }),
    ...(rowCountExact === undefined ? {} : { count: rowCountExact }),
  }
}
