import tap from 'tap'
import { session, startTestCompanion, statement, textRows } from './test-companion.ts'

const { companion, end } = await startTestCompanion()
tap.teardown(end)
await companion.createDatabase('shop')
const shop = companion.database('shop')
await shop.serviceTransaction([
  'create table item (id bigint primary key, name text not null)',
  'alter table item owner to spanwire_owner',
])
const rowsOf = async (text: string, context = session()) =>
  textRows(await shop.read(statement(text, context)))

tap.test('what PostgreSQL would allow and may not happen', async (t) => {
  const refused: Record<string, string[]> = {
    '42501': [
      `select pg_read_file('/etc/passwd')`,
      `select pg_ls_dir('/')`,
      `select pg_stat_file('/etc/passwd')`,
      `select lo_import('/etc/passwd')`,
      `select lo_create(0)`,
      `select lo_from_bytea(0, 'x')`,
      `select lo_get(1)`,
      `select loread(1, 1)`,
      `select * from pg_authid`,
      `select current_setting('data_directory')`,
      `select set_config('role', 'spanwire_admin', false)`,
      `select set_config('session_authorization', 'spanwire_admin', false)`,
      `select set_config('session_replication_role', 'replica', true)`,
      `select set_config('temp_file_limit', '-1', true)`,
      `select pg_cancel_backend(1)`,
      `select pg_terminate_backend(1)`,
      `select pg_sleep(0)`,
      `select pg_sleep_for('0s')`,
      `select pg_advisory_lock(1)`,
      `select pg_try_advisory_xact_lock_shared(1, 2)`,
      `select pg_advisory_unlock_all()`,
      `select pg_notify('a', 'b')`,
      `select pg_export_snapshot()`,
      `select pg_logical_emit_message(true, 'a', 'b')`,
      `select query_to_xml('select 1', true, true, '')`,
      `select table_to_xml('item', true, true, '')`,
      `select database_to_xml(true, true, '')`,
      `select cursor_to_xml('c', 1, true, true, '')`,
      `select * from ts_stat('select 1')`,
      `select ts_rewrite('a'::tsquery, 'select 1')`,
      `select pg_reload_conf()`,
    ],
    '25006': [
      `with x as (insert into item (id, name) values (1, 'a') returning id) select * from x`,
      `select 1 as a into other`,
      `explain analyze insert into item (id, name) values (1, 'a')`,
    ],
    '25001': [`select set_config('transaction_read_only', 'off', true)`],
    '54000': [`select repeat('x', 1000000) from generate_series(1, 40)`],
    '53200': [
      `select length(repeat(repeat('x', 1000000), 500) || repeat(repeat('y', 1000000), 400))`,
    ],
    '53400': [
      `select count(*) from (select g, repeat('x', 100) from generate_series(1, 3000000) g order by 2, 1) s`,
    ],
  }
  for (const [code, texts] of Object.entries(refused)) {
    for (const text of texts) await t.rejects(rowsOf(text), { code, message: /./ }, text)
  }
  t.strictSame(await rowsOf('select count(*) from pg_largeobject_metadata'), [{ count: '0' }])
  t.strictSame(await shop.service('select count(*) as n from item'), [{ n: '0' }])
  t.match(await rowsOf('select 1 as alive'), [{ alive: '1' }])
})
