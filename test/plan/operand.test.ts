import t from 'tap'
import { conjunct, operand } from '../../server/plan/operand.ts'

t.test('what binds tighter than any operator stays as it is', async (tt) => {
  for (const sql of [
    '$1',
    '15',
    '1.5',
    "'it''s (a) [b'",
    't1."a ""b"" c"',
    'lower(t1."x") ',
    "concat(a, (b), '\")')",
    '(a + b)',
    "'x'::text",
    '$1::numeric(10, 2)',
    'ARRAY[1, 2]::bigint[]',
    'ARRAY(SELECT 1)',
    'EXISTS (SELECT 1)',
    'spanner.date(t1."x", \'UTC\')::text',
    'true',
  ].map((each) => each.trim())) {
    tt.equal(operand(sql), sql)
  }
})

t.test('everything else is put in parentheses', async (tt) => {
  for (const sql of [
    'a + b',
    '(a) + (b)',
    'f(a) = g(b)',
    "'a' || 'b'",
    'a IS NULL',
    'NOT a',
    'CASE WHEN a THEN b END',
    'a::text || b',
    '(a)[1]',
    'f(a',
    '',
  ]) {
    tt.equal(operand(sql), `(${sql})`)
  }
})

t.test('AND and OR take comparisons without parentheses', async (tt) => {
  tt.equal(conjunct('a = 1'), 'a = 1')
  tt.equal(conjunct('a IS NOT NULL'), 'a IS NOT NULL')
  tt.equal(conjunct('a = 1 OR b = 2'), '(a = 1 OR b = 2)')
  tt.equal(conjunct('NOT a'), '(NOT a)')
  tt.equal(conjunct('f(a AND b)'), 'f(a AND b)')
})
