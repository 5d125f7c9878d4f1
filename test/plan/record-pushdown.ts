/** Writes docs/pushdown.md from recorded client runs: `node dist/test/plan/record-pushdown.js DIRECTORY`. */
import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { loadParser } from '../../server/sql/postgres-parser.ts'
import { type ClientSelect, selectsOf } from './pushdown-corpus.ts'
import { PLAN_TESTS } from './schema-fixture.ts'
import { findPostgres, startPostgres } from './throwaway-postgres.ts'

const PAGE = fileURLToPath(new URL('../../docs/pushdown.md', PLAN_TESTS))
const KINDS = ['pushed down', 'rewritten', 'emulated', 'refused', 'catalog', 'left out'] as const
const MAX_TEXT = 160

const INTRODUCTION = `# How much of what clients send runs on Spanner

The distinct SELECTs that recorded runs of common clients send, by what becomes of them in front of production Spanner:

- *pushed down*: Spanner gets the same clauses, operators, functions and casts; names are written out.
- *rewritten*: Spanner gets other ones with the same meaning, or constants that the companion has computed.
- *emulated*: rows are read from Spanner and PostgreSQL runs the statement over them ([emulations.md](emulations.md)).
- *refused*: 0A000 with a hint ([limitations.md](limitations.md)).
- *catalog*: no table of the client's is read, and the companion answers.
- *left out*: PostgreSQL itself does not take it, as its tables were not made by statements of the run, or because it is meant to fail.

\`npm run build && node dist/test/plan/record-pushdown.js DIRECTORY\` writes this page anew from a directory of recorded runs, one file a client.
`

const [directory] = process.argv.slice(2)
const bin = findPostgres()
if (directory === undefined || bin === undefined)
  throw new Error('usage: record-pushdown.js DIRECTORY')
await loadParser()
const server = await startPostgres(bin)
try {
  writeFileSync(PAGE, page(await selectsOf(server, directory)))
} finally {
  await server.stop()
}

function page(selects: readonly ClientSelect[]): string {
  const clients = [...new Set(selects.map(({ client }) => client))]
  const rows = clients.map((client) =>
    row(
      client,
      selects.filter((one) => one.client === client),
    ),
  )
  return [
    INTRODUCTION,
    `| client | ${KINDS.join(' | ')} | on Spanner alone, of those that read tables |`,
    `|---|${KINDS.map(() => '---').join('|')}|---|`,
    ...rows,
    row('all', selects),
    '',
    ...section('Emulated', selects, 'emulated'),
    ...section('Refused', selects, 'refused'),
  ].join('\n')
}

function row(client: string, selects: readonly ClientSelect[]): string {
  const counts = KINDS.map((kind) => selects.filter(({ fate }) => fate.kind === kind).length)
  const [same = 0, rewritten = 0, emulated = 0, refused = 0] = counts
  const all = same + rewritten + emulated + refused
  const share = all === 0 ? '' : `${((100 * (same + rewritten)) / all).toFixed(1)} %`
  return `| ${client} | ${counts.join(' | ')} | ${share} |`
}

function section(
  title: string,
  selects: readonly ClientSelect[],
  kind: 'emulated' | 'refused',
): readonly string[] {
  const byReason = new Map<string, string[]>()
  for (const { client, text, fate } of selects) {
    if (fate.kind !== kind) continue
    const key = `| ${client} | ${cell(fate.reason)}`
    byReason.set(key, [...(byReason.get(key) ?? []), text])
  }
  const lines = [...byReason].map(
    ([key, [first = '', ...others]]) =>
      `${key} | ${others.length + 1} | \`${cell(shortened(first))}\` |`,
  )
  if (lines.length === 0) return [`## ${title}`, '', 'None.', '']
  return [
    `## ${title}`,
    '',
    '| client | why | statements | such as |',
    '|---|---|---|---|',
    ...lines,
    '',
  ]
}

function shortened(text: string): string {
  const line = text.replaceAll(/\s+/g, ' ')
  return line.length <= MAX_TEXT ? line : `${line.slice(0, MAX_TEXT)} ..`
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('`', "'")
}
