import { setTimeout as sleep } from 'node:timers/promises'
import type { Test } from 'tap'
import { connectTo, type EmbeddedClient } from '../embedded/embedded-client.ts'
import { orSkip } from '../helpers/on-emulator.ts'
import {
  type BackendKind,
  type RecordedBackend,
  startRecordedBackend,
} from '../helpers/recorded-backend.ts'
import { startSpanwire } from '../helpers/spanwire.ts'
import { type ServerMessage, WireClient } from '../helpers/wire-client.ts'

/*
 * A database that somebody else made, with Spanner's own DDL, as a client of PostgreSQL finds it.
 */

const DDL = [
  `CREATE TABLE singers (id bigint NOT NULL, name varchar(100) NOT NULL, born date, updated spanner.commit_timestamp,
     loud varchar GENERATED ALWAYS AS (upper(name)) STORED, PRIMARY KEY (id))`,
  `CREATE TABLE albums (id bigint NOT NULL, album bigint NOT NULL, title varchar, PRIMARY KEY (id, album)) INTERLEAVE IN PARENT singers ON DELETE CASCADE`,
  `CREATE TABLE tracks (id bigint NOT NULL, album bigint NOT NULL, track bigint NOT NULL, PRIMARY KEY (id, album, track)) INTERLEAVE IN PARENT albums`,
  'CREATE INDEX albums_by_title ON albums (id, title) INTERLEAVE IN singers',
  'CREATE SCHEMA shop',
  'CREATE SEQUENCE shop.numbers BIT_REVERSED_POSITIVE',
  `CREATE TABLE shop.orders (id bigint NOT NULL DEFAULT nextval('shop.numbers'), singer bigint, made timestamptz DEFAULT CURRENT_TIMESTAMP,
     code varchar DEFAULT spanner.generate_uuid(), total bigint, CONSTRAINT fk_singer FOREIGN KEY (singer) REFERENCES singers (id),
     CONSTRAINT positive CHECK (total > 0), CONSTRAINT odd CHECK (spanner.bit_reverse(total, true) <> 7), PRIMARY KEY (id)) TTL INTERVAL '30 days' ON made`,
  'CREATE TABLE shop.lines (id bigint NOT NULL, n bigint NOT NULL, PRIMARY KEY (id, n)) INTERLEAVE IN PARENT shop.orders ON DELETE CASCADE',
  'CREATE UNIQUE INDEX one_order ON shop.orders (singer DESC, made) INCLUDE (total)',
  `CREATE VIEW young SQL SECURITY INVOKER AS SELECT singers.id, singers.name FROM singers WHERE singers.born > '2000-01-01'`,
  'CREATE VIEW shop.totals SQL SECURITY INVOKER AS SELECT o.singer, o.total FROM shop.orders o',
  'CREATE CHANGE STREAM everything FOR ALL',
  'CREATE VIEW reversed SQL SECURITY INVOKER AS SELECT spanner.bit_reverse(singers.id, true) AS r FROM singers',
]

/** What the emulator does not take. */
const PRODUCTION_DDL = [
  `CREATE TABLE words (id bigint NOT NULL, body text, extra bigint, tokens spanner.tokenlist GENERATED ALWAYS AS (spanner.tokenize_fulltext(body)) STORED HIDDEN,
     loose spanner.tokenlist, PRIMARY KEY (id))`,
  'CREATE SEARCH INDEX word_search ON words (tokens)',
]

/** Holds what a client gets from a database of others to what is written here. */
export function checkForeignDatabase(t: Test, kind: BackendKind): Promise<void> {
  return orSkip(
    t,
    () => startRecordedBackend(kind),
    (backend) => checkOn(t, kind, backend),
  )
}

