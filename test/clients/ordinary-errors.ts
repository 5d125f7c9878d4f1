import { serialize } from 'pg-protocol/dist/index.js'
import type { WireClient } from '../helpers/wire-client.ts'

/** What the probes find: two tables with every kind of constraint, and rows to run into them. */
export const SETUP: readonly string[] = [
  'create table e_p (id bigint primary key, n bigint not null, v varchar(5))',
  'create unique index e_p_v on e_p (v)',
  'create table e_c (id bigint primary key, pid bigint constraint fk_p references e_p (id), k bigint constraint k_pos check (k > 0))',
  `insert into e_p values (1, 1, 'one'), (2, 2, 'two')`,
  'insert into e_c values (1, 1, 1), (2, null, null)',
]

/** Sent one after the other over one connection; the answer to the last one counts. */
export type Step = string | ((client: WireClient) => void)

/** An ordinary mistake, or something that PostgreSQL refuses. */
export interface Probe {
  readonly name: string
  readonly steps: readonly Step[]
}

/** Parse with what follows it up to Sync. */
function extended(text: string, ...values: readonly (string | null)[]): Step {
  return (client) =>
    client.send(
      serialize.parse({ text }),
      serialize.bind({ values: [...values] }),
      serialize.execute({}),
      serialize.sync(),
    )
}

function probe(name: string, ...steps: readonly Step[]): Probe {
  return { name, steps }
}

/** The mistakes that PGAdapter was measured with, one a line; what a failed transaction leaves is rolled back after each. */
export const PROBES: readonly Probe[] = [
  probe('syntax error', 'selec 1'),
  probe('syntax error (ddl)', 'create table x (id bigint primary key,, n bigint)'),
  probe('unknown statement', 'foo bar'),
  probe('unknown table (select)', 'select * from nosuch'),
  probe('unknown table (insert)', 'insert into nosuch values (1)'),
  probe('unknown table (update)', 'update nosuch set a = 1'),
  probe('unknown table (drop)', 'drop table nosuch'),
  probe('unknown table (alter)', 'alter table nosuch add column a bigint'),
  probe('unknown table (copy)', 'copy nosuch from stdin'),
  probe('unknown schema', 'select * from nosuch.t'),
  probe('unknown column (select)', 'select nocol from e_p'),
  probe('unknown column (insert)', 'insert into e_p (id, nocol) values (9, 1)'),
  probe('unknown column (drop)', 'alter table e_p drop column nocol'),
  probe('unknown function', 'select nofunc(n) from e_p'),
  probe('unknown operator', `select n + 'a'::text from e_p`),
  probe('unknown type', 'select n::notype from e_p'),
  probe('unknown index (drop)', 'drop index noidx'),
  probe('unknown table alias', 'select x.id from e_p'),
  probe('duplicate key (pk)', 'insert into e_p (id, n) values (1, 1)'),
  probe('duplicate key (unique index)', `insert into e_p values (9, 1, 'one')`),
  probe('fk child side', 'insert into e_c values (9, 99, 1)'),
  probe('fk parent side', 'delete from e_p where id = 1'),
  probe('not null', 'insert into e_p (id) values (9)'),
  probe('check', 'insert into e_c values (9, 1, -1)'),
  probe('varchar too long', `insert into e_p values (9, 1, 'toolong')`),
  probe('division by zero', 'select 1/0'),
  probe('numeric division by zero', 'select 1.0/0'),
  probe('bigint arithmetic overflow', 'select 9223372036854775807 + 1'),
  probe(
    'integer literal too large for bigint column',
    'insert into e_p (id, n) values (9223372036854775808, 1)',
  ),
  probe(`bad cast 'abc'::bigint`, `select 'abc'::bigint`),
  probe(`bad cast 'x'::timestamptz`, `select 'xyz'::timestamptz`),
  probe(`bad date '2024-13-45'`, `select '2024-13-45'::date`),
  probe('bad boolean', `select 'maybe'::boolean`),
  probe('bad json', `select '{bad'::jsonb`),
  probe('scalar subquery >1 row', 'select (select id from e_p)'),
  probe('missing group by', 'select id, count(*) from e_p'),
  probe('type mismatch insert', 'insert into e_p (id, n) values (9, true)'),
  probe('too many insert values', 'insert into e_p (id, n) values (9, 1, 2)'),
  probe('nested aggregate', 'select count(count(*)) from e_p'),
  probe('duplicate table', 'create table e_p (id bigint primary key)'),
  probe('duplicate index', 'create index e_p_v on e_p (v)'),
  probe('duplicate column (alter)', 'alter table e_p add column n bigint'),
  probe('duplicate schema', 'create schema public'),
  probe('unknown setting (show)', 'show nosuchparam'),
  probe('unknown setting (set)', 'set nosuchparam = 1'),
  probe('bad setting value', `set statement_timeout = 'abc'`),
  probe('execute unknown prepared (sql)', 'execute nosuch'),
  probe('deallocate unknown', 'deallocate nosuch'),
  probe('bind unknown statement', (client) =>
    client.send(serialize.bind({ statement: 'nosuch' }), serialize.sync()),
  ),
  probe('execute unknown portal', (client) =>
    client.send(serialize.execute({ portal: 'nosuch' }), serialize.sync()),
  ),
  probe('fetch unknown cursor', 'fetch nosuch'),
  probe(
    'duplicate prepared statement',
    'deallocate all',
    'prepare twice as select 1',
    'prepare twice as select 1',
  ),
  probe('two statements in one parse', extended('select 1; select 2')),
  probe('too few bind params', extended('select $1::int, $2::int', '1')),
  probe('bad text param for bigint', extended('select id from e_p where id = $1', 'abc')),
  probe('undetermined param', extended('select $1 is null', 'a')),
  probe('unknown savepoint', 'begin', 'rollback to savepoint nosuch'),
  probe('savepoint outside transaction', 'savepoint a'),
  probe('rollback to outside transaction', 'rollback to savepoint a'),
  probe('in failed transaction', 'begin', 'select 1/0', 'select 1'),
  probe(
    'write in read-only transaction',
    'begin read only',
    'insert into e_p (id, n) values (9, 1)',
  ),
  probe('statement timeout', 'set statement_timeout = 500', 'select pg_sleep(10)'),
  probe('vacuum in transaction', 'begin', 'vacuum e_p'),
  probe('not null (alter set)', 'alter table e_c alter column k set not null'),
  probe('unsupported: lock table', 'lock table e_p'),
  probe('create function', `create function f() returns bigint language sql as 'select 1::bigint'`),
  probe('permission: create role', 'create role somebody'),
  probe('drop table with index', 'drop table e_p'),
]
