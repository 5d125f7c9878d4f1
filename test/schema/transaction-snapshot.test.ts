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
  ['CREATE TYPE mood AS ENUM ()', 'CREATE TABLE e (m mood)'],
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
]

const fixture = await startCatalogFixture()
t.teardown(() => fixture.stop())

t.test('sees what a full look inside the transaction sees', async (t) => {
  const database = await fixture.makeDatabase()
  await database.run(...BASE)
  const before = await database.committedSnapshot()
  t.equal(before.tables.size, 3)
  for (const statements of TRANSACTIONS) {
    await database.run('BEGIN', ...statements)
    const seen = await readTransactionSnapshot(database.query, before)
    const whole = await database.snapshot()
    await database.run('ROLLBACK')
    for (const part of ['schemas', 'sequences', 'tables', 'views', 'others'] as const) {
      t.same([...seen[part]], [...whole[part]], `${part}: ${statements.join('; ')}`)
    }
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
      ['c', 4],
    ],
    'neither waits for the other transaction nor sees it',
  )
  await other.release()
  await database.run('ROLLBACK')
})
