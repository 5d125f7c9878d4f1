import { createHash } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** Sources, not the built copies: what is found is kept. */
const CORPUS_DIR = join(import.meta.dirname, '..', '..', '..', 'test', 'differential', 'corpus')

/** A statement that was answered otherwise than by PostgreSQL once. */
export interface KeptStatement {
  readonly name: string
  readonly sql: string
  readonly isOrdered: boolean
}

/** All of them. A file has comments that begin with `--`, one of which may be `-- ordered`, and the statement. */
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
      }
    })
}

/** Keeps a statement under a name made of its text, and returns the file. */
export function keepStatement(
  statement: { readonly sql: string; readonly isOrdered: boolean },
  comment: string,
): string {
  mkdirSync(CORPUS_DIR, { recursive: true })
  const name = createHash('sha256').update(statement.sql).digest('hex').slice(0, 12)
  const file = join(CORPUS_DIR, `${name}.sql`)
  const order = statement.isOrdered ? '-- ordered\n' : ''
  writeFileSync(file, `-- ${comment}\n${order}${statement.sql}\n`)
  return file
}
