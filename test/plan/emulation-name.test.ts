import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { EMULATION_NAMES, emulationName } from '../../server/plan/emulation-name.ts'

const DOCS = join(import.meta.dirname, '..', '..', '..', 'docs', 'emulations.md')

t.test('names do not depend on identifiers', async (t) => {
  const names: Readonly<Record<string, string>> = {
    'window functions': 'window-function',
    'the function string_to_table(text, text) in FROM': 'function-in-from',
    'the function date_trunc(text, timestamptz)': 'function-date-trunc',
    'the aggregate jsonb_agg': 'aggregate-jsonb-agg',
    'a recursive query': 'recursive-cte',
    'the system column ctid': 'system-column',
    'the column x, of a type that Spanner does not have': 'expression',
  }
  for (const [reason, name] of Object.entries(names)) t.equal(emulationName(reason), name, reason)
})

t.test('docs/emulations.md lists the names, no more and no less', async (t) => {
  const rows = (await readFile(DOCS, 'utf8'))
    .split('\n')
    .filter((line) => /^\| `[a-z-]+\*?` /.test(line))
  t.strictSame(
    rows.map((row) => row.split('`')[1]),
    EMULATION_NAMES.map((name) => name.replace('$1', '*')),
  )
})
