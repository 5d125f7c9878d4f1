import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import tap from 'tap'
import type { SessionView } from '../../server/companion/companion-types.ts'
import { session, startTestCompanion, statement, textRows } from './test-companion.ts'

const { companion, workspace, end } = await startTestCompanion()
tap.teardown(end)
await companion.createDatabase('shop')
await companion.createDatabase('shop')
const shop = companion.database('shop')
await shop.serviceTransaction([
  `create table item (id bigint primary key, name varchar(30) not null, price numeric(8,2), seen timestamptz default now())`,
  `create view cheap as select id, name from item where price < 10`,
  `alter table item owner to spanwire_owner`,
  `alter view cheap owner to spanwire_owner`,
  `create function item_count() returns bigint language sql stable as 'select count(*) from public.item'`,
  `create function shout() returns int language plpgsql as $$ begin raise notice 'hey'; raise debug 'psst'; return 1; end $$`,
])
const rowsOf = async (text: string, context = session()) =>
  textRows(await shop.read(statement(text, context)))

tap.test('analysis: types, columns, tree', async (t) => {
  t.match(companion.serverVersion, /^1[5-8]\./)
  const analysis = await shop.analyse(
    statement('select id, name from cheap where id = $1 limit $2'),
  )
  t.strictSame(analysis.paramTypes, [20, 20])
  t.match(analysis.fields, [
    { name: 'id', typeOid: 20, attributeNumber: 1, typeSizeBytes: 8, typmod: -1 },
    { name: 'name', typeOid: 1043, attributeNumber: 2, typmod: 34 },
  ])
  t.match(analysis.tree, /^\(\{QUERY\s+:commandType\s+1\s/)
  t.match(analysis.tree, /:aliasname\s+item/, 'views are expanded')
  t.strictSame(analysis.notices, [])
  const insert = await shop.analyse(statement(`insert into item (id, name) values ($1, $2)`))
  t.strictSame(insert.paramTypes, [20, 1043])
  t.equal(insert.fields, undefined)
  t.match(insert.tree, /:commandType\s+3\s[\s\S]*:funcid\s+1299\s/, 'left-out defaults are there')
  for (const text of ['create table x(a nope)', 'begin', 'vacuum', '']) {
    const utility = await shop.analyse(statement(text))
    t.match(utility, { paramTypes: [], fields: undefined, tree: undefined }, text)
  }
  const shown = await shop.analyse(statement('show search_path'))
  t.match(shown, { fields: [{ name: 'search_path', typeOid: 25 }], tree: undefined })
  const declared = { ...statement('select $1'), paramTypes: [23] }
  t.strictSame((await shop.analyse(declared)).paramTypes, [23])
})

tap.test('analysis: errors as PostgreSQL reports them', async (t) => {
  const cases: [string, object][] = [
    [
      'select nope from item',
      { code: '42703', message: 'column "nope" does not exist', fields: { position: 8 } },
    ],
    [
      'select * from nope',
      { code: '42P01', message: 'relation "nope" does not exist', fields: { position: 15 } },
    ],
    [
      'selec 1',
      { code: '42601', message: 'syntax error at or near "selec"', fields: { position: 1 } },
    ],
    [
      `select 'x'::int`,
      {
        code: '22P02',
        message: /invalid input syntax for type integer: "x"/,
        fields: { position: 8 },
      },
    ],
    [
      `select id from item group by name`,
      { code: '42803', message: /must appear in the GROUP BY/ },
    ],
    [
      `select lower(1)`,
      {
        code: '42883',
        message: /lower\(integer\) does not exist/,
        fields: { hint: /No function matches/ },
      },
    ],
    [`select $1 is null`, { code: '42P18', message: /could not determine data type/ }],
    [`select 1; select 2`, { code: '42601', message: /multiple commands/ }],
  ]
  for (const [text, error] of cases) {
    await t.rejects(shop.analyse(statement(text)), error as { message: string }, text)
  }
  t.match(await shop.analyse(statement('select 1')), { fields: [{ typeOid: 23 }] })
})

tap.test('settings of the session count, and none stays', async (t) => {
  const american = session({ DateStyle: 'ISO, MDY' })
  const european = session({ DateStyle: 'ISO, DMY' })
  const text = `select date '13/02/2026' as d`
  await t.rejects(shop.analyse(statement(text, american)), {
    code: '22008',
    message: /out of range/,
  })
  t.ok(await shop.analyse(statement(text, european)))
  await t.rejects(shop.analyse(statement(text)), { code: '22008', message: /out of range/ })
  t.strictSame(await rowsOf(text, european), [{ d: '2026-02-13' }])
  await t.rejects(rowsOf(text), { code: '22008', message: /out of range/ })

  const context = session({
    search_path: 'pg_catalog, "a""b\\c"',
    TimeZone: 'Asia/Tokyo',
    application_name: `it's {"quoted", \\ and} more`,
    statement_timeout: '10s',
    client_encoding: 'LATIN1',
    'my.setting': 'mine',
  })
  const settings = `select current_setting('search_path') as path, current_setting('TimeZone') as zone,
    current_setting('application_name') as name, current_setting('statement_timeout') as timeout,
    current_setting('client_encoding') as encoding, current_setting('my.setting', true) as mine`
  t.strictSame(await rowsOf(settings, context), [
    {
      path: 'pg_catalog, "a""b\\c"',
      zone: 'Asia/Tokyo',
      name: `it's {"quoted", \\ and} more`,
      timeout: '10s',
      encoding: 'UTF8',
      mine: 'mine',
    },
  ])
  t.match(await rowsOf(settings), [
    { path: '"$user", public', zone: 'UTC', name: '', timeout: '0', mine: /^$/ },
  ])
  await rowsOf(`select set_config('TimeZone', 'Asia/Tokyo', false)`)
  t.match(await rowsOf(settings), [{ zone: 'UTC' }])
  await t.rejects(rowsOf('select 1', session({ TimeZone: 'Nowhere' })), {
    code: '22023',
    message: 'invalid value for parameter "TimeZone": "Nowhere"',
  })
  t.match(await rowsOf(settings), [{ zone: 'UTC' }], 'an error leaves nothing either')
  await t.rejects(
    rowsOf('select pg_catalog.generate_series(1, 1e9)', session({ statement_timeout: '50ms' })),
    {
      code: '57014',
      message: /statement timeout/,
    },
  )
})

tap.test('who asks, and from where', async (t) => {
  const context = {
    ...session({}, 'Ann "x"'),
    clientEnd: { address: '10.1.2.3', port: 50_000 },
    serverEnd: { address: '::1', port: 5432 },
  }
  t.strictSame(
    await rowsOf(
      `select current_user, session_user, pg_backend_pid(), current_setting('is_superuser') as super,
        inet_client_addr(), inet_client_port(), inet_server_addr(), inet_server_port()`,
      context,
    ),
    [
      {
        current_user: 'Ann "x"',
        session_user: 'Ann "x"',
        pg_backend_pid: '4711',
        super: 'off',
        inet_client_addr: '10.1.2.3',
        inet_client_port: '50000',
        inet_server_addr: '::1',
        inet_server_port: '5432',
      },
    ],
  )
  t.match(await rowsOf('select inet_client_addr(), inet_server_port()'), [
    { inet_client_addr: null, inet_server_port: null },
  ])
  const started = new Date(performance.timeOrigin).toISOString()
  t.match(await rowsOf(`select pg_postmaster_start_time() = '${started}' as ok`), [{ ok: 't' }])
  t.match(
    await rowsOf(
      'select current_user, rolsuper from pg_roles where rolname = current_user',
      session({}, 'postgres'),
    ),
    [{ current_user: 'postgres', rolsuper: 'f' }],
  )
  await t.rejects(companion.ensureRole('spanwire_admin'), { code: '42939', message: /reserved/ })
  await t.rejects(companion.ensureRole('pg_me'), { code: '42939', message: /reserved/ })
  await companion.ensureRole('spanwire')
  await shop.service(`create schema "Ann ""x"""`)
  await shop.service(`create table "Ann ""x""".own (mine int)`)
  t.match(await shop.analyse(statement('select mine from own', context)), {
    fields: [{ name: 'mine' }],
  })
  await t.rejects(shop.analyse(statement('select mine from own')), {
    code: '42P01',
    message: /own/,
  })
})

tap.test('session views hold what the proxy tells, and only that', async (t) => {
  const told = (view: SessionView, content: unknown) => ({
    ...session(),
    views: new Map([[view, JSON.stringify(content)]]),
  })
  for (const view of ['pg_stat_activity', 'pg_stat_ssl', 'pg_prepared_statements', 'pg_cursors']) {
    t.strictSame(await rowsOf(`select * from ${view}`), [], view)
  }
  const backends = [
    { pid: 1, usename: 'alice', datname: 'shop', client_addr: '127.0.0.1', state: 'idle' },
    { pid: 2, usename: 'bob', datname: 'shop', query: 'select 1' },
  ]
  t.strictSame(
    await rowsOf(
      `select pid, datid = (select oid from pg_database where datname = 'shop') as here, usesysid::regrole, host(client_addr) as host, state, query
      from pg_stat_activity order by pid`,
      told('backends', backends),
    ),
    [
      { pid: '1', here: 't', usesysid: 'alice', host: '127.0.0.1', state: 'idle', query: null },
      { pid: '2', here: 't', usesysid: null, host: null, state: null, query: 'select 1' },
    ],
  )
  t.strictSame(await rowsOf('select pid, ssl from pg_stat_ssl', told('backends', backends)), [
    { pid: '1', ssl: 'f' },
    { pid: '2', ssl: 'f' },
  ])
  const prepared = { name: 'p', statement: 'select $1', parameter_types: ['25', '1231'] }
  t.match(await rowsOf('select * from pg_prepared_statements', told('prepared', [prepared])), [
    { name: 'p', statement: 'select $1', parameter_types: '{text,numeric[]}' },
  ])
  const settings = { work_mem: { source: 'client' }, lock_timeout: { setting: '7' } }
  t.strictSame(
    await rowsOf(
      `select name, setting, source from pg_settings where name in ('lock_timeout', 'work_mem', 'DateStyle') order by name`,
      told('settings', settings),
    ),
    [
      { name: 'DateStyle', setting: 'ISO, MDY', source: 'configuration file' },
      { name: 'lock_timeout', setting: '7', source: 'session' },
      { name: 'work_mem', setting: '4096', source: 'client' },
    ],
  )
  const forged = session({ 'spanwire.backends': '[{"pid":1}]', 'spanwire.backend_pid': '1' })
  t.strictSame(await rowsOf('select * from pg_stat_activity', forged), [])
  t.match(await rowsOf('select pg_backend_pid()', forged), [{ pg_backend_pid: '4711' }])
})

tap.test('answers keep formats, notices and tags', async (t) => {
  const request = statement(`select $1::int4 as n, relname from pg_class where relname = $2`)
  const answer = await shop.read({
    ...request,
    paramFormats: [1, 0],
    params: [Buffer.from([0, 0, 0, 7]), Buffer.from('pg_class')],
    resultFormats: [1, 0],
  })
  t.equal(answer.tag, 'SELECT 1')
  t.notOk(answer.touchedUserTables)
  t.equal(
    answer.rows[0]?.toString('hex'),
    '44' +
      '0000001a' +
      '0002' +
      '00000004' +
      '00000007' +
      '00000008' +
      Buffer.from('pg_class').toString('hex'),
  )
  t.strictSame(
    (await shop.read(statement('select shout()'))).notices.map((notice) => notice.message),
    ['hey'],
  )
  const quiet = session({ client_min_messages: 'warning' })
  t.strictSame((await shop.read(statement('select shout()', quiet))).notices, [])
  t.strictSame((await shop.analyse(statement('select shout()', quiet))).notices, [])
  const chatty = session({ client_min_messages: 'debug1' })
  t.strictSame(
    (await shop.read(statement('select shout()', chatty))).notices.map((notice) => notice.message),
    ['hey', 'psst'],
  )
  t.match((await shop.analyse(statement('select shout()', chatty))).tree, /QUERY/)
  t.match(await shop.read(statement('')), { tag: '', rows: [], fields: undefined })
  t.match(await shop.read(statement('values (1), (2)')), { tag: 'SELECT 2' })
  t.equal((await shop.read(statement('explain select 1'))).tag, 'EXPLAIN')
  await t.rejects(rowsOf('select 1/0'), { code: '22012', message: 'division by zero' })
  t.throws(() => shop.read(statement('/* x */ ; commit')), { name: 'Bug' })
  t.throws(() => shop.read(statement('deallocate all')), { name: 'Bug' })
})

tap.test('the guard sees rows of user tables', async (t) => {
  const touched = async (text: string) => (await shop.read(statement(text))).touchedUserTables
  for (const text of [
    'select item_count()',
    'select count(*) from item',
    'select * from cheap',
    'table item',
    'select relname from pg_class where item_count() = 0',
    `select id from item where id = 5`,
  ]) {
    t.equal(await touched(text), true, text)
    t.equal(await touched('select count(*) from pg_class'), false, 'and it does not linger')
  }
  for (const text of [
    `select 'item'::regclass`,
    `select pg_get_viewdef('cheap'), pg_get_indexdef('item_pkey'::regclass), pg_table_size('item')`,
    `select * from information_schema.columns where table_name = 'item'`,
    'select 1',
    'show work_mem',
  ]) {
    t.equal(await touched(text), false, text)
  }
})

tap.test('a statement is cancelled by its signal', async (t) => {
  const abort = new AbortController()
  const endless = shop.read({
    ...statement('select count(*) from generate_series(1, 1e12)'),
    signal: abort.signal,
  })
  setTimeout(() => abort.abort(new Error('enough')), 50)
  await t.rejects(endless, { message: 'enough' })
  await t.rejects(shop.analyse({ ...statement('select 1'), signal: abort.signal }), {
    message: 'enough',
  })
})

tap.test('service statements', async (t) => {
  t.strictSame(await shop.service('select $1::int + 1 as n, $2::text as nothing', ['1', null]), [
    { n: '2', nothing: null },
  ])
  await t.rejects(
    shop.serviceTransaction(['create table half (a int)', 'create table half (a int)']),
    { code: '42P07', message: /already exists/ },
  )
  t.strictSame(await shop.service(`select to_regclass('half') as half`), [{ half: null }])
})

tap.test('databases of a user who is new are made at the same time', async (t) => {
  for (const round of [1, 2, 3, 4]) {
    const user = `newcomer_${round}`
    const names = Array.from({ length: 8 }, (_, n) => `of_${user}_${n % 4}`)
    await t.resolves(Promise.all(names.map((name) => companion.createDatabase(name, user))))
    for (const name of new Set(names)) await companion.dropDatabase(name)
  }
})

tap.test('databases', async (t) => {
  await companion.createDatabase('Odd "name"')
  t.strictSame(await companion.listDatabases(), ['Odd "name"', 'postgres', 'shop'])
  const odd = companion.database('Odd "name"')
  t.match(textRows(await odd.read(statement('select current_database()'))), [
    { current_database: 'Odd "name"' },
  ])
  await companion.dropDatabase('Odd "name"')
  await companion.dropDatabase('Odd "name"')
  t.strictSame(await companion.listDatabases(), ['postgres', 'shop'])
  await t.rejects(companion.database('void').analyse(statement('select 1')), {
    code: '3D000',
    severity: 'ERROR',
    message: 'database "void" does not exist',
  })
  t.match(
    await rowsOf(
      `select datname, pg_get_userbyid(datdba) as owner from pg_database where not datistemplate order by 1`,
    ),
    [
      { datname: 'postgres', owner: 'spanwire_owner' },
      { datname: 'shop', owner: 'spanwire_owner' },
    ],
  )
  t.match(
    await rowsOf(
      `select nspname, pg_get_userbyid(nspowner) as owner, has_schema_privilege('public', 'create') as creates from pg_namespace where nspname = 'public'`,
    ),
    [{ nspname: 'public', owner: 'pg_database_owner', creates: 't' }],
  )
  t.match(await rowsOf(`select collname from pg_collation where collname = 'C'`), [
    { collname: 'C' },
  ])
})

tap.test('pg_dump and psql see nothing of ours', async (t) => {
  const run = promisify(execFile)
  const connect = ['-h', workspace.socketDir, '-U', 'alice', '-d', 'postgres']
  const dump = await run('pg_dump', ['-s', ...connect]).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error
    return undefined
  })
  if (dump === undefined) {
    t.comment('pg_dump IS NOT INSTALLED: the cleanliness of its output is not tested here')
    return
  }
  const statements = dump.stdout
    .split('\n')
    .filter(
      (line) => !/^(--.*|\\(un)?restrict .*|SET .*|SELECT pg_catalog\.set_config.*|)$/.test(line),
    )
  t.strictSame(statements, [])
  const psql = async (command: string) =>
    (await run('psql', ['-X', '-At', '-c', command, ...connect])).stdout
  t.match(await psql('\\l'), /^postgres\|spanwire_owner\|UTF8\|C\|/m)
  t.equal(await psql('\\df'), '')
  t.equal(await psql('\\dv'), '')
  t.match(await psql('\\dn'), /^public\|pg_database_owner$/m)
  t.match(await psql('\\du'), /^alice\|/m)
})
