import { readFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'

/** Schema and rows that cases are run against. */
export interface Fixture {
  readonly ddl: readonly string[]
  readonly rows: readonly string[]
}

/** A statement and what the official emulator was seen to answer. */
export interface Case {
  readonly id: string
  readonly area: string
  readonly fixture: string
  readonly kind: 'query' | 'param' | 'dml' | 'ddl' | 'ddl-batch'
  readonly sql: string | readonly string[]
  readonly params?: Readonly<Record<string, CaseParam>>
  readonly txn?: 'rw'
  readonly mode?: string
  readonly expect: Expected
}

export interface CaseParam {
  /** `INT64`, `NUMERIC:PG_NUMERIC`, `INT64[]`; absent where the parameter is sent without a type. */
  readonly type?: string
  readonly value: unknown
}

/** What is present must be so. */
export interface Expected {
  readonly ok: boolean
  readonly code?: string
  readonly columns?: readonly (readonly [name: string, type: string])[]
  readonly rows?: readonly (readonly unknown[])[]
  /** absent: in this order; `any`: in any; numbers: groups of that many rows, in any order within one. */
  readonly order?: 'any' | readonly number[]
  readonly nrows?: number
  readonly rowCount?: number
  readonly undeclared?: unknown
  readonly ddlAdded?: readonly string[]
  readonly ddlRemoved?: readonly string[]
}

export interface Cases {
  readonly fixtures: Readonly<Record<string, Fixture>>
  readonly cases: readonly Case[]
}

/** Where the measured cases lie: beside the project, unless a variable says otherwise. */
export function casesDirectory(): string {
  return resolve(process.env['SPANWIRE_CONFORMANCE_DIR'] ?? '../shared/reference/conformance')
}

/** Reads fixtures.json and cases.jsonl; undefined where they are not there. */
export async function readCases(directory: string): Promise<Cases | undefined> {
  try {
    const fixtures = JSON.parse(
      await readFile(join(directory, 'fixtures.json'), 'utf8'),
    ) as Cases['fixtures']
    const lines = (await readFile(join(directory, 'cases.jsonl'), 'utf8')).split('\n')
    const cases = lines.filter((line) => line !== '').map((line) => JSON.parse(line) as Case)
    return { fixtures, cases }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}
