import t from 'tap'
import { readTransactionSnapshot } from '../../server/schema/transaction-snapshot.ts'
import { startCatalogFixture } from './catalog-fixture.ts'

const BASE = [
  'CREATE SCHEMA app',
  'CREATE TABLE a (id serial PRIMARY KEY, x text UNIQUE, n int CHECK (n > 0))',
  'CREATE TABLE app.b (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, a_id int REFERENCES a)',
  'CREATE TABLE c (id bigint PRIMARY KEY, y text)',
  'CREATE INDEX c_y ON c (y)',
  'CREATE SEQUENCE app.loose',
  `ALTER TABLE c ADD COLUMN z bigint DEFAULT nextval('app.loose')`,
  'CREATE VIEW v AS SELECT a.id, b.id AS b_id FROM a JOIN app.b ON b.a_id = a.id',
  'CREATE VIEW w AS SELECT id FROM v',
  `COMMENT ON COLUMN c.y IS 'why'`,
  `COMMENT ON VIEW v IS 'view'`,
  `COMMENT ON CONSTRAINT a_x_key ON a IS 'key'`,
  'CREATE FUNCTION app.f(int) RETURNS int LANGUAGE sql IMMUTABLE RETURN $1',
  'ALTER TABLE c ADD COLUMN f int DEFAULT app.f(1)',
  'CREATE INDEX c_f ON c (app.f(f))',
  'CREATE VIEW x AS SELECT app.f(1) AS one',
  `CREATE TYPE mood AS ENUM ('sad', 'happy')`,
  'CREATE DOMAIN positive AS int CHECK (VALUE > 0)',
  `CREATE DOMAIN numbered AS bigint DEFAULT nextval('app.loose') CONSTRAINT small CHECK (VALUE < 100)`,
  `COMMENT ON DOMAIN positive IS 'above'`,
  'CREATE FUNCTION count_c() RETURNS bigint LANGUAGE sql BEGIN ATOMIC SELECT count(f) FROM c; END',
  'CREATE FUNCTION of_row(r c) RETURNS int LANGUAGE sql RETURN 1',
]

