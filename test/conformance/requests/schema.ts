import { deletion, mutation } from './script.ts'

/** Tables of each kind that mutations and reads tell apart. */
export const SCHEMA: readonly string[] = [
  'CREATE TABLE p (id bigint PRIMARY KEY, name varchar(10) NOT NULL, note varchar)',
  'CREATE TABLE c (id bigint, n bigint, v varchar, PRIMARY KEY (id, n)) INTERLEAVE IN PARENT p',
  'CREATE TABLE d (id bigint, n bigint, v varchar, PRIMARY KEY (id, n)) INTERLEAVE IN PARENT p ON DELETE CASCADE',
  'CREATE TABLE r (id bigint PRIMARY KEY, pid bigint, CONSTRAINT r_p FOREIGN KEY (pid) REFERENCES p (id))',
  'CREATE TABLE q (id bigint PRIMARY KEY, pid bigint, CONSTRAINT q_p FOREIGN KEY (pid) REFERENCES p (id) ON DELETE CASCADE)',
  'CREATE TABLE self (id bigint PRIMARY KEY, up bigint, CONSTRAINT self_up FOREIGN KEY (up) REFERENCES self (id))',
  `CREATE TABLE ty (id bigint PRIMARY KEY, bo boolean, fl double precision, re real, tx varchar, by bytea, nu numeric, da date, ts timestamptz,
     js jsonb, ai bigint[], ax varchar[])`,
  'CREATE TABLE k (a varchar, b bigint, v bigint, w varchar, u varchar, PRIMARY KEY (a, b))',
  'CREATE INDEX k_v ON k (v)',
  'CREATE INDEX k_vd ON k (v DESC, w) INCLUDE (u)',
  'CREATE UNIQUE INDEX k_w ON k (w)',
  'CREATE INDEX k_f ON k (v) WHERE v IS NOT NULL',
  `CREATE TABLE g (id bigint PRIMARY KEY, n bigint DEFAULT 7, twice bigint GENERATED ALWAYS AS (id * 2) STORED, ct spanner.commit_timestamp,
     CONSTRAINT g_n CHECK (n < 100))`,
  'CREATE SEQUENCE sq BIT_REVERSED_POSITIVE',
  'CREATE VIEW vw SQL SECURITY INVOKER AS SELECT id, name FROM p',
]

const ALL = { all: true }

/** Everything goes. */
export const EMPTYING: readonly object[] = [
  ...['c', 'd', 'r', 'q', 'self', 'p', 'ty', 'k', 'g'].map((table) => deletion(table, ALL)),
]

/** The rows that every script finds. */
export const ROWS: readonly object[] = [
  mutation(
    'insert',
    'p',
    ['id', 'name', 'note'],
    ['1', 'one', 'x'],
    ['2', 'two', null],
    ['3', 'three', 'z'],
  ),
  mutation('insert', 'c', ['id', 'n', 'v'], ['1', '1', 'a'], ['1', '2', 'b']),
  mutation('insert', 'd', ['id', 'n', 'v'], ['2', '1', 'a'], ['2', '2', null]),
  mutation('insert', 'r', ['id', 'pid'], ['1', '1'], ['2', null]),
  mutation('insert', 'q', ['id', 'pid'], ['1', '3']),
  mutation('insert', 'self', ['id', 'up'], ['1', null], ['2', '1']),
  mutation(
    'insert',
    'ty',
    ['id', 'bo', 'fl', 'tx'],
    ['1', true, 1.5, 'text'],
    ['2', null, null, null],
  ),
  mutation(
    'insert',
    'k',
    ['a', 'b', 'v', 'w'],
    ['a', '1', '10', 'u'],
    ['a', '2', null, 'v'],
    ['b', '1', '10', 'w'],
    ['b', '2', '30', null],
    ['c', '1', null, 'x'],
    ['c', '5', '20', 'y'],
  ),
  mutation('insert', 'g', ['id', 'n'], ['1', '1'], ['2', '2']),
]
