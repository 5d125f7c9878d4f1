import t from 'tap'
import { momentConstants, namesMoment, writeMoments } from '../../server/plan/moment-literals.ts'
import { loadParser } from '../../server/sql/postgres-parser.ts'

t.test('strings that the clock decides', (t) => {
  for (const text of [
    "SELECT id FROM t WHERE d > 'today'",
    "INSERT INTO t VALUES (1, 'NOW')",
    "SELECT timestamp 'tomorrow 05:00', id FROM t",
    "SELECT 'yesterday EST'::timestamptz, id FROM t",
    "SELECT E'now'::date, id FROM t",
    'SELECT $$now$$::date, id FROM t',
    "SELECT 'x', id FROM t WHERE d = ' now '::date",
  ])
    t.equal(namesMoment(text), true, text)
  t.end()
})

t.test('texts whose plan is kept', (t) => {
  for (const text of [
    "SELECT id FROM t WHERE s = 'open' AND d > now()",
    "SELECT id FROM t WHERE s = 'unknown' AND c = 'snow'",
    'SELECT today, now FROM t WHERE id = $1',
    "UPDATE t SET s = 'nowhere', d = now ()",
  ])
    t.equal(namesMoment(text), false, text)
  t.end()
})

t.test('the words as what they mean', async (t) => {
  await loadParser()
  const tree =
    '({QUERY :x ({CONST :consttype 1114 :consttypmod -1 :constcollid 0 :constlen 8 :constbyval true :constisnull false :location 7 :constvalue 8 [ 0 ]} ' +
    '{CONST :consttype 25 :consttypmod -1 :constcollid 100 :constlen -1 :constbyval false :constisnull false :location 25 :constvalue 7 [ 0 ]} ' +
    '{CONST :consttype 1082 :consttypmod -1 :constcollid 0 :constlen 4 :constbyval true :constisnull false :location \n32 :constvalue 4 [ 0 ]})})'
  const text = "SELECT 'NOW'::timestamp, 'now', 'tomorrow'::date"
  t.strictSame(momentConstants(tree), [7, 32])
  const transaction = { startMicros: 1_704_070_800_000_001n, timeZone: 'Asia/Kolkata' }
  t.equal(
    writeMoments(text, momentConstants(tree), transaction),
    "SELECT '2024-01-01 06:30:00.000001+05:30'::timestamp, 'now', '2024-01-02'::date",
  )
  t.equal(writeMoments(text, [], transaction), text)
})