/** Transactions, each from the same base. */
const TRANSACTIONS: readonly (readonly string[])[] = [
  [],
  ['CREATE TABLE d (id int PRIMARY KEY)'],
  ['ALTER TABLE c ADD COLUMN q int, DROP COLUMN y'],
  ['ALTER TABLE c ALTER y SET DEFAULT 1', 'ALTER TABLE c ALTER y SET NOT NULL'],
  ['ALTER TABLE c ALTER z DROP DEFAULT'],
  ['ALTER TABLE a DROP CONSTRAINT a_n_check'],
  ['ALTER TABLE app.b DROP CONSTRAINT b_a_id_fkey'],
  ['ALTER TABLE a RENAME TO aa'],
  ['ALTER TABLE a RENAME COLUMN id TO key'],
  ['ALTER SCHEMA app RENAME TO application'],
  ['ALTER TABLE c SET SCHEMA app'],
  ['ALTER SEQUENCE app.loose RENAME TO tight'],
  ['ALTER SEQUENCE app.loose SET SCHEMA public', 'ALTER SEQUENCE loose OWNED BY c.z'],
  ['ALTER SEQUENCE app.loose INCREMENT 5', 'ALTER SEQUENCE a_id_seq RESTART WITH 77'],
  ['ALTER INDEX c_y RENAME TO why'],
  ['DROP INDEX c_y'],
  ['DROP VIEW w'],
  ['CREATE OR REPLACE VIEW w AS SELECT id FROM v WHERE id > 5'],
  ['DROP TABLE a CASCADE'],
  ['DROP SCHEMA app CASCADE'],
  ['COMMENT ON COLUMN c.y IS NULL'],
  ['COMMENT ON VIEW v IS NULL'],
  ['COMMENT ON CONSTRAINT a_x_key ON a IS NULL', `COMMENT ON INDEX c_y IS 'index'`],
  ['COMMENT ON TABLE c IS $$table$$'],
  ['CREATE TYPE nothing AS ENUM ()', 'CREATE TABLE e (m nothing)'],
  [
    'SAVEPOINT one',
    'CREATE TABLE d (id int)',
    'SAVEPOINT two',
    'ALTER TABLE d ADD x int',
    'RELEASE two',
    'ALTER TABLE c ADD x int',
  ],
  [
    'CREATE TABLE d (id int)',
    'SAVEPOINT one',
    'ALTER TABLE c ADD x int',
    'ROLLBACK TO one',
    'ALTER TABLE d ADD y int',
  ],
  ['DROP VIEW v CASCADE', 'ALTER TABLE a ALTER id TYPE bigint'],
  ['ALTER TABLE a OWNER TO alice', 'ALTER SCHEMA app OWNER TO bob'],
  ['CREATE TABLE d (LIKE a INCLUDING ALL)', 'DROP TABLE d'],
  ['ALTER FUNCTION app.f RENAME TO g'],
  ['ALTER FUNCTION app.f SET SCHEMA public'],
  ['DROP FUNCTION app.f CASCADE'],
  ['CREATE OR REPLACE FUNCTION app.f(int) RETURNS int LANGUAGE sql IMMUTABLE RETURN 1'],
  [
    'CREATE DOMAIN dom AS int CHECK (app.f(VALUE) > 0)',
    'CREATE FUNCTION of_dom(dom) RETURNS int LANGUAGE sql RETURN $1',
    'ALTER TABLE c ADD CHECK (of_dom(f) > 0)',
  ],
  [`ALTER TYPE mood RENAME VALUE 'sad' TO 'blue'`],
  [`ALTER TYPE mood ADD VALUE 'glad'`],
  ['ALTER TYPE mood RENAME TO temper', 'ALTER TABLE c ADD m temper'],
  ['DROP TYPE mood'],
  ['DROP DOMAIN positive'],
  ['CREATE TABLE d (n positive)', 'ALTER DOMAIN positive RENAME TO above'],
  ['ALTER DOMAIN positive ADD CHECK (VALUE < 9)'],
  ['ALTER DOMAIN numbered DROP CONSTRAINT small'],
  ['ALTER DOMAIN numbered RENAME CONSTRAINT small TO little'],
  ['ALTER DOMAIN numbered DROP DEFAULT'],
  ['ALTER DOMAIN positive SET NOT NULL'],
  ['ALTER SEQUENCE app.loose RENAME TO tight'],
  ['ALTER TABLE c RENAME f TO ff'],
  ['ALTER TABLE c RENAME TO cc'],
  ['COMMENT ON DOMAIN positive IS NULL'],
  [`COMMENT ON FUNCTION app.f IS 'f'`],
  [`COMMENT ON SCHEMA app IS 'app'`],
  ['GRANT USAGE ON SCHEMA app TO bob', 'GRANT USAGE ON TYPE mood TO bob'],
  ['REVOKE EXECUTE ON FUNCTION app.f FROM PUBLIC'],
  ['ALTER FUNCTION app.f STABLE'],
  ['DROP FUNCTION count_c'],
  ['CREATE SCHEMA other CREATE TABLE t (id int)'],
  ['ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO bob', 'CREATE TABLE d (id int)'],
  ['ALTER TYPE mood OWNER TO alice', 'REASSIGN OWNED BY alice TO bob'],
  ['CREATE TABLE d (id int)', 'ALTER TABLE d ENABLE ROW LEVEL SECURITY'],
  ['CREATE POLICY p ON c'],
  ['CREATE RULE r AS ON INSERT TO c DO NOTHING'],
  ['CREATE TYPE pair AS (x int, y int)'],
  ['CREATE TYPE span AS RANGE (SUBTYPE = int)'],
  ['CREATE TABLE d (id int) PARTITION BY HASH (id)'],
  ['CREATE MATERIALIZED VIEW m AS SELECT 1 AS one'],
  ['CREATE TABLE d () INHERITS (c)'],
  ['CREATE TABLE d (x int, EXCLUDE USING btree (x WITH =))'],
  [
    'CREATE FUNCTION tr() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$',
    'CREATE TRIGGER t AFTER INSERT ON c EXECUTE FUNCTION tr()',
  ],
  ['CREATE STATISTICS s ON x, n FROM a'],
  ['CREATE PUBLICATION p'],
  ['CREATE OPERATOR ### (PROCEDURE = int4pl, LEFTARG = int, RIGHTARG = int)'],
  ['CREATE AGGREGATE total (int) (SFUNC = int4pl, STYPE = int)'],
  ['CREATE COLLATION co FROM "C"'],
  [
    'CREATE TEMP TABLE temporary (id int)',
    'CREATE FUNCTION pg_temp.g() RETURNS int LANGUAGE sql RETURN 1',
  ],
  ['SAVEPOINT one', 'CREATE SCHEMA gone', 'ROLLBACK TO one', 'CREATE TABLE d (id int)'],
]

