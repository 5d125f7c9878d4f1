/** Writes what is loaded for the statements of loads.txt into it: `node dist/test/plan/record-loads.js`, then read the diff. */
import { readFileSync, writeFileSync } from 'node:fs'
import { parseGoldenCases, printGoldenCases } from './golden-script.ts'
import { LOADS_SCRIPT, startLoadsOracle } from './loads-fixture.ts'

const oracle = await startLoadsOracle()
try {
  const cases = []
  for (const golden of parseGoldenCases(readFileSync(LOADS_SCRIPT, 'utf8'))) {
    cases.push({ ...golden, expected: await oracle.describe(golden.statement) })
  }
  writeFileSync(LOADS_SCRIPT, printGoldenCases(cases))
} finally {
  await oracle.stop()
}
