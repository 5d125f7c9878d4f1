import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { renderAnswer } from '../golden/render.ts'
import { startSpanwire } from '../helpers/spanwire.ts'
import { type ServerAddress, WireClient } from '../helpers/wire-client.ts'

/** The SQLSTATE that a statement ends with, or its tag. */
async function outcome(client: WireClient, statement: string): Promise<string> {
  const messages = await client.query(statement)
  const error = messages.find(({ name }) => name === 'error')
  return error === undefined ? 'ok' : `${error['code']} ${String(error['message'])}`
}

async function connect(address: ServerAddress, user: string): Promise<WireClient> {
  const { client } = await WireClient.connect(address, { user, database: 'postgres' })
  return client
}

const ROLES = `select rolname, rolcanlogin, rolcreatedb, rolcreaterole, rolinherit, rolvaliduntil, rolconfig,
    (select array_agg(m.roleid::regrole::text || case when m.admin_option then '*' else '' end order by 1) from pg_auth_members m where m.member = r.oid) as of,
    shobj_description(oid, 'pg_authid')
  from pg_roles r where rolname in ('app', 'staff', 'tester', 'odd''s "name"') order by 1`

const EXPECTED = [
  '["app","t","f","f","t",null,"{work_mem=8MB,\\"search_path=a, public\\"}","{staff*}","it\'s"]',
  '["odd\'s \\"name\\"","f","f","t","f","2040-01-01 00:00:00+00",null,null,null]',
  '["staff","f","f","f","t",null,null,null,null]',
  '["tester","t","t","t","t",null,null,null,null]',
]

async function checkRoles(t: Test, address: ServerAddress): Promise<void> {
  const client = await connect(address, 'tester')
  const rows = (await client.query(ROLES)).filter(({ name }) => name === 'dataRow')
  t.strictSame(
    rows.map((row) => JSON.stringify(row['fields'])),
    EXPECTED,
  )
  await client.end()
}

/** Of a table whose owner and reader got new names. */
async function checkNote(t: Test, address: ServerAddress): Promise<void> {
  const client = await connect(address, 'tester')
  const answer = await client.query(
    `select relowner::regrole, relacl, attacl from pg_class join pg_attribute on attrelid = pg_class.oid
      where relname = 'note' and attname = 'body';
    select rolname from pg_roles where rolname in ('author', 'critic', 'reader', 'writer') order by 1`,
  )
  t.strictSame(
    answer.filter(({ name }) => name === 'dataRow').map((row) => row['fields']),
    [
      ['writer', '{writer=arwdDxt/writer,critic=r/writer}', '{critic=w/writer}'],
      ['critic'],
      ['reader'],
      ['writer'],
    ],
  )
  await client.end()
}

