import type pg from 'pg'
import type { Test } from 'tap'

type Fields = Readonly<Record<string, string | undefined>>

/** A statement, its parameters, and what of its error node-postgres must have. */
type Case = readonly [text: string, values: readonly unknown[], fields: Fields]

const CASES: readonly Case[] = [
  [
    'insert into np_err values ($1, 1)',
    [1],
    {
      severity: 'ERROR',
      code: '23505',
      message: 'duplicate key value violates unique constraint "np_err_pkey"',
      detail: 'Key (id)=(1) already exists.',
      schema: 'public',
      table: 'np_err',
      constraint: 'np_err_pkey',
    },
  ],
  [
    'insert into np_err (id, n, v) values (2, 1, $1)',
    ['one'],
    {
      code: '23505',
      constraint: 'np_err_v_key',
      detail: 'Key (v)=(one) already exists.',
    },
  ],
  [
    'insert into np_err (id) values (2)',
    [],
    {
      code: '23502',
      message: 'null value in column "n" of relation "np_err" violates not-null constraint',
      detail: 'Failing row contains (2, null, null, null).',
      table: 'np_err',
      column: 'n',
    },
  ],
  [
    'insert into np_err values ($1, $2)',
    [2, -1],
    {
      code: '23514',
      message: 'new row for relation "np_err" violates check constraint "np_pos"',
      detail: 'Failing row contains (2, -1, null, null).',
      constraint: 'np_pos',
    },
  ],
  [
    'insert into np_err values (2, 1, null, $1)',
    [99],
    {
      code: '23503',
      message: 'insert or update on table "np_err" violates foreign key constraint "np_parent"',
      detail: 'Key (parent)=(99) is not present in table "np_err".',
      constraint: 'np_parent',
    },
  ],
  [
    'delete from np_err where id = $1',
    [1],
    {
      code: '23503',
      message:
        'update or delete on table "np_err" violates foreign key constraint "np_parent" on table "np_err"',
      detail: 'Key (id)=(1) is still referenced from table "np_err".',
    },
  ],
  [
    'insert into np_err values (2, 1, $1)',
    ['too long'],
    { code: '22001', message: 'value too long for type character varying(5)' },
  ],
  [
    'insert into np_err values (2, $1)',
    ['x'],
    {
      code: '22P02',
      message: 'invalid input syntax for type bigint: "x"',
      where: "unnamed portal parameter $1 = '...'",
    },
  ],
  [
    'insert into np_err values (2, 1, $1)',
    ['a\u0000b'],
    {
      code: '22021',
      message: 'invalid byte sequence for encoding "UTF8": 0x00',
      where: 'unnamed portal parameter $1',
    },
  ],
  ['update np_err set n = n / $1', [0], { code: '22012', message: 'division by zero' }],
  [
    'select * from np_nosuch',
    [],
    { code: '42P01', message: 'relation "np_nosuch" does not exist', position: '15' },
  ],
  [
    'select id, nam from np_err',
    [],
    { code: '42703', message: 'column "nam" does not exist', position: '12' },
  ],
  [
    'select np_err.nn from np_err',
    [],
    {
      code: '42703',
      position: '8',
      hint: 'Perhaps you meant to reference the column "np_err.n".',
    },
  ],
  ['selec 1', [], { code: '42601', message: 'syntax error at or near "selec"', position: '1' }],
  [
    "select 'äöü', nofunc(1)",
    [],
    {
      code: '42883',
      position: '15',
      hint: 'No function matches the given name and argument types. You might need to add explicit type casts.',
    },
  ],
]

/** Every field of an error that PostgreSQL sends arrives, and the connection goes on. */
export async function checkErrors(t: Test, client: pg.Client): Promise<void> {
  await client.query(
    `create table np_err (id bigint primary key, n bigint not null, v varchar(5) unique, parent bigint,
      constraint np_pos check (n > 0), constraint np_parent foreign key (parent) references np_err)`,
  )
  await client.query("insert into np_err values (1, 1, 'one', null), (3, 3, null, 1)")
  for (const [text, values, fields] of CASES) {
    t.match(await failure(client, text, values), fields, text)
  }
  t.strictSame(
    (await client.query('select count(*)::int as c from np_err')).rows,
    [{ c: 2 }],
    'and the connection goes on',
  )
}

async function failure(
  client: pg.Client,
  text: string,
  values: readonly unknown[],
): Promise<unknown> {
  try {
    await client.query(text, [...values])
    return undefined
  } catch (error) {
    return error
  }
}
