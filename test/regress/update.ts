import { writeFile } from 'node:fs/promises'
import { FLOOR_FILE, QUERY_SCRIPTS, runScripts } from './scripts.ts'

/** Writes down how many statements of each script print what PostgreSQL prints, to be reviewed in the diff. */
const counts = await runScripts(QUERY_SCRIPTS)
const lines = Object.entries(counts).map(
  ([name, { passed, all }]) => `  "${name}": { "passed": ${passed}, "all": ${all} }`,
)
await writeFile(FLOOR_FILE, `{\n${lines.join(',\n')}\n}\n`)
const sum = (key: 'passed' | 'all') => Object.values(counts).reduce((all, one) => all + one[key], 0)
process.stdout.write(`${sum('passed')} of ${sum('all')} statements\n`)
