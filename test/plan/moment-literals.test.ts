import t from 'tap'
import { namesMoment } from '../../server/plan/moment-literals.ts'

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
