import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { startOracle } from '../helpers/oracle.ts'
import { chosenScripts, runScript, SCRIPTS_DIR } from './run.ts'
import { printScript } from './script.ts'

/** Writes PostgreSQL's answers into the scripts that `GOLDEN` chooses, else into all, to be reviewed in the diff. */
const oracle = await startOracle()
try {
  for (const [name, script] of await chosenScripts()) {
    const answers = await runScript(oracle, name, script)
    await writeFile(join(SCRIPTS_DIR, `${name}.golden`), printScript(script, answers))
  }
} finally {
  await oracle.stop()
}
