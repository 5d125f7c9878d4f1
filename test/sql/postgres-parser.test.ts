import { test } from 'tap'
import { loadParser, postgresParser } from '../../server/sql/postgres-parser.ts'
import { parseStatements } from '../../server/sql/statement.ts'

test('the parser is there once it was loaded, and loaded once', async (t) => {
  t.throws(() => postgresParser(), { message: /before loadParser\(\) has finished/ })
  t.throws(() => parseStatements('select 1'), { message: /before loadParser\(\) has finished/ })
  await loadParser()
  const parser = postgresParser()
  await loadParser()
  t.equal(postgresParser(), parser)
  t.equal(parseStatements('select 1').length, 1)
})
