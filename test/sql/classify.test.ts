import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import tap from 'tap'
import { classify, type StatementCategory } from '../../server/sql/classify.ts'
import { commandTag } from '../../server/sql/command-tag.ts'
import { loadParser } from '../../server/sql/postgres-parser.ts'
import type { RawNode } from '../../server/sql/raw-node.ts'
import { parseStatements } from '../../server/sql/statement.ts'

await loadParser()

/** What psql prints for each on PostgreSQL 15, counts left out. */
const CASES: readonly (readonly [string, StatementCategory, string])[] = [
  ['select 1', 'query', 'SELECT'],
  ['values (1)', 'query', 'SELECT'],
  ['table a', 'query', 'SELECT'],
  ['with a as (select 1) select * from a', 'query', 'SELECT'],
  ['(select 1) union select 2', 'query', 'SELECT'],
  ['select a from b for update', 'query', 'SELECT'],
  ['with a as (insert into t values (1) returning *) select * from a', 'dml', 'SELECT'],
  ['with a as (delete from t returning *) insert into u select * from a', 'dml', 'INSERT'],
  ['insert into t default values', 'dml', 'INSERT'],
  ['update t set a = 1', 'dml', 'UPDATE'],
  ['delete from t', 'dml', 'DELETE'],
  ['merge into a using b on true when matched then delete', 'dml', 'MERGE'],
  ['select 1 into a', 'create-as', 'SELECT'],
  ['select 1 into temp a union select 2', 'create-as', 'SELECT'],
  ['create table a as select 1', 'create-as', 'SELECT'],
  ['create table a as select 1 with no data', 'create-as', 'CREATE TABLE AS'],
  ['create table a as execute p', 'create-as', 'SELECT'],
  ['create materialized view a as select 1', 'create-as', 'SELECT'],
  ['create materialized view a as select 1 with no data', 'create-as', 'CREATE MATERIALIZED VIEW'],
  ['begin', 'transaction', 'BEGIN'],
  ['start transaction', 'transaction', 'START TRANSACTION'],
  ['commit', 'transaction', 'COMMIT'],
  ['end', 'transaction', 'COMMIT'],
  ['rollback', 'transaction', 'ROLLBACK'],
  ['abort', 'transaction', 'ROLLBACK'],
  ['savepoint a', 'transaction', 'SAVEPOINT'],
  ['release a', 'transaction', 'RELEASE'],
  ['rollback to a', 'transaction', 'ROLLBACK'],
  ["prepare transaction 'a'", 'transaction', 'PREPARE TRANSACTION'],
  ["commit prepared 'a'", 'transaction', 'COMMIT PREPARED'],
  ["rollback prepared 'a'", 'transaction', 'ROLLBACK PREPARED'],
  ['set a.b to 1', 'set', 'SET'],
  ['set local role none', 'set', 'SET'],
  ['set transaction read only', 'set', 'SET'],
  ['set session characteristics as transaction read only', 'set', 'SET'],
  ['reset a.b', 'set', 'RESET'],
  ['reset all', 'set', 'RESET'],
  ['set constraints all deferred', 'constraints', 'SET CONSTRAINTS'],
  ['show all', 'show', 'SHOW'],
  ['prepare a as select 1', 'prepare', 'PREPARE'],
  ['execute a', 'execute', 'EXECUTE'],
  ['deallocate a', 'deallocate', 'DEALLOCATE'],
  ['deallocate all', 'deallocate', 'DEALLOCATE ALL'],
  ['discard all', 'discard', 'DISCARD ALL'],
  ['discard temporary', 'discard', 'DISCARD TEMP'],
  ['discard sequences', 'discard', 'DISCARD SEQUENCES'],
  ['discard plans', 'discard', 'DISCARD PLANS'],
  ['lock a', 'lock', 'LOCK TABLE'],
  ['copy a from stdin', 'copy', 'COPY'],
  ['copy (select 1) to stdout', 'copy', 'COPY'],
  ['declare c cursor for select 1', 'cursor', 'DECLARE CURSOR'],
  ['fetch c', 'cursor', 'FETCH'],
  ['move c', 'cursor', 'MOVE'],
  ['close c', 'cursor', 'CLOSE CURSOR'],
  ['close all', 'cursor', 'CLOSE CURSOR ALL'],
  ['listen a', 'listen', 'LISTEN'],
  ["notify a, 'b'", 'listen', 'NOTIFY'],
  ['unlisten *', 'listen', 'UNLISTEN'],
  ['explain select 1', 'explain', 'EXPLAIN'],
  ['create database a', 'database', 'CREATE DATABASE'],
  ['drop database a', 'database', 'DROP DATABASE'],
  ['alter database a rename to b', 'database', 'ALTER DATABASE'],
  ['alter database a owner to b', 'database', 'ALTER DATABASE'],
  ['alter database a set b.c to 1', 'database', 'ALTER DATABASE'],
  ['alter database a connection limit 5', 'database', 'ALTER DATABASE'],
  ['vacuum', 'maintenance', 'VACUUM'],
  ['analyze t', 'maintenance', 'ANALYZE'],
  ['cluster', 'maintenance', 'CLUSTER'],
  ['reindex table a', 'maintenance', 'REINDEX'],
  ['checkpoint', 'maintenance', 'CHECKPOINT'],
  ['refresh materialized view a', 'maintenance', 'REFRESH MATERIALIZED VIEW'],
  ["do 'begin end'", 'do', 'DO'],
  ['call p()', 'call', 'CALL'],
  ['truncate a', 'truncate', 'TRUNCATE TABLE'],
  ['create role a', 'shared', 'CREATE ROLE'],
  ['create user a', 'shared', 'CREATE ROLE'],
  ['alter role a set b.c to 1', 'shared', 'ALTER ROLE'],
  ['alter role a rename to b', 'shared', 'ALTER ROLE'],
  ['drop role a', 'shared', 'DROP ROLE'],
  ['grant a to b', 'shared', 'GRANT ROLE'],
  ['revoke a from b', 'shared', 'REVOKE ROLE'],
  ['grant connect on database a to b', 'shared', 'GRANT'],
  ['comment on database a is null', 'shared', 'COMMENT'],
  ['comment on role a is null', 'shared', 'COMMENT'],
  ['alter system reset all', 'shared', 'ALTER SYSTEM'],
  ["create tablespace a location '/b'", 'shared', 'CREATE TABLESPACE'],
  ['comment on table a is null', 'ddl', 'COMMENT'],
  ['grant select on a to b', 'ddl', 'GRANT'],
  ['revoke all on a from b', 'ddl', 'REVOKE'],
  ['create table a (b int)', 'ddl', 'CREATE TABLE'],
  ['create temp table a (b int)', 'ddl', 'CREATE TABLE'],
  ['create schema a create table b (c int)', 'ddl', 'CREATE SCHEMA'],
  ['alter table a add b int', 'ddl', 'ALTER TABLE'],
  ['alter table a rename to b', 'ddl', 'ALTER TABLE'],
  ['alter table a rename b to c', 'ddl', 'ALTER TABLE'],
  ['alter table a rename constraint b to c', 'ddl', 'ALTER TABLE'],
  ['alter view a rename b to c', 'ddl', 'ALTER VIEW'],
  ['alter materialized view a rename b to c', 'ddl', 'ALTER MATERIALIZED VIEW'],
  ['alter type a rename attribute b to c', 'ddl', 'ALTER TYPE'],
  ["alter type a add value 'b'", 'ddl', 'ALTER TYPE'],
  ['alter domain a rename constraint b to c', 'ddl', 'ALTER DOMAIN'],
  ['alter index a rename to b', 'ddl', 'ALTER INDEX'],
  ['alter sequence a owner to b', 'ddl', 'ALTER SEQUENCE'],
  ['alter table a set schema b', 'ddl', 'ALTER TABLE'],
  ['alter procedure a() rename to b', 'ddl', 'ALTER PROCEDURE'],
  ['create procedure a() language sql as $$select 1$$', 'ddl', 'CREATE PROCEDURE'],
  ['create function a() returns int language sql as $$select 1$$', 'ddl', 'CREATE FUNCTION'],
  ['create unique index concurrently a on b (c)', 'ddl', 'CREATE INDEX'],
  ['create type a as enum ()', 'ddl', 'CREATE TYPE'],
  ['create type a as (b int)', 'ddl', 'CREATE TYPE'],
  ['create collation a from "C"', 'ddl', 'CREATE COLLATION'],
  ['create view a as select 1', 'ddl', 'CREATE VIEW'],
  ['create trigger a before insert on b execute function c()', 'ddl', 'CREATE TRIGGER'],
  ['drop table a', 'ddl', 'DROP TABLE'],
  ['drop index a, b', 'ddl', 'DROP INDEX'],
  ['drop materialized view a', 'ddl', 'DROP MATERIALIZED VIEW'],
  ['drop routine a()', 'ddl', 'DROP ROUTINE'],
  ['drop text search dictionary a', 'ddl', 'DROP TEXT SEARCH DICTIONARY'],
  ['drop owned by a', 'ddl', 'DROP OWNED'],
  ["load 'a'", 'other', 'LOAD'],
]

