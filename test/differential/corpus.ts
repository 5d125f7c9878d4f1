import { createHash } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { RandomStatement } from './random-statement.ts'

/** Sources, not the built copies: what is found is kept. */
const CORPUS_DIR = join(import.meta.dirname, '..', '..', '..', 'test', 'differential', 'corpus')

/** A statement that was answered otherwise than by PostgreSQL once. */
export interface KeptStatement extends RandomStatement {
  readonly name: string
}

const PARAMETERS = '-- parameters: '

/**
 * All of them. A file has comments that begin with `--`, of which one may be `-- ordered` and one list the parameters in JSON, and the
 * statement.
 */
export function readCorpus(): readonly KeptStatement[] {
  return readdirSync(CORPUS_DIR)
    .filter((name) => name.endsWith('.sql'))
    .sort()
    .map((name) => {
      const lines = readFileSync(join(CORPUS_DIR, name), 'utf8').trim().split('\n')
      return {
        name,
        sql: lines.filter((line) => !line.startsWith('--')).join('\n'),
        isOrdered: lines.includes('-- ordered'),
        parameters: JSON.parse(
          lines.find((line) => line.startsWith(PARAMETERS))?.slice(PARAMETERS.length) ?? '[]',
        ) as string[],
      }
    })
}

/** Keeps a statement under a name made of its text, and returns the file. */
export function keepStatement(statement: RandomStatement, comment: string): string {
  const { sql, isOrdered, parameters } = statement
  mkdirSync(CORPUS_DIR, { recursive: true })
  const name = createHash('sha256').update(sql).digest('hex').slice(0, 12)
  const file = join(CORPUS_DIR, `${name}.sql`)
  const lines = [
    `-- ${comment}`,
    ...(isOrdered ? ['-- ordered'] : []),
    ...(parameters.length > 0 ? [`${PARAMETERS}${JSON.stringify(parameters)}`] : []),
    sql,
  ]
  writeFileSync(file, `${lines.join('\n')}\n`)
  return file
}
