import { codeOf, type NodeClient, type Operation, plainRows, rowsOf } from './node-operation.ts'

const SINGERS = 'SELECT singer_id, name, born FROM singers ORDER BY singer_id'

/** Mutations, DML in transactions, and what of it fails. */
export const WRITING: readonly Operation[] = [
  {
    name: 'insert mutations',
    expected: [
      { singer_id: 1, name: 'Ann', born: '1970-01-02' },
      { singer_id: 2, name: 'Bea', born: null },
      { singer_id: 3, name: 'Cid', born: '1999-12-31' },
    ],
    run: async (client) => {
      await client.database.table('singers').insert([
        { singer_id: 1, name: 'Ann', born: '1970-01-02' },
        { singer_id: 2, name: 'Bea', born: null },
        { singer_id: 3, name: 'Cid', born: '1999-12-31' },
      ])
      return rowsOf(client, SINGERS)
    },
  },
  {
    name: 'update mutation',
    expected: [{ name: 'Bee' }],
    run: async (client) => {
      await client.database.table('singers').update({ singer_id: 2, name: 'Bee' })
      return rowsOf(client, 'SELECT name FROM singers WHERE singer_id = 2')
    },
  },
  {
    name: 'upsert mutations',
    expected: [
      { singer_id: 3, name: 'Cyd', born: '1999-12-31' },
      { singer_id: 4, name: 'Dan', born: null },
    ],
    run: async (client) => {
      await client.database.table('singers').upsert([
        { singer_id: 3, name: 'Cyd' },
        { singer_id: 4, name: 'Dan' },
      ])
      return (await rowsOf(client, SINGERS)).slice(2)
    },
  },
  {
    name: 'replace mutation',
    expected: [{ singer_id: 3, name: 'Cid', born: null }],
    run: async (client) => {
      await client.database.table('singers').replace({ singer_id: 3, name: 'Cid' })
      return (await rowsOf(client, SINGERS)).slice(2, 3)
    },
  },
  {
    name: 'deleteRows',
    expected: [{ singer_id: 1 }, { singer_id: 2 }, { singer_id: 3 }],
    run: async (client) => {
      await client.database.table('singers').deleteRows([4])
      return rowsOf(client, 'SELECT singer_id FROM singers ORDER BY 1')
    },
  },
  {
    name: 'mutations of two tables in one transaction',
    expected: [{ title: 'Air' }, { title: 'Bye' }, { title: 'Cue' }],
    run: async (client) => {
      await client.database.runTransactionAsync(async (transaction) => {
        transaction.insert('singers', { singer_id: 5, name: 'Eve' })
        transaction.insert('albums', [
          { singer_id: 5, album_id: 1, title: 'Air' },
          { singer_id: 5, album_id: 2, title: 'Bye' },
          { singer_id: 5, album_id: 3, title: 'Cue' },
        ])
        await transaction.commit()
      })
      return rowsOf(client, 'SELECT title FROM albums ORDER BY title')
    },
  },
  {
    name: 'DML with RETURNING in a read-write transaction',
    expected: [[{ singer_id: 6, name: 'Fay' }], 1, [{ name: 'Fae' }], [{ name: 'Fae' }]],
    run: readAndWrite,
  },
  {
    name: 'batch DML',
    expected: [1, 2, 1],
    run: ({ database }) =>
      database.runTransactionAsync(async (transaction) => {
        const [counts] = await transaction.batchUpdate([
          "INSERT INTO singers (singer_id, name) VALUES (7, 'Gus')",
          {
            sql: 'UPDATE singers SET name = $1 WHERE singer_id > $2',
            params: { p1: 'Hal', p2: 5 },
          },
          'DELETE FROM singers WHERE singer_id = 7',
        ])
        await transaction.commit()
        return counts
      }),
  },
  {
    name: 'batch DML that fails in the middle',
    expected: { counts: [1], code: 6 },
    run: batchThatFails,
  },
  {
    name: 'rollback',
    expected: [{ name: 'Ann' }],
    run: async (client) => {
      await client.database.runTransactionAsync(async (transaction) => {
        await transaction.runUpdate("UPDATE singers SET name = 'Nobody' WHERE singer_id = 1")
        await transaction.rollback()
      })
      return rowsOf(client, 'SELECT name FROM singers WHERE singer_id = 1')
    },
  },
  {
    name: 'partitioned DML',
    expected: [4, [{ name: 'Cid!' }, { name: 'Eve!' }, { name: 'Hal!' }]],
    run: async (client) => {
      const [count] = await client.database.runPartitionedUpdate(
        "UPDATE singers SET name = name || '!' WHERE singer_id > 1",
      )
      return [
        count,
        await rowsOf(client, 'SELECT name FROM singers WHERE singer_id > 2 ORDER BY 1'),
      ]
    },
  },
  {
    name: 'insert of a key that exists',
    expected: { code: 6 },
    run: ({ database }) =>
      codeOf(database.table('singers').insert({ singer_id: 1, name: 'Again' })),
  },
  {
    name: 'update of a row that is missing',
    expected: { code: 5 },
    run: ({ database }) =>
      codeOf(database.table('singers').update({ singer_id: 99, name: 'Nobody' })),
  },
  {
    name: 'insert of a child without its parent',
    expected: { code: 5 },
    run: ({ database }) => codeOf(database.table('albums').insert({ singer_id: 99, album_id: 1 })),
  },
  {
    name: 'insert into a table that is missing',
    expected: { code: 5 },
    run: ({ database }) => codeOf(database.table('nothing').insert({ id: 1 })),
  },
  {
    name: 'insert of NULL where NOT NULL is declared',
    expected: { code: 9 },
    run: ({ database }) => codeOf(database.table('singers').insert({ singer_id: 98, name: null })),
  },
]

function readAndWrite({ database }: NodeClient): Promise<unknown> {
  return database.runTransactionAsync(async (transaction) => {
    const [inserted] = await transaction.run({
      sql: 'INSERT INTO singers (singer_id, name) VALUES ($1, $2) RETURNING singer_id, name',
      params: { p1: 6, p2: 'Fay' },
    })
    const [count] = await transaction.runUpdate(
      "UPDATE singers SET name = 'Fae' WHERE singer_id = 6",
    )
    const [queried] = await transaction.run('SELECT name FROM singers WHERE singer_id = 6')
    const [read] = await transaction.read('singers', { columns: ['name'], keys: ['6'] })
    await transaction.commit()
    return [plainRows(inserted), count, plainRows(queried), plainRows(read)]
  })
}

function batchThatFails({ database }: NodeClient): Promise<unknown> {
  return database.runTransactionAsync(async (transaction) => {
    try {
      await transaction.batchUpdate([
        "INSERT INTO singers (singer_id, name) VALUES (8, 'Ida')",
        "INSERT INTO singers (singer_id, name) VALUES (1, 'Again')",
        "INSERT INTO singers (singer_id, name) VALUES (9, 'Joe')",
      ])
      return 'nothing failed'
    } catch (error) {
      if (!(error instanceof Error && 'rowCounts' in error && 'code' in error)) throw error
      return { counts: error.rowCounts, code: error.code }
    } finally {
      await transaction.rollback()
    }
  })
}
