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
 * answer otherwise: then they must. Lines that begin with `<` are the data of a COPY (`< ` text with its newline and \t for a tab, `<x` bytes in
 * hexadecimal); in answers they are what COPY TO sends. `~ in any order` says that the statement leaves the order of its rows open.
 *
 * Where PostgreSQL makes a statement wait for another connection, `> [b] async ...` sends it and goes on, and `> [b] await` has its
 * answer. What a backend answers that keeps transactions apart more strictly stands in a block of its own below PostgreSQL's:
 *
 *     > select n from t
 *     ----
 *     n:int8
 *     2
 *     SELECT 1
 *     ---- embedded: one snapshot for the transaction
 *     n:int8
 *     1
 *     SELECT 1
 *
 * `~ skipped on emulator: why` at the top of a script says that it cannot run there.
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
  /** `async`: sent only, its answer is that of the `await` after it on the same connection. */
  readonly timing: 'at once' | 'async' | 'await'
  /** What COPY FROM STDIN is given; none: it is broken off. */
  readonly copyData: readonly Buffer[]
  /** The statement's lines as they stand in the file. */
  readonly source: readonly string[]
  readonly knownDifferences: readonly KnownDifference[]
  readonly isInAnyOrder: boolean
  readonly expected: readonly string[]
  readonly variants: readonly Variant[]
}

/** What some backends answer in PostgreSQL's place. */
export interface Variant {
  readonly backends: readonly string[]
  readonly reason: string
  readonly expected: readonly string[]
}

export interface KnownDifference {
  readonly backend: string
  readonly reason: string
}

export interface GoldenScript {
  /** Where it cannot run. */
  readonly skips: readonly KnownDifference[]
  readonly steps: readonly GoldenStep[]
  readonly epilogue: readonly string[]
}

const STATEMENT = /^>(?: \[(\w+)\])?(?: (async|await)(?![^ ]))?(?: extended\((.*?)\))?(?: (.*))?$/
const VARIANT = /^---- ([\w, ]+): (.+)$/

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
    const copyData: Buffer[] = []
    for (; lines[at]?.startsWith('<'); at++) {
      const data = lines[at] ?? ''
      source.push(data)
      copyData.push(parseData(data))
    }
    const answers: string[] = []
    if (lines[at] === '----') {
      while (++at < lines.length && lines[at] !== '') answers.push(lines[at] ?? '')
    }
    const firstVariant = answers.findIndex((answer) => VARIANT.test(answer))
    const end = firstVariant < 0 ? answers.length : firstVariant
    steps.push({
      preamble,
      connection: match[1] ?? 'a',
      timing: match[2] === 'async' || match[2] === 'await' ? match[2] : 'at once',
      mode: match[3] === undefined ? 'simple' : 'extended',
      values: parseValues(match[3] ?? ''),
      maxRows: Number(/; (\d+) rows$/.exec(match[3] ?? '')?.[1] ?? 0),
      text: [match[4] ?? '', ...source.slice(1).filter((more) => more.startsWith('  ')).map((more) => more.slice(2))].join('\n'),
      source,
      copyData,
      knownDifferences: preamble.flatMap(parseDifference),
      isInAnyOrder: preamble.includes('~ in any order'),
      expected: answers.slice(0, end),
      variants: parseVariants(answers.slice(end)),
    })
    preamble = []
  }
  return { skips: (steps[0]?.preamble ?? []).flatMap(parseSkip), steps, epilogue: preamble }
}

export function printScript(script: GoldenScript, answers: readonly (readonly string[])[]): string {
  const lines: string[] = []
  for (const [index, step] of script.steps.entries()) {
    lines.push(...step.preamble, ...step.source)
    if (step.timing === 'async') continue
    lines.push('----', ...(answers[index] ?? []), ...step.variants.flatMap(printVariant))
  }
  return [...lines, ...script.epilogue].join('\n')
}

function parseData(line: string): Buffer {
  if (line.startsWith('<x')) return Buffer.from(line.slice(2).replaceAll(' ', ''), 'hex')
  return Buffer.from(`${line.slice(2).replaceAll('\\t', '\t')}\n`)
}

function parseValues(text: string): readonly (string | null)[] {
  return [...text.matchAll(/'((?:[^']|'')*)'|null/g)].map((match) =>
    match[1] === undefined ? null : match[1].replaceAll("''", "'"),
  )
}

function parseVariants(lines: readonly string[]): readonly Variant[] {
  const variants: { backends: string[]; reason: string; expected: string[] }[] = []
  for (const line of lines) {
    const head = VARIANT.exec(line)
    if (head === null) variants.at(-1)?.expected.push(line)
    else variants.push({ backends: listed(head[1]), reason: head[2] ?? '', expected: [] })
  }
  return variants
}

function printVariant({ backends, reason, expected }: Variant): readonly string[] {
  return [`---- ${backends.join(', ')}: ${reason}`, ...expected]
}

function parseDifference(line: string): readonly KnownDifference[] {
  const match = /^~ (?!skipped on )([\w, ]+): (.+)$/.exec(line)
  return listed(match?.[1]).map((backend) => ({ backend, reason: match?.[2] ?? '' }))
}

function parseSkip(line: string): readonly KnownDifference[] {
  const match = /^~ skipped on ([\w, ]+): (.+)$/.exec(line)
  return listed(match?.[1]).map((backend) => ({ backend, reason: match?.[2] ?? '' }))
}

function listed(names: string | undefined): string[] {
  return names === undefined ? [] : names.split(',').map((name) => name.trim())
}
