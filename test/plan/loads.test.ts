import { readFileSync } from 'node:fs'
import t from 'tap'
import { parseGoldenCases } from './golden-script.ts'
import { LOADS_SCRIPT, startLoadsOracle } from './loads-fixture.ts'

t.test('what is loaded for a statement that Spanner cannot run', async (t) => {
  const oracle = await startLoadsOracle()
  t.teardown(() => oracle.stop())
  const cases = parseGoldenCases(readFileSync(LOADS_SCRIPT, 'utf8'))
  t.ok(cases.length > 40, `${cases.length} statements`)
  for (const { statement, expected } of cases) {
    t.equal(await oracle.describe(statement), expected, statement)
  }
})
