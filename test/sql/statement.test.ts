import tap from 'tap'
import { PgError } from '../../server/base/pg-error.ts'
import { loadParser } from '../../server/sql/postgres-parser.ts'
import { parseStatements, SyntaxProblem } from '../../server/sql/statement.ts'

await loadParser()

const shape = (text: string) =>
  parseStatements(text).map((s) => [s.text, s.offset, s.category, s.tag])

tap.test('splits a query string, and says where each statement begins', async (t) => {
  t.same(shape('select 1'), [['select 1', 0, 'query', 'SELECT']])
  t.same(shape("select 'a;b'; ;begin;\n commit -- end\n ;"), [
    ["select 'a;b'", 0, 'query', 'SELECT'],
    ['begin', 15, 'transaction', 'BEGIN'],
    ['commit -- end', 23, 'transaction', 'COMMIT'],
  ])
})

tap.test('counts characters where the parser counts bytes', async (t) => {
  t.same(shape("  /* é */ select '日本😀'; select 'ü' as é\n"), [
    ["select '日本😀'", 10, 'query', 'SELECT'],
    ["select 'ü' as é", 24, 'query', 'SELECT'],
  ])
})

tap.test('parses a text once, however often it comes', async (t) => {
  t.equal(parseStatements('select 1 as once'), parseStatements('select 1 as once'))
  const long = `select ${'1 + '.repeat(600)}1`
  t.not(parseStatements(long), parseStatements(long), 'but keeps no long ones')
  for (let i = 0; i < 2; i++) t.throws(() => parseStatements('selec 1'), { name: 'SyntaxProblem' })
})

tap.test('holds nothing where nothing is said', async (t) => {
  for (const text of ['', '  \n', ';', ' ; ;; ', '-- x', '/* a /* nested */ b */']) {
    t.same(parseStatements(text), [], JSON.stringify(text))
  }
})

tap.test('makes the locations of nodes relative to the statement', async (t) => {
  const [, second] = parseStatements("select 'é'; select a, b from tab")
  const node = second?.node
  const select = node !== undefined && 'SelectStmt' in node ? node.SelectStmt : undefined
  const locations = select?.targetList?.map((n) => 'ResTarget' in n && n.ResTarget.location)
  t.same(locations, [7, 10])
  t.same(
    select?.fromClause?.map((n) => 'RangeVar' in n && n.RangeVar.location),
    [17],
  )
})

tap.test('a syntax error carries its cursor position', async (t) => {
  const failing = (text: string) => {
    try {
      parseStatements(text)
      return undefined
    } catch (error) {
      return error instanceof SyntaxProblem ? [error.message, error.position] : error
    }
  }
  t.same(failing('selec 1'), ['syntax error at or near "selec"', 1])
  t.same(failing("select 'é' frm x y"), ['syntax error at or near "x"', 16])
  t.same(failing("select 'abc"), [`unterminated quoted string at or near "'abc"`, 8])
})

tap.test('refuses what would nest too deeply for the parser, and survives it', async (t) => {
  const link = " + $$'$$ || e'\\''"
  const deep = [
    `select 1${' + 1'.repeat(20_000)}`,
    `select ${'(select '.repeat(5_000)}1${')'.repeat(5_000)}`,
    `select 1${' at time zone 1'.repeat(6_000)}`,
    `select 1 from a${' join a on true'.repeat(9_000)}`,
    `select 1${' union select 1, 2'.repeat(9_000)}`,
    `select 1${'::int'.repeat(9_000)}`,
    `select ${'case when true then '.repeat(5_000)}1${' end'.repeat(5_000)}`,
    `select /* ' /* ' */ */ 1${link.repeat(9_000)}`,
  ]
  for (let round = 0; round < 5; round++) {
    for (const text of deep) {
      t.throws(() => parseStatements(text), { name: 'PgError', code: '54001' })
    }
  }
  t.equal(parseStatements('select 1').length, 1)
  t.ok(new PgError('54001', 'x') instanceof Error)
})

tap.test('takes what is long but not deep', async (t) => {
  const ids = Array.from({ length: 5_000 }, (_, i) => i)
  const long = [
    `insert into t values ${ids.map((i) => `(${i}, 'it''s ${i} + 1 (', -1)`).join(', ')}`,
    `select * from t where ${ids.map((i) => `a = ${i} and b <> -1`).join(' or ')}`,
    `select * from t where a in (${ids.join(', ')})`,
    `update t set a = case ${ids.map((i) => `when id = ${i} then 'x' || '${i}'`).join(' ')} end`,
    `select 1${' + 1'.repeat(2_300)} from t`,
    `select '${'(('.repeat(20_000)}' /* ${'(('.repeat(20_000)} */, $q$${'(('.repeat(20_000)}$q$, e'\\'${'(('.repeat(9_000)}'`,
    ids.map((i) => `select ${i} + 1 union select 2`).join(';'),
  ]
  for (const text of long) t.ok(parseStatements(text).length > 0, text.slice(0, 40))
})
