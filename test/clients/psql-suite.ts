import type { Test } from 'tap'
import { startOracle } from '../helpers/oracle.ts'
import type { ServerAddress } from '../helpers/wire-client.ts'
import { skipMissing } from './missing.ts'
import { cancelWithPsql, type PsqlResult, runPsql } from './psql.ts'
import { CREATE_TYPED_TABLES, TYPED_VALUES, typedTable } from './values.ts'

const CRUD = `
create table ps (id bigint primary key, name text not null, n integer default 7, at timestamptz);
insert into ps values (1, 'ann', 5, '2024-02-29 12:34:56.789+00'), (2, 'bob', default, null);
insert into ps (id, name) values (3, 'cid') returning *;
select * from ps order by id;
\\x on
select * from ps where id < 3 order by id;
\\x off
\\pset null '(null)'
\\pset format csv
table ps order by id;
\\pset format aligned
update ps set n = n + 1 where id in (1, 2);
delete from ps where id = 3 returning name;
select id, name from ps order by id \\gx
select max(id) as last from ps \\gset
\\echo last is :last
select * from ps where id = :last;
select 'delete from ps where name = ''' || name || '''' from ps where id = 2 \\gexec
\\set who ann
select id from ps where name = :'who';
select :'who' as "who", :last + 1 as next \\gdesc
select id, n from ps \\; select 1 as one;
prepare get (bigint) as select name from ps where id = $1;
execute get(1);
execute get(9);
deallocate get;
values (1, 'a'), (2, null);
`

const ERRORS = `
create table pe (id bigint primary key, n bigint not null, v varchar(5), constraint pe_pos check (n > 0));
insert into pe values (1, 1);
\\set VERBOSITY default
insert into pe values (1, 1);
insert into pe values (2, null);
insert into pe values (2, -1);
insert into pe values (2, 1, 'too long');
select nope from pe;
select *
  from pe
 where nofunc(id) = 1;
selec 1;
select 'äöü', 1 / 0;
select id from pe where n = 'x';
select 1; select * from nosuch; select 2;
\\set VERBOSITY terse
select nope from pe;
\\set VERBOSITY sqlstate
insert into pe values (1, 1);
select 1 / 0;
\\echo :SQLSTATE :ERROR :LAST_ERROR_MESSAGE
drop table nosuch;
drop table if exists nosuch;
select count(*) from pe;
`

const TRANSACTIONS = `
create table pt (id bigint primary key);
begin;
insert into pt values (1);
select count(*) from pt;
rollback;
begin;
insert into pt values (1);
insert into pt values (1);
select 1;
commit;
begin; insert into pt values (2); commit;
\\set AUTOCOMMIT off
insert into pt values (3);
rollback;
insert into pt values (4);
commit;
\\set AUTOCOMMIT on
\\set ON_ERROR_ROLLBACK on
begin;
insert into pt values (5);
insert into pt values (5);
insert into pt values (6);
commit;
\\set ON_ERROR_ROLLBACK off
savepoint a;
rollback;
commit;
begin read only;
insert into pt values (7);
rollback;
select id from pt order by id;
set statement_timeout = 500;
select pg_sleep(60);
reset statement_timeout;
`

/** Every type as literals into a table and out again, aligned and unaligned, and described. */
const TYPES = [
  '\\pset null (null)',
  `${CREATE_TYPED_TABLES.replaceAll(';\n', ' \\;\n')};`,
  ...TYPED_VALUES.flatMap(({ type, values }) => {
    const table = typedTable(type)
    const literals = values.map((value, id) => `(${id}, ${literal(value)})`)
    return [
      `insert into ${table} values ${literals.join(', ')};`,
      `select * from ${table} order by id \\g (format=unaligned)`,
      `select * from ${table} order by id \\gdesc`,
    ]
  }),
].join('\n')

function literal(value: string | null): string {
  return value === null ? 'null' : `'${value.replaceAll("'", "''")}'`
}

const RUNS: readonly (readonly [what: string, input: string, args: readonly string[]])[] = [
  ['connect', '\\echo :USER :DBNAME :ENCODING\nselect current_user, current_database();', []],
  ['create, read, update, delete', CRUD, []],
  ['every type', TYPES, []],
  ['errors with position, detail, hint', ERRORS, []],
  ['transactions', TRANSACTIONS, []],
  ['ON_ERROR_STOP', 'select 1;\nselect * from nosuch;\nselect 2;', ['-v', 'ON_ERROR_STOP=1']],
  ['a script as one transaction', 'insert into pt values (8);\ninsert into pt values (8);', ['-1']],
  ['-c with two statements', '', ['-c', 'select 1 as a; select id from pt order by id', '-At']],
  [
    'options',
    '',
    ['-c', '\\echo :X :SERVER_VERSION_NUM', '-c', 'show work_mem', '-At', '-v', 'X=1'],
  ],
  ['quiet, without alignment', 'select id, v from pe;', ['-qAt', '-F', '|']],
]

/** psql 15 prints the same bytes as in front of PostgreSQL, on both of its outputs, and ends with the same code. */
export async function checkPsql(t: Test, server: ServerAddress): Promise<void> {
  const oracle = await startOracle()
  t.teardown(() => oracle.stop())
  const login = { user: 'tester', database: 'psql' }
  const here = { host: server.host, port: server.port, ...login }
  const there = { host: oracle.host, port: oracle.port, ...login }
  for (const address of [here, there]) {
    const made = await runPsql({ ...address, database: 'postgres' }, 'create database psql;')
    if (made === undefined) return skipMissing(t, 'psql')
    t.strictSame(made, { stdout: 'CREATE DATABASE\n', stderr: '', code: 0 })
  }
  for (const [what, input, args] of RUNS) {
    const expected = await runPsql(there, input, args)
    t.strictSame(lines(await runPsql(here, input, args)), lines(expected), what)
  }
  const lost = await runPsql({ ...here, database: 'nosuch' }, 'select 1')
  t.equal(lost?.code, 2)
  t.match(lost?.stderr, /: FATAL: {2}database "nosuch" does not exist\n$/)
  const canceled = await cancelWithPsql(here, 'select pg_sleep(60);\nselect 1 as one;\n')
  t.match(canceled, { stdout: '', code: 3 }, 'Ctrl+C ends the statement, and psql its script')
  t.match(canceled?.stderr, /^ERROR: {2}canceling statement due to user request$/m)
}

function lines(result: PsqlResult | undefined): unknown {
  if (result === undefined) return undefined
  return { ...result, stdout: result.stdout.split('\n'), stderr: result.stderr.split('\n') }
}
