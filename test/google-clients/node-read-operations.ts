import { setTimeout as sleep } from 'node:timers/promises'
import { Spanner } from '@google-cloud/spanner'
import { codeOf, type NodeClient, type Operation, plainRows, rowsOf } from './node-operation.ts'

/** Reads and queries of what the writes left behind. */
export const READING: readonly Operation[] = [
  {
    name: 'table.read of keys',
    expected: [
      { singer_id: 1, name: 'Ann' },
      { singer_id: 2, name: 'Bee!' },
    ],
    run: async ({ database }) => {
      const [rows] = await database
        .table('singers')
        .read({ columns: ['singer_id', 'name'], keys: ['1', '2', '99'] })
      return plainRows(rows)
    },
  },
  {
    name: 'table.read of composite keys',
    expected: [{ title: 'Bye' }],
    run: async ({ database }) => {
      const [rows] = await database.table('albums').read({ columns: ['title'], keys: [['5', '2']] })
      return plainRows(rows)
    },
  },
  {
    name: 'table.read of ranges',
    expected: [{ album_id: 2 }, { album_id: 3 }],
    run: async ({ database }) => {
      const [rows] = await database.table('albums').read({
        columns: ['album_id'],
        ranges: [{ startOpen: ['5', '1'], endClosed: ['5', '3'] }],
      })
      return plainRows(rows)
    },
  },
  {
    name: 'table.read of everything with a limit',
    expected: [{ singer_id: 1 }, { singer_id: 2 }],
    run: async ({ database }) => {
      const [rows] = await database
        .table('singers')
        .read({ columns: ['singer_id'], keySet: { all: true }, limit: 2 })
      return plainRows(rows)
    },
  },
  {
    name: 'table.read through an index',
    expected: [{ name: 'Cid!', singer_id: 3 }],
    run: async ({ database }) => {
      const [rows] = await database
        .table('singers')
        .read({ columns: ['name', 'singer_id'], index: 'singers_by_name', keys: ['Cid!'] })
      return plainRows(rows)
    },
  },
  {
    name: 'strong read-only transaction',
    expected: [[{ count: 5 }], [{ title: 'Air' }]],
    run: ({ database }) => readOnly({ database }, { strong: true }),
  },
  {
    name: 'read-only transaction with exactStaleness',
    expected: [[{ count: 5 }], [{ title: 'Air' }]],
    run: async ({ database }) => {
      // The last write is older than the staleness.
      await sleep(50)
      return readOnly({ database }, { exactStaleness: 10 })
    },
  },
  {
    name: 'parameters of every type',
    expected: [
      {
        b: true,
        f4: 0.5,
        f8: 2.25,
        i: 42,
        t: 'grüße',
        y: 'base64 AP8=',
        n: '12345678901234567890.123456789',
        j: '{"a":[1,null]}',
        ts: '2024-02-29T12:34:56.789012000Z',
        d: '2024-02-29',
      },
    ],
    run: scalarParameters,
  },
  {
    name: 'parameters that are NULL',
    expected: [{ b: null, i: null, t: null, n: null, d: null }],
    run: nullParameters,
  },
  {
    name: 'parameters that are arrays',
    expected: [
      {
        bs: [true, null],
        is: [1, null, 3],
        fs: [0.5, null, 'Infinity'],
        ts: ['a', null, ''],
        ys: ['base64 AQ==', null],
        ns: ['1.5', null],
        ds: ['2024-02-29', null],
      },
    ],
    run: arrayParameters,
  },
  {
    name: 'floats that are no numbers',
    expected: [{ nan: 'NaN', up: 'Infinity', down: '-Infinity' }],
    run: (client) =>
      rowsOf(
        client,
        "SELECT 'NaN'::float8 AS nan, 'Infinity'::float8 AS up, '-Infinity'::float8 AS down",
      ),
  },
  {
    name: 'a query that streams many rows',
    expected: { rows: 20_000, sum: 200_010_000 },
    run: async ({ database }) => {
      let count = 0
      let sum = 0
      const stream = database.runStream({
        sql: 'SELECT i FROM unnest($1) AS i',
        params: { p1: Array.from({ length: 20_000 }, (_, index) => index + 1) },
      })
      for await (const row of stream) {
        count += 1
        sum += row.toJSON().i
      }
      return { rows: count, sum }
    },
  },
  {
    name: 'partitions of a query',
    expected: [
      { singer_id: 1 },
      { singer_id: 2 },
      { singer_id: 3 },
      { singer_id: 5 },
      { singer_id: 6 },
    ],
    run: queryPartitions,
  },
  {
    name: 'partitions of a read',
    expected: [{ album_id: 1 }, { album_id: 2 }, { album_id: 3 }],
    run: readPartitions,
  },
  {
    // At once, because the client takes seven seconds to tell of each, whatever the server.
    name: 'queries that fail: syntax, missing table, division by zero',
    expected: [{ code: 3 }, { code: 5 }, { code: 11 }],
    run: ({ database }) =>
      Promise.all(
        ['SELEC 1', 'SELECT * FROM nothing', 'SELECT 1 / (singer_id - 1) FROM singers'].map((sql) =>
          codeOf(database.run(sql)),
        ),
      ),
  },
]