t.test('roles', async (t) => {
  const dataDir = await mkdtemp(join(tmpdir(), 'spanwire-roles-'))
  t.teardown(() => rm(dataDir, { recursive: true, force: true }))
  const spanwire = await startSpanwire({ dataDir })
  t.teardown(() => spanwire.stop())
  const tester = await connect(spanwire, 'tester')

  await t.test('are made and changed', async (t) => {
    for (const statement of [
      `create user app password 'it''s \\ secret'`,
      'create group staff',
      `create role "odd's ""name""" createrole noinherit valid until '2040-01-01 00:00:00+00'`,
      'grant staff to app with admin option',
      `alter role app set work_mem = '8MB'`,
      'alter role app set search_path to a, public',
      `comment on role app is 'it''s'`,
    ]) {
      t.equal(await outcome(tester, statement), 'ok', statement)
    }
    await checkRoles(t, spanwire)
    t.equal(
      await outcome(tester, 'select passwd from pg_shadow'),
      '42501 permission denied for view pg_shadow',
    )
  })

  await t.test('log in as they may', async (t) => {
    const { messages } = await WireClient.connect(spanwire, { user: 'staff', database: 'postgres' })
    t.match(
      renderAnswer(messages).join('\n'),
      'FATAL 28000: role "staff" is not permitted to log in',
    )
    const app = await connect(spanwire, 'app')
    for (const [statement, expected] of [
      ['create role mine', '42501 permission denied to create role'],
      ['drop role staff', '42501 permission denied to drop role'],
      ['alter role tester nologin', '42501 permission denied'],
      ['alter role staff rename to crew', '42501 permission denied to rename role'],
      [`alter role tester set work_mem = '1MB'`, '42501 permission denied'],
      [`alter role app password 'other'`, 'ok'],
      ['grant tester to app', '42501 must have admin option on role "tester"'],
      ['grant staff to tester', 'ok'],
      ['revoke staff from tester', 'ok'],
      ['create table app_made (id bigint primary key)', 'ok'],
      ['drop table app_made', 'ok'],
    ] as const) {
      t.equal(await outcome(app, statement), expected, statement)
    }
    await app.end()
  })

  await t.test('reach nothing of the companion', async (t) => {
    for (const [statement, expected] of [
      ['create role spanwire_mine', /^42939 /],
      ['alter role app rename to spanwire_mine', /^42939 /],
      ['create role s superuser', /^42501 must be superuser/],
      ['create role s replication', /^42501 must be superuser/],
      ['create role s bypassrls', /^42501 must be superuser/],
      ['alter role app superuser', /^42501 must be superuser/],
      ['alter role tester replication', /^42501 must be superuser/],
      ['alter role current_user bypassrls', /^42501 must be superuser/],
      ['alter role spanwire_admin password null', /^42501 must be superuser/],
      ['drop role spanwire_admin', /^42501 must be superuser/],
      ['grant spanwire_admin to tester', /^42501 must be superuser/],
      ['grant spanwire_role_maker to tester', /^42704 /],
      ['grant spanwire_creators to app', /^42704 /],
      ['alter role spanwire_analyst superuser', /^42704 /],
      ['drop role spanwire_owner', /^42704 /],
      ['create role s in role spanwire_role_maker', /^42704 /],
      ['create role s role spanwire_analyst', /^42704 /],
      ['grant pg_execute_server_program to tester', /^42501 /],
      ['create role s in role pg_read_server_files', /^42501 /],
      ['alter group pg_write_server_files add user tester', /^42501 /],
      ['set role spanwire_role_maker', /^22023 /],
      ['set role spanwire_admin', /^42501 /],
      [`alter role tester set role = 'spanwire_admin'`, /^0A000 /],
      ['alter role all set work_mem = 1000', /^42501 must be superuser/],
      [`alter role tester set log_statement = 'all'`, /^42501 permission denied to set parameter/],
      [`select pg_read_file('/etc/hostname')`, /^42501 /],
      ['create role s connection limit 3', /^0A000 /],
      [`alter role app password 'x'' superuser createrole'`, /^ok/],
      ['create role "s"" superuser"', /^ok/],
      ['drop role "s"" superuser"', /^ok/],
      [`comment on database postgres is 'x'`, /^42501 must be owner of database postgres$/],
      ['begin read only', /^ok/],
      ['create role s', /^25006 cannot execute CREATE ROLE in a read-only transaction/],
      ['rollback', /^ok/],
    ] as const) {
      t.match(await outcome(tester, statement), expected, statement)
    }
    const supers = await tester.query(
      'select rolname from pg_roles where rolsuper or rolreplication',
    )
    t.strictSame(
      supers.flatMap((row) => row['fields'] ?? []).filter((f) => typeof f === 'string'),
      ['spanwire_admin'],
    )
  })

  await t.test('keep what is theirs under a new name', async (t) => {
    for (const statement of [
      'create role author',
      'create role reader',
      'grant author to tester',
      'create database library',
      'create table note (id bigint primary key, body text)',
      'alter table note owner to author',
      'grant select, update (body) on note to reader',
      'alter role author rename to writer',
      'alter role reader rename to critic',
      'create role reader',
      'revoke writer from tester',
    ]) {
      t.equal(await outcome(tester, statement), 'ok', statement)
    }
    await checkNote(t, spanwire)
    t.match(
      await outcome(tester, 'alter role tester rename to other'),
      /^0A000 session user cannot be renamed/,
    )
  })

  await tester.end()
  await spanwire.stop()
  await t.test('outlive the process', async (t) => {
    const again = await startSpanwire({ dataDir })
    t.teardown(() => again.stop())
    await checkRoles(t, again)
    await checkNote(t, again)
  })
  await t.test('outlive the companion', async (t) => {
    await rm(join(dataDir, 'companion'), { recursive: true })
    const again = await startSpanwire({ dataDir })
    t.teardown(() => again.stop())
    await checkRoles(t, again)
    await checkNote(t, again)
    const app = await connect(again, 'app')
    const shown = await app.query('show search_path')
    t.match(renderAnswer(shown).join('\n'), 'a, public')
    await app.end()
  })
})