tap.test('category and command tag', async (t) => {
  for (const [text, category, tag] of CASES) {
    const [statement] = parseStatements(text)
    t.same([statement?.category, statement?.tag], [category, tag], text)
  }
})

tap.test('every statement node of the grammar has a row', async (t) => {
  const require = createRequire(import.meta.resolve('libpg-query'))
  const types = readFileSync(require.resolve('@pgsql/types/types.d.ts'), 'utf8')
  const union = types.slice(types.indexOf('export type Node ='), types.indexOf('export interface'))
  const names = [...union.matchAll(/^\s+(\w+Stmt): /gm)].map((match) => match[1] ?? '')
  t.ok(names.length > 110, `${names.length} statement nodes`)
  const refused = ['LoadStmt', 'AlterExtensionContentsStmt']
  const parts = ['PLAssignStmt', 'RawStmt', 'ReplicaIdentityStmt', 'ReturnStmt', 'SetOperationStmt']
  for (const name of names) {
    const node = { [name]: {} } as unknown as RawNode
    const isPart = parts.includes(name)
    t.equal(classify(node) === 'other', isPart || refused.includes(name), name)
    // Tags of nodes that stand for several statements need their fields: `???` is right without them.
    t.match(commandTag(node), isPart ? /\?\?\?|SELECT/ : /^[A-Z][A-Z ?]+$/, name)
  }
})

tap.test('a node that is no statement', async (t) => {
  t.equal(classify({ A_Star: {} }), 'other')
  t.equal(commandTag({ A_Star: {} }), '???')
})