/** Those that change tables, views and sequences alone: nothing else is read. */
const OF_RELATIONS: readonly (readonly string[])[] = [
  ['CREATE TABLE d (id bigserial PRIMARY KEY, a_id int REFERENCES a, CHECK (a_id > 0))'],
  ['CREATE TABLE d (LIKE a INCLUDING ALL)', 'DROP TABLE d'],
  ['CREATE INDEX more ON app.b (a_id)'],
  ['ALTER TABLE app.b ADD COLUMN q text DEFAULT 1, ALTER a_id SET NOT NULL'],
  ['CREATE VIEW y AS SELECT id FROM app.b'],
  ['DROP VIEW w'],
]

const fixture = await startCatalogFixture()
t.teardown(() => fixture.stop())

t.test('sees what a full look inside the transaction sees', async (t) => {
  const database = await fixture.makeDatabase()
  await database.run(...BASE)
  const before = await database.committedSnapshot()
  t.equal(before.tables.size, 3)
  for (const statements of [...TRANSACTIONS, ...OF_RELATIONS]) {
    await database.run('BEGIN', ...statements)
    const seen = await readTransactionSnapshot(database.query, before)
    const whole = await database.snapshot()
    await database.run('ROLLBACK')
    for (const part of [
      'schemas',
      'extensions',
      'enums',
      'domains',
      'functions',
      'sequences',
      'tables',
      'views',
      'others',
    ] as const) {
      t.same([...seen[part]], [...whole[part]], `${part}: ${statements.join('; ')}`)
    }
  }
})

t.test('reads nothing but relations where nothing else was changed', async (t) => {
  const database = await fixture.makeDatabase()
  await database.run(
    ...BASE.filter((text) => !text.includes('FUNCTION')).filter((text) => !text.includes('app.f')),
  )
  // What the last transaction has written is counted with the next one's for up to a second, until it is forced out.
  await database.query('select pg_stat_force_next_flush()')
  const before = await database.committedSnapshot()
  t.equal(before.domains.size, 2)
  for (const statements of OF_RELATIONS) {
    await database.run('BEGIN', ...statements)
    const seen = await readTransactionSnapshot(database.query, before)
    await database.run('ROLLBACK')
    t.equal(seen.domains, before.domains, statements.join('; '))
    t.equal(seen.others, before.others)
  }
})

t.test('sees what became of an extension', async (t) => {
  const database = await fixture.makeDatabase()
  await database.run('CREATE EXTENSION citext', 'CREATE TABLE a (x citext)')
  const before = await database.committedSnapshot()
  for (const statements of [
    ['DROP EXTENSION citext CASCADE'],
    ['ALTER EXTENSION citext DROP FUNCTION regexp_match(citext, citext)'],
    [`COMMENT ON EXTENSION citext IS 'no case'`, 'CREATE TABLE b (x citext)'],
    ['DROP TABLE a'],
  ]) {
    await database.run('BEGIN', ...statements)
    const seen = await readTransactionSnapshot(database.query, before)
    const whole = await database.snapshot()
    await database.run('ROLLBACK')
    t.same([...seen.extensions], [...whole.extensions], statements.join('; '))
    t.same([...seen.functions], [...whole.functions], statements.join('; '))
    t.same([...seen.tables], [...whole.tables], statements.join('; '))
  }
})

t.test('gives the settings of the session back', async (t) => {
  const database = await fixture.makeDatabase()
  await database.run('BEGIN', `SET LOCAL TimeZone = 'Asia/Tokyo'`, 'SET LOCAL search_path = app')
  await readTransactionSnapshot(database.query, await database.snapshot())
  t.same(
    await database.query(
      `select current_setting('TimeZone') as zone, current_setting('search_path') as path`,
    ),
    [{ zone: 'Asia/Tokyo', path: 'app' }],
  )
  await database.run('ROLLBACK')
})

t.test('waits for nobody whose tables it does not touch', async (t) => {
  const database = await fixture.makeDatabase()
  await database.run(...BASE)
  const before = await database.committedSnapshot()
  const other = await database.pin()
  await other.run('ALTER TABLE a ADD COLUMN held int')
  await database.run('BEGIN', `SET LOCAL lock_timeout = '1s'`, 'ALTER TABLE c ADD COLUMN mine int')
  const seen = await readTransactionSnapshot(database.query, before)
  const names = [...seen.tables.values()].map(({ declared }) => [
    declared.name,
    declared.columns.length,
  ])
  t.same(
    names,
    [
      ['a', 3],
      ['b', 2],
      ['c', 5],
    ],
    'neither waits for the other transaction nor sees it',
  )
  await other.release()
  await database.run('ROLLBACK')
})
