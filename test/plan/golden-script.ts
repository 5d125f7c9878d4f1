import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { PLAN_TESTS } from './schema-fixture.ts'

/*
 * A golden script reads as prose:
 *
 *   # Comments say what a case is about.
 *   SELECT name FROM author WHERE id = $1        the statement, over one or more lines
 *   ---
 *   SELECT t1."name" FROM "author" AS t1 ...     what the emitter makes of it
 *   $1: client $1 int4
 *
 * Cases are separated by empty lines.
 */

/** One statement of a golden script, with what is expected of it. */
export interface GoldenCase {
  readonly comments: readonly string[]
  readonly statement: string
  readonly expected: string
}

export interface GoldenScript {
  readonly name: string
  /** The schema that its statements find their tables in: that of a client in `client-NAME.txt`. */
  readonly schema: string
  readonly path: string
  readonly cases: readonly GoldenCase[]
}

/** All scripts of test/plan/golden. */
export function readGoldenScripts(): readonly GoldenScript[] {
  const folder = fileURLToPath(new URL('golden/', PLAN_TESTS))
  return readdirSync(folder)
    .filter((name) => name.endsWith('.txt'))
    .sort()
    .map((name) => ({
      name,
      schema: /^client-(\w+)\.txt$/.exec(name)?.[1] ?? 'public',
      path: `${folder}${name}`,
      cases: parseGoldenCases(readFileSync(`${folder}${name}`, 'utf8')),
    }))
}

/** How recorded trees are found again. */
export function treeKey(script: GoldenScript, golden: GoldenCase): string {
  return `${script.schema}: ${golden.statement}`
}

/** The text of a script. */
export function printGoldenCases(cases: readonly GoldenCase[]): string {
  return cases
    .map(({ comments, statement, expected }) =>
      [...comments, statement, '---', expected].join('\n'),
    )
    .map((text) => `${text.replace(/\n---\n$/, '')}\n`)
    .join('\n')
}

/** The cases of the text of a script. */
export function parseGoldenCases(text: string): readonly GoldenCase[] {
  return text
    .split(/\n{2,}/)
    .filter((block) => block.trim() !== '')
    .map(parseCase)
}

function parseCase(block: string): GoldenCase {
  const lines = block.replace(/\n+$/, '').split('\n')
  const comments = lines.filter((line) => line.startsWith('#'))
  const rest = lines.filter((line) => !line.startsWith('#'))
  const border = rest.indexOf('---')
  const statement = (border < 0 ? rest : rest.slice(0, border)).join('\n')
  return { comments, statement, expected: border < 0 ? '' : rest.slice(border + 1).join('\n') }
}
