import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { renderAnswer } from '../golden/render.ts'
import { startSpanwire } from '../helpers/spanwire.ts'
import { type ServerAddress, WireClient } from '../helpers/wire-client.ts'

async function connect(address: ServerAddress, user: string, database = 'f'): Promise<WireClient> {
  const { client } = await WireClient.connect(address, { user, database })
  return client
}

async function answer(client: WireClient, statement: string): Promise<string> {
  return renderAnswer(await client.query(statement)).join('\n')
}

t.test('functions', async (t) => {
  const dataDir = await mkdtemp(join(tmpdir(), 'spanwire-functions-'))
  t.teardown(() => rm(dataDir, { recursive: true, force: true }))
  const first = await startSpanwire({ dataDir })
  t.teardown(() => first.stop())
  const admin = await connect(first, 'owner', 'postgres')
  await admin.query('create database f')
  await admin.end()
  const owner = await connect(first, 'owner')

  await t.test('run as who calls them, and reach nothing of the companion', async (t) => {
    for (const [statement, expected] of [
      [
        "create function c() returns int language c as 'x', 'y'",
        /42501: permission denied for language c/,
      ],
      [
        "create function c() returns int language internal as 'int4pl'",
        /42501: permission denied for language internal/,
      ],
      ['create language plpgsql', /^ERROR 4/],
      ["create function p() returns int language plpgsql as 'begin return 1; end'", /^ERROR 0A000/],
      [
        "create function r() returns text language sql as $$ select pg_read_file('PG_VERSION') $$",
        /^ERROR 0A000/,
      ],
      [
        "create function who() returns text language sql stable as 'select current_user::text'",
        /^CREATE/,
      ],
      ["create function secret() returns int language sql as 'select 42'", /^CREATE/],
      ['revoke execute on function secret() from public', /^REVOKE/],
      ['create table t (id bigint primary key default secret())', /^CREATE/],
      ['insert into t default values returning id', /\n42\n/],
      ['select id, who() from t', /\n42 \| owner\n/],
    ] as const) {
      t.match(await answer(owner, statement), expected, statement)
    }
    const other = await connect(first, 'other')
    t.match(await answer(other, 'select who()'), '\nother\n')
    t.match(await answer(other, 'select secret()'), '42501: permission denied for function secret')
    await other.end()
  })

  await t.test('are there after a restart, with what calls them', async (t) => {
    await answer(owner, 'create view v as select secret() as s')
    const definition = await answer(
      owner,
      "select pg_get_functiondef('who'::regproc), proacl from pg_proc where proname = 'secret'",
    )
    await owner.end()
    await first.stop()
    const second = await startSpanwire({ dataDir })
    t.teardown(() => second.stop())
    const again = await connect(second, 'owner')
    t.match(await answer(again, 'select s, who() from v'), '\n42 | owner\n')
    t.equal(
      await answer(
        again,
        "select pg_get_functiondef('who'::regproc), proacl from pg_proc where proname = 'secret'",
      ),
      definition,
    )
    await again.end()
  })
})
