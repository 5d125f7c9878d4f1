import { test } from 'tap'
import { recordedReply, workloadReplies } from './canned-replies.ts'

test('a recorded answer gets the types of the fake', async (t) => {
  const columns = ['?column? INT64', 'two words STRING', 'n NUMERIC/PG_NUMERIC', 'b BOOL']
  const rows = [['1', null, '2.5', true]]
  t.strictSame(recordedReply('SELECT x', { columns, rows }), {
    sql: 'SELECT x',
    columns: ['?column?:bigint', 'two words:varchar', 'n:numeric', 'b:bool'],
    rows,
  })
})

test('a type that the fake does not know is told, not guessed', async (t) => {
  const answer = { columns: ['a ARRAY<INT64>'], rows: [] }
  t.throws(() => recordedReply('SELECT x', answer), { message: /no type for the column a ARRAY/ })
})

test('a statement that is always sent alike is matched exactly', async (t) => {
  t.strictSame(workloadReplies(['UPDATE t', 'UPDATE t'], { update: 1 }), [
    { sql: 'UPDATE t', update: 1 },
  ])
})

test('texts that end in a literal are matched by what they begin with', async (t) => {
  const texts = ['7', '812', '10000'].map((key) => `SELECT a FROM t WHERE id = ${key}`)
  t.strictSame(workloadReplies(texts, { rows: [] }), [
    { sql: 'SELECT a FROM t WHERE id = ', match: 'prefix', rows: [] },
  ])
})

test('texts that differ before WHERE stay apart', async (t) => {
  t.strictSame(workloadReplies(['INSERT INTO t VALUES ($1)', 'INSERT INTO t SELECT $1'], {}), [
    { sql: 'INSERT INTO t VALUES ($1)' },
    { sql: 'INSERT INTO t SELECT $1' },
  ])
})

test('a statement that never reached the backend is an error', async (t) => {
  t.throws(() => workloadReplies([], { update: 1 }), { message: /did not reach the backend/ })
})
