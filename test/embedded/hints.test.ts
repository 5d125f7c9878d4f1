import tap from 'tap'
import { connectTo, failureText, READ_WRITE, startTestServer } from './embedded-client.ts'

/*
 * Hints as production documents them; what the emulator says of the same and of others is compared in test/conformance/requests.
 */

const server = await startTestServer()
const client = await connectTo(server, 'hints')
tap.teardown(async () => {
  client.close()
  await server.remove()
})
await client.ddl(
  'CREATE SCHEMA s',
  'CREATE TABLE t (id bigint PRIMARY KEY, v bigint)',
  'CREATE TABLE s.t (id bigint PRIMARY KEY, v bigint)',
  'CREATE INDEX t_v ON t (v)',
  'CREATE INDEX s_v ON s.t (v)',
)

tap.test('known hints are taken', async (t) => {
  for (const hint of [
    'USE_ADDITIONAL_PARALLELISM=TRUE',
    'OPTIMIZER_VERSION=8',
    'OPTIMIZER_VERSION=latest_version',
    "OPTIMIZER_STATISTICS_PACKAGE='latest'",
    'LOCK_SCANNED_RANGES=exclusive',
    'SCAN_METHOD=BATCH, EXECUTION_METHOD=ROW',
    'ALLOW_TIMESTAMP_PREDICATE_PUSHDOWN=TRUE',
    'JOIN_METHOD=APPLY_JOIN, BATCH_MODE=FALSE',
  ])
    t.strictSame((await client.run(`/*@ ${hint} */ SELECT 1`)).rows, [['1']], hint)
  for (const sql of [
    'SELECT id FROM t /*@ FORCE_INDEX=t_v, SEEKABLE_KEY_SIZE=1 */ WHERE v = 1',
    'SELECT id FROM s.t /*@ FORCE_INDEX=s_v */ x',
    "SELECT id FROM s.t /*@ FORCE_INDEX='s.s_v' */ x",
    'SELECT id FROM t /*@ SCAN_METHOD=ROW */',
    'SELECT x.id FROM t x JOIN /*@ JOIN_METHOD=APPLY_JOIN, BATCH_MODE=FALSE */ t y ON x.id = y.v',
    'SELECT abs(id) /*@ DISABLE_INLINE=TRUE */ FROM t',
  ])
    t.strictSame((await client.run(sql)).rows, [], sql)
  for (const sql of [
    '/*@ LOCK_SCANNED_RANGES=exclusive */ UPDATE t SET v = 2 WHERE id = 1',
    '/*@ PDML_MAX_PARALLELISM=4 */ DELETE FROM t WHERE id = 1',
    'UPDATE t /*@ FORCE_INDEX=t_v */ SET v = 2 WHERE v = 1',
  ])
    t.equal((await client.write(sql)).count, '0', sql)
})

tap.test('others are refused', async (t) => {
  const refused: readonly (readonly [sql: string, text: string])[] = [
    ['/*@ NOPE=1 */ SELECT 1', 'Unsupported hint: nope.'],
    ['/*@ SEEKABLE_KEY_SIZE=1 */ SELECT 1', 'Unsupported hint: seekable_key_size.'],
    ['/*@ GROUP_METHOD=HASH_GROUP */ SELECT 1', 'Unsupported hint: group_method.'],
    ['/*@ PDML_MAX_PARALLELISM=4 */ SELECT 1', 'Unsupported hint: pdml_max_parallelism.'],
    [
      '/*@ OPTIMIZER_VERSION=100 */ SELECT 1',
      'Invalid hint value for: optimizer_version hint: 100.',
    ],
    ['/*@ SCAN_METHOD=nope */ SELECT 1', 'Invalid hint value for: scan_method hint: "nope".'],
    [
      'SELECT id FROM s.t /*@ FORCE_INDEX=t_v */',
      'The table t does not have a secondary index called t_v',
    ],
    ['SELECT id /*@ FORCE_INDEX=t_v */ FROM t', 'syntax error at or near "id /*@"'],
    [
      '/*@ LOCK_SCANNED_RANGES=exclusive */ SELECT id FROM t FOR UPDATE',
      'FOR UPDATE cannot be combined with the hint lock_scanned_ranges.',
    ],
  ]
  for (const [sql, text] of refused)
    t.equal(await failureText(client.run(sql, { in: READ_WRITE, seqno: 1 })), `3 ${text}`, sql)
})

tap.test('an index that a hint names may come and go', async (t) => {
  const sql = 'SELECT id FROM t /*@ FORCE_INDEX=t_later */'
  t.match(await failureText(client.run(sql)), /^3 The table t does not have/)
  await client.ddl('CREATE INDEX t_later ON t (v)')
  t.strictSame((await client.run(sql)).rows, [])
  await client.ddl('DROP INDEX t_later')
  t.match(await failureText(client.run(sql)), /^3 The table t does not have/)
})
