import { readFileSync } from 'node:fs'
import { test } from 'tap'
import { helpText } from '../../server/config/help.ts'
import {
  COMMAND_FLAGS,
  fileKeyOf,
  OPTIONS,
  type OptionSpec,
  UNBUILT_OPTIONS,
  variableOf,
} from '../../server/config/options.ts'

const SPECS = Object.values<OptionSpec<unknown>>(OPTIONS)

test('the help names every flag, its variable and its default, within 80 columns', async (t) => {
  const help = helpText()
  for (const spec of SPECS) {
    t.match(help, `  --${spec.name} ${spec.placeholder}`)
    t.match(help, `[${variableOf(spec.name)}]`)
    t.match(help.replaceAll(/\s+/g, ' '), `(default: ${spec.defaultText ?? spec.defaultNote})`)
  }
  for (const name of Object.keys(COMMAND_FLAGS)) t.match(help, `  --${name}`)
  for (const line of help.split('\n')) t.ok(line.length <= 80, line)
})

test('names are kebab-case, and none is both built and not', async (t) => {
  for (const { name } of SPECS) {
    t.match(name, /^[a-z]+(?:-[a-z]+)*$/)
    t.notOk(UNBUILT_OPTIONS.has(name), name)
  }
})

/** The rows of docs/options.md: one an option, in the order of the table. */
function documentedRow(spec: OptionSpec<unknown>): string {
  const flag = `\`--${spec.name} ${spec.placeholder}\`${spec.isRepeatable ? ' (repeatable)' : ''}`
  const value = spec.defaultText === undefined ? spec.defaultNote : `\`${spec.defaultText}\``
  return `| ${flag} | \`${variableOf(spec.name)}\` | \`${fileKeyOf(spec.name)}\` | ${value} | ${spec.help} |`
}

test('docs/options.md says what the table says, no more and no less', async (t) => {
  const page = readFileSync('docs/options.md', 'utf8')
  const rows = page.split('\n').filter((line) => line.startsWith('| `--'))
  t.strictSame(rows, SPECS.map(documentedRow))
  const unbuilt = page.split('\n').filter((line) => line.startsWith('- `--'))
  t.strictSame(
    unbuilt.map((line) => line.slice(2)),
    [...UNBUILT_OPTIONS].map((name) => `\`--${name}\``),
  )
})
