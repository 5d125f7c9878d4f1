import tap from 'tap'
import { connectTo, failureText, startEmulatorProfile } from './embedded-client.ts'

/*
 * What the profile of the official emulator shows otherwise than production's. Each expectation was measured on the emulator 1.5.28.
 */

const server = await startEmulatorProfile()
const client = await connectTo(server, 'emulated')
tap.teardown(async () => {
  client.close()
  await server.remove()
})
await client.ddl(
  'CREATE TABLE p (id bigint PRIMARY KEY)',
  `CREATE TABLE t (id bigint PRIMARY KEY, a varchar DEFAULT '', n numeric DEFAULT 1::numeric, x bigint DEFAULT NULL::bigint,
     pid bigint REFERENCES p (id), CONSTRAINT ck CHECK (a IN ('', 'a 1') AND id > -1))`,
  'CREATE INDEX t_a ON t (a) WHERE a IS NOT NULL',
  'CREATE VIEW v SQL SECURITY INVOKER AS SELECT id, a FROM t WHERE id > 1',
)

tap.test('declared parameters are told of as undeclared ones', async (t) => {
  const { metadata } = await client.call('executeSql', {
    session: client.session,
    sql: 'SELECT $1, $2::bigint',
    params: { fields: { p1: { stringValue: 'x' }, p2: { stringValue: '1' } } },
    paramTypes: { p1: { code: 'STRING' } },
  })
  t.strictSame(metadata.undeclaredParameters.fields, [
    { name: 'p1', type: { code: 'STRING' } },
    { name: 'p2', type: { code: 'INT64' } },
  ])
})

tap.test('expressions are printed as Spanner analyses them', async (t) => {
  const { statements } = await client.call('getDatabaseDdl', { database: client.database })
  t.strictSame(statements.slice(1), [
    `CREATE TABLE t (
  id bigint NOT NULL,
  a character varying DEFAULT ''::text,
  n numeric DEFAULT ('1'::bigint)::numeric,
  x bigint DEFAULT NULL::bigint,
  pid bigint,
  PRIMARY KEY(id),
  FOREIGN KEY (pid) REFERENCES p(id),
  CONSTRAINT ck CHECK(((a = ANY (ARRAY[''::text, 'a 1'::text])) AND (id > '-1'::bigint)))
)`,
    'CREATE INDEX t_a ON t (a)',
    "CREATE VIEW v SQL SECURITY INVOKER AS SELECT id, a FROM t WHERE (id > '1'::bigint)",
  ])
})

tap.test('catalogs have the columns and rows that Spanner gives them', async (t) => {
  const namespaces = await client.run('SELECT nspname FROM pg_catalog.pg_namespace ORDER BY 1')
  t.strictSame(namespaces.rows.flat(), [
    'information_schema',
    'pg_catalog',
    'public',
    'spanner',
    'spanner_sys',
  ])
  const constraints = await client.run(
    `SELECT conname FROM "pg_catalog".pg_constraint WHERE contype <> 'f' ORDER BY 1`,
  )
  t.strictSame(constraints.rows.flat(), ['PK_p', 'PK_t', 'ck'])
  const defaults = await client.run(
    `SELECT table_catalog, column_default FROM information_schema.columns WHERE table_name = 't' AND column_name = 'a'`,
  )
  t.strictSame(defaults.rows, [['', "''::text"]])
  const indexes = await client.run(
    `SELECT is_null_filtered, spanner_is_managed FROM information_schema.indexes WHERE index_type = 'INDEX' ORDER BY 2`,
  )
  t.strictSame(indexes.rows, [
    ['YES', 'NO'],
    ['YES', 'YES'],
  ])
})

tap.test('functions and refusals that differ', async (t) => {
  const { rows } = await client.run(`SELECT round(2.5::float8), substr('abc', -1), int '5'`)
  t.strictSame(rows, [[3, 'c', '5']])
  const refused: readonly (readonly [sql: string, text: RegExp])[] = [
    ["SELECT repeat('x', -1)", /^11 /],
    ["SELECT lpad('x', 10000000)", /^11 /],
    ['SELECT ntile(2) OVER (ORDER BY id) FROM t', /^5 function ntile does not exist/],
    ['SELECT lag(id) OVER (ORDER BY id) FROM t', /^12 .*WINDOW/],
    ['SELECT row(1)', /^3 /],
    ['SELECT gcd(4, 6)', /^12 /],
    ['CALL x()', /^5 /],
    ['SELECT extract(nosuch FROM now())', /^3 /],
    ["SELECT 'a\0b'", /^3 /],
  ]
  for (const [sql, text] of refused) t.match(await failureText(client.run(sql)), text, sql)
  const ddl: readonly (readonly [sql: string, text: RegExp])[] = [
    ['CREATE TABLE y (id bigint PRIMARY KEY, pid bigint REFERENCES p (nope))', /^9 /],
    ['CREATE TABLE y (id bigint PRIMARY KEY, pid varchar REFERENCES p (id))', /^9 /],
    ['ALTER TABLE t ADD COLUMN y bigint NOT NULL', /^12 /],
    ['ALTER TABLE t ALTER COLUMN x TYPE varchar', /^3 Cannot change type/],
    ['ALTER TABLE t ALTER COLUMN x SET NOT NULL', /^13 /],
  ]
  for (const [sql, text] of ddl) t.match(await failureText(client.ddl(sql)), text, sql)
})