async function readOnly(
  { database }: Pick<NodeClient, 'database'>,
  bound: { readonly strong?: boolean; readonly exactStaleness?: number },
): Promise<unknown> {
  const [snapshot] = await database.getSnapshot(bound)
  try {
    const [counted] = await snapshot.run('SELECT count(*) AS count FROM singers')
    const [read] = await snapshot.read('albums', { columns: ['title'], keys: [['5', '1']] })
    return [plainRows(counted), plainRows(read)]
  } finally {
    snapshot.end()
  }
}

async function scalarParameters({ database }: NodeClient): Promise<unknown> {
  const [rows] = await database.run({
    sql: 'SELECT $1 AS b, $2 AS f4, $3 AS f8, $4 AS i, $5 AS t, $6 AS y, $7 AS n, $8 AS j, $9 AS ts, $10 AS d',
    params: {
      p1: true,
      p2: Spanner.float32(0.5),
      p3: Spanner.float(2.25),
      p4: Spanner.int(42),
      p5: 'grüße',
      p6: Buffer.from([0, 255]),
      p7: Spanner.pgNumeric('12345678901234567890.123456789'),
      p8: Spanner.pgJsonb('{"a": [1, null]}'),
      p9: Spanner.timestamp('2024-02-29T12:34:56.789012Z'),
      p10: Spanner.date('2024-02-29'),
    },
  })
  return plainRows(rows)
}

async function nullParameters({ database }: NodeClient): Promise<unknown> {
  const [rows] = await database.run({
    sql: 'SELECT $1 AS b, $2 AS i, $3 AS t, $4 AS n, $5 AS d',
    params: { p1: null, p2: null, p3: null, p4: null, p5: null },
    types: { p1: 'bool', p2: 'int64', p3: 'string', p4: 'pgNumeric', p5: 'date' },
  })
  return plainRows(rows)
}

async function arrayParameters({ database }: NodeClient): Promise<unknown> {
  const [rows] = await database.run({
    sql: 'SELECT $1 AS bs, $2 AS is, $3 AS fs, $4 AS ts, $5 AS ys, $6 AS ns, $7 AS ds',
    params: {
      p1: [true, null],
      p2: [1, null, 3],
      p3: [0.5, null, Number.POSITIVE_INFINITY],
      p4: ['a', null, ''],
      p5: [Buffer.from([1]), null],
      p6: [Spanner.pgNumeric('1.5'), null],
      p7: [Spanner.date('2024-02-29'), null],
    },
    types: {
      p1: { type: 'array', child: 'bool' },
      p2: { type: 'array', child: 'int64' },
      p3: { type: 'array', child: 'float64' },
      p4: { type: 'array', child: 'string' },
      p5: { type: 'array', child: 'bytes' },
      p6: { type: 'array', child: 'pgNumeric' },
      p7: { type: 'array', child: 'date' },
    },
  })
  return plainRows(rows)
}

/** What all partitions have together: how many there are is the server's choice. */
async function queryPartitions({ database }: NodeClient): Promise<unknown> {
  const [transaction] = await database.createBatchTransaction()
  const [partitions] = await transaction.createQueryPartitions('SELECT singer_id FROM singers')
  const rows: unknown[] = []
  for (const partition of partitions) {
    const [some] = await transaction.execute(partition)
    rows.push(...plainRows(some))
  }
  transaction.close()
  return sorted(rows)
}

async function readPartitions({ database }: NodeClient): Promise<unknown> {
  const [transaction] = await database.createBatchTransaction()
  const [partitions] = await transaction.createReadPartitions({
    table: 'albums',
    columns: ['album_id'],
    keySet: { all: true },
  })
  const rows: unknown[] = []
  for (const partition of partitions) {
    const [some] = await transaction.execute(partition)
    rows.push(...plainRows(some))
  }
  transaction.close()
  return sorted(rows)
}

function sorted(rows: readonly unknown[]): unknown[] {
  return rows.toSorted((one, other) => JSON.stringify(one).localeCompare(JSON.stringify(other)))
}