async function checkOn(t: Test, kind: BackendKind, backend: RecordedBackend): Promise<void> {
  const spanwire = await startSpanwire({ env: backend.env })
  t.teardown(() => spanwire.stop())
  const server = {
    address: backend.env['SPANNER_EMULATOR_HOST'] ?? '',
    instance: 'projects/spanwire/instances/spanwire',
  }
  const them = await connectTo(server, 'theirs')
  t.teardown(() => them.close())
  await runDdl(them, ...DDL)
  if (kind === 'embedded') await runDdl(them, ...PRODUCTION_DDL)
  const { client } = await WireClient.connect(spanwire, { user: 'me', database: 'theirs' })
  t.teardown(() => client.end())
  const ask = async (sql: string) => (await client.query(sql)).flatMap(told)

  await t.test('the catalogs show it', (t) => checkCatalogs(t, ask))
  await t.test('its rows are read and changed', (t) => checkRows(t, ask))
  await t.test('DDL leaves alone what a client does not see', (t) => checkDdl(t, ask, them))
  if (kind === 'embedded') await t.test('full text is hidden', (t) => checkFullText(t, ask, them))
  await t.test('what others change is noticed', (t) => checkChanges(t, ask, them))
  await t.test('it can be dropped', async (t) => {
    t.same(await ask('drop table tracks, albums, singers cascade'), [
      '2BP01 Cannot drop TABLE `singers` on which there are dependent views: reversed.',
    ])
    await runDdl(them, 'DROP VIEW reversed')
    t.same(await ask('drop table tracks, albums, singers cascade'), ['DROP TABLE'])
    t.same(await ask('drop schema shop cascade'), ['DROP SCHEMA'])
    const { statements } = await them.call('getDatabaseDdl', { database: them.database })
    t.notMatch(statements.join('\n'), /singers|albums|orders|young/)
  })
}

type Ask = (sql: string) => Promise<readonly string[]>

/** Rows as text, tags, and of errors code, message and detail. */
function told(message: ServerMessage): string[] {
  if (message.name === 'dataRow')
    return [(message['fields'] as (string | null)[]).map((cell) => cell ?? 'NULL').join('|')]
  if (message.name === 'commandComplete') return [String(message['text'])]
  if (message.name !== 'error') return []
  const detail = message['detail'] === undefined ? '' : ` (${message['detail']})`
  return [`${message['code']} ${message['message']}${detail}`]
}

async function runDdl(them: EmbeddedClient, ...statements: string[]): Promise<void> {
  // Spanwire looks again after a second at the earliest.
  await sleep(1_000)
  let operation = await them.ddl(...statements)
  while (!operation.done) operation = await them.call('getOperation', { name: operation.name })
  if (operation.error !== undefined) throw new Error(operation.error.message)
}

const FOREIGN_KEYS = `select conrelid::regclass, conname, pg_get_constraintdef(oid) from pg_constraint
  where contype = 'f' order by conrelid::regclass::text`

async function checkCatalogs(t: Test, ask: Ask): Promise<void> {
  t.same(
    await ask(`select c.oid::regclass, relkind from pg_class c join pg_namespace n on n.oid = relnamespace
      where nspname in ('public', 'shop') and relname <> 'words' and relkind in ('r', 'v', 'S') order by c.oid::regclass::text`),
    [
      'albums|r',
      'shop.lines|r',
      'shop.numbers|S',
      'shop.orders|r',
      'shop.totals|v',
      'singers|r',
      'tracks|r',
      'young|v',
      'SELECT 8',
    ],
    'all but the view that PostgreSQL cannot make',
  )
  t.same(
    await ask(FOREIGN_KEYS),
    [
      'albums|albums_id_fkey|FOREIGN KEY (id) REFERENCES singers(id) ON DELETE CASCADE',
      'shop.lines|lines_id_fkey|FOREIGN KEY (id) REFERENCES shop.orders(id) ON DELETE CASCADE',
      'shop.orders|fk_singer|FOREIGN KEY (singer) REFERENCES singers(id)',
      'tracks|tracks_id_album_fkey|FOREIGN KEY (id, album) REFERENCES albums(id, album)',
      'SELECT 4',
    ],
    'a table that is interleaved refers to its parent',
  )
  t.same(
    await ask(`select column_name, data_type, is_nullable, column_default, is_generated from information_schema.columns
      where table_schema in ('public', 'shop') and table_name in ('singers', 'orders') order by table_name, ordinal_position`),
    [
      `id|bigint|NO|nextval('shop.numbers'::regclass)|NEVER`,
      'singer|bigint|YES|NULL|NEVER',
      'made|timestamp with time zone|YES|CURRENT_TIMESTAMP|NEVER',
      'code|character varying|YES|(gen_random_uuid())::text|NEVER',
      'total|bigint|YES|NULL|NEVER',
      'id|bigint|NO|NULL|NEVER',
      'name|character varying|NO|NULL|NEVER',
      'born|date|YES|NULL|NEVER',
      'updated|timestamp with time zone|YES|NULL|NEVER',
      'loud|character varying|YES|NULL|ALWAYS',
      'SELECT 10',
    ],
  )
  t.same(await ask(`select pg_get_indexdef('shop.one_order'::regclass)`), [
    'CREATE UNIQUE INDEX one_order ON shop.orders USING btree (singer DESC, made) INCLUDE (total)',
    'SELECT 1',
  ])
  t.match(
    (await ask(`select pg_get_viewdef('young'::regclass, true)`))[0],
    /born > '2000-01-01'::date/,
  )
  t.same(
    await ask(
      `select conname from pg_constraint where contype = 'c' and conrelid = 'shop.orders'::regclass`,
    ),
    ['positive', 'SELECT 1'],
  )
}

