import { readFileSync } from 'node:fs'

/** One instruction of a Dockerfile, continued lines joined. */
export interface Instruction {
  /** In capitals: `COPY`. */
  readonly name: string
  readonly text: string
  /** Build stage, from 0. */
  readonly stage: number
}

/** Splits a Dockerfile into instructions; comments are left out. */
export function readDockerfile(path: string): readonly Instruction[] {
  const joined = readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => !line.startsWith('#') && line.trim() !== '')
    .join('\n')
    .replaceAll(/\s*\\\n\s*/g, ' ')
  let stage = -1
  return joined.split('\n').map((line) => {
    const [name = '', ...words] = line.split(/\s+/)
    if (name === 'FROM') stage += 1
    return { name, text: words.join(' '), stage }
  })
}

/** The variables that a stage sets. */
export function variablesOf(
  instructions: readonly Instruction[],
  stage: number,
): Record<string, string> {
  const pairs = instructions
    .filter((instruction) => instruction.name === 'ENV' && instruction.stage === stage)
    .flatMap(({ text }) => text.split(' '))
    .map((pair) => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)])
  return Object.fromEntries(pairs)
}
