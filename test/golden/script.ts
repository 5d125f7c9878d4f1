/**
 * Golden scripts: what a client sends above the line, what it is told below, in files that read as prose.
 *
 *     # A comment.
 *     > select 1 as one
 *     ----
 *     one:int4
 *     1
 *     SELECT 1
 *
 * `>` is one Query message (continued on lines that begin with two spaces), `> [b] ...` goes over a second connection named b,
 * `> extended('5', null) select $1::int` uses Parse, Bind, Describe, Execute, Sync with text parameters, `> extended('5'; 2 rows)`
 * one Execute for every two rows. A line `~ emulator, embedded: why` before a statement says that those backends are known to
 * answer otherwise: then they must. `~ in any order` says that the statement leaves the order of its rows open.
 */
export interface GoldenStep {
  /** Prose and blank lines before the statement, as they stand. */
  readonly preamble: readonly string[]
  readonly connection: string
  readonly mode: 'simple' | 'extended'
  readonly values: readonly (string | null)[]
  /** Rows that one Execute asks for; 0: all. */
  readonly maxRows: number
  readonly text: string
  /** The statement's lines as they stand in the file. */
  readonly source: readonly string[]
  readonly knownDifferences: readonly KnownDifference[]
  readonly isInAnyOrder: boolean
  readonly expected: readonly string[]
}

export interface KnownDifference {
  readonly backend: string
  readonly reason: string
}

export interface GoldenScript {
  readonly steps: readonly GoldenStep[]
  readonly epilogue: readonly string[]
}

const STATEMENT = /^>(?: \[(\w+)\])?(?: extended\((.*?)\))?(?: (.*))?$/

export function parseScript(content: string): GoldenScript {
  const lines = content.split('\n')
  const steps: GoldenStep[] = []
  let preamble: string[] = []
  for (let at = 0; at < lines.length; ) {
    const line = lines[at] ?? ''
    const match = STATEMENT.exec(line)
    if (match === null) {
      preamble.push(line)
      at++
      continue
    }
    const source = [line]
    while (lines[++at]?.startsWith('  ')) source.push(lines[at] ?? '')
    const expected: string[] = []
    if (lines[at] === '----') {
      while (++at < lines.length && lines[at] !== '') expected.push(lines[at] ?? '')
    }
    steps.push({
      preamble,
      connection: match[1] ?? 'a',
      mode: match[2] === undefined ? 'simple' : 'extended',
      values: parseValues(match[2] ?? ''),
      maxRows: Number(/; (\d+) rows$/.exec(match[2] ?? '')?.[1] ?? 0),
      text: [match[3] ?? '', ...source.slice(1).map((more) => more.slice(2))].join('\n'),
      source,
      knownDifferences: preamble.flatMap(parseDifference),
      isInAnyOrder: preamble.includes('~ in any order'),
      expected,
    })
    preamble = []
  }
  return { steps, epilogue: preamble }
}

export function printScript(script: GoldenScript, answers: readonly (readonly string[])[]): string {
  const lines: string[] = []
  for (const [index, step] of script.steps.entries()) {
    lines.push(...step.preamble, ...step.source, '----', ...(answers[index] ?? []))
  }
  return [...lines, ...script.epilogue].join('\n')
}

function parseValues(text: string): readonly (string | null)[] {
  return [...text.matchAll(/'((?:[^']|'')*)'|null/g)].map((match) =>
    match[1] === undefined ? null : match[1].replaceAll("''", "'"),
  )
}

function parseDifference(line: string): readonly KnownDifference[] {
  const match = /^~ ([\w, ]+): (.+)$/.exec(line)
  if (match === null) return []
  const reason = match[2] ?? ''
  return (match[1] ?? '').split(',').map((backend) => ({ backend: backend.trim(), reason }))
}