async function checkRows(t: Test, ask: Ask): Promise<void> {
  t.same(
    await ask(
      `insert into singers (id, name, born) values (1, 'Ann', '2001-02-03'), (2, 'Bea', null) returning id, name, updated`,
    ),
    ['1|Ann|NULL', '2|Bea|NULL', 'INSERT 0 2'],
  )
  t.same(await ask(`insert into albums values (1, 1, 'Air'), (1, 2, 'Bye')`), ['INSERT 0 2'])
  t.same(await ask('insert into tracks values (1, 1, 1)'), ['INSERT 0 1'])
  t.same(await ask('insert into albums (id, album) values (9, 1)'), [
    '23503 insert or update on table "albums" violates foreign key constraint "albums_id_fkey" (Key (id)=(9) is not present in table "singers".)',
  ])
  t.same(await ask('delete from albums where id = 1 and album = 1'), [
    '23503 update or delete on table "albums" violates foreign key constraint "tracks_id_album_fkey" on table "tracks" (Key (id, album)=(1, 1) is still referenced from table "tracks".)',
  ])
  t.same(
    await ask('select s.loud, a.title from singers s join albums a using (id) order by 2 desc'),
    ['ANN|Bye', 'ANN|Air', 'SELECT 2'],
  )
  t.same(await ask(`update singers set loud = 'x'`), [
    '428C9 column "loud" can only be updated to DEFAULT (Column "loud" is a generated column.)',
  ])
  t.same(await ask(`update singers set updated = '2026-01-02 03:04:05Z' where id = 2`), [
    'UPDATE 1',
  ])
  t.same(await ask(`select updated = '2026-01-02 03:04:05Z' from singers where id = 2`), [
    't',
    'SELECT 1',
  ])
  t.same(
    await ask(
      'insert into shop.orders (singer, total) values (1, 3) returning id > 0, made is null, length(code)',
    ),
    ['t|f|36', 'INSERT 0 1'],
  )
  t.same(await ask('insert into shop.orders (singer, total) values (1, -3)'), [
    '23514 new row for relation "orders" violates check constraint "positive"',
  ])
  t.same(await ask('select name, total from young join shop.totals on singer = id'), [
    'Ann|3',
    'SELECT 1',
  ])
  t.same(await ask('delete from tracks'), ['DELETE 1'])
  t.same(await ask('delete from shop.orders'), ['DELETE 1'])
  t.same(await ask('delete from singers where id = 1'), ['DELETE 1'])
  t.same(await ask('select * from albums'), ['SELECT 0'], 'the rows below it went with it')
}

async function checkDdl(t: Test, ask: Ask, them: EmbeddedClient): Promise<void> {
  t.same(await ask('alter table albums drop constraint albums_id_fkey'), [
    '0A000 table "albums" is interleaved in its parent, which cannot be changed',
  ])
  t.same(await ask('alter table tracks alter track type text'), [
    '0A000 table "tracks" cannot be changed like this: it would lose its place in table "albums"',
  ])
  t.same(await ask('alter table shop.orders alter made type text, alter made drop default'), [
    '0A000 table "orders" cannot be changed like this: it would lose a row deletion policy',
  ])
  t.same(await ask('create or replace view young as select id, name from singers'), [
    '0A000 view "young" cannot be replaced: Spanner has it, too',
  ])
  t.same(await ask('alter table shop.orders add note text'), ['ALTER TABLE'])
  t.same(await ask('alter table singers rename name to title'), ['ALTER TABLE'])
  t.same(await ask('create view older as select title from singers where born < now()'), [
    'CREATE VIEW',
  ])
  const { statements } = await them.call('getDatabaseDdl', { database: them.database })
  const ddl: string = statements.join('\n')
  const orders = statements.find((text: string) => text.startsWith('CREATE TABLE shop.orders'))
  for (const part of [
    /DEFAULT nextval\(/,
    /DEFAULT CURRENT_TIMESTAMP/,
    /DEFAULT spanner.generate_uuid\(\)/,
    /CONSTRAINT odd CHECK/,
    /CONSTRAINT fk_singer/,
    /TTL INTERVAL/,
  ])
    t.match(orders, part)
  t.match(ddl, /CREATE TABLE albums [^;]*INTERLEAVE IN PARENT singers ON DELETE CASCADE/)
  t.match(
    ddl,
    /CREATE UNIQUE INDEX one_order ON shop.orders \(singer DESC, made\) INCLUDE \(total\)(?! WHERE)/,
  )
  t.match(ddl, /CREATE VIEW young/)
  t.match(ddl, /CREATE VIEW reversed/)
}

async function checkFullText(t: Test, ask: Ask, them: EmbeddedClient): Promise<void> {
  t.same(await ask(`insert into words values (1, 'to be or not', 2) returning *`), [
    '1|to be or not|2',
    'INSERT 0 1',
  ])
  t.same(await ask('select * from words'), ['1|to be or not|2', 'SELECT 1'])
  t.same(await ask('select tokens from words'), ['42703 column "tokens" does not exist'])
  const { rows } = await them.run(`SELECT id FROM words WHERE spanner.search(tokens, 'not be')`)
  t.same(rows, [['1']])
  t.same(await ask('alter table words alter extra type text'), [
    '0A000 table "words" cannot be changed like this: it would lose column "tokens"',
  ])
  t.same(await ask('alter table words add more text'), ['ALTER TABLE'])
  t.same(await ask('drop table words'), ['DROP TABLE'])
}

async function checkChanges(t: Test, ask: Ask, them: EmbeddedClient): Promise<void> {
  await runDdl(
    them,
    'ALTER TABLE singers ADD COLUMN age bigint',
    'ALTER TABLE shop.orders DROP CONSTRAINT fk_singer',
    'DROP INDEX shop.one_order',
    'CREATE TABLE venues (id bigint NOT NULL, PRIMARY KEY (id))',
    'DROP VIEW shop.totals',
    'CREATE VIEW grown SQL SECURITY INVOKER AS SELECT singers.id FROM singers WHERE singers.age > 17',
  )
  t.same(await ask('insert into singers (id, title, age) values (4, $$Dee$$, 20)'), ['INSERT 0 1'])
  t.same(await ask('select title from older'), ['SELECT 0'], 'a view of a client of ours')
  t.same(await ask('select id from venues'), ['SELECT 0'])
  t.same(await ask('select id from grown'), ['4', 'SELECT 1'])
  t.match(await ask('select * from shop.totals'), [/^42P01 /])
  t.same(
    (await ask(FOREIGN_KEYS)).map((row) => row.split('|')[1] ?? row),
    ['albums_id_fkey', 'lines_id_fkey', 'tracks_id_album_fkey', 'SELECT 3'],
  )
  t.same(await ask(`select to_regclass('shop.one_order')`), ['NULL', 'SELECT 1'])
  await runDdl(them, 'DROP TABLE venues', 'DROP VIEW grown', 'ALTER TABLE singers DROP COLUMN age')
  t.match(await ask('select id from venues'), [/^(42P01|0A000) /])
  t.match(await ask('select age from singers'), [/^42703 /])
}
