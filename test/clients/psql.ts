import { spawn } from 'node:child_process'
import type { ServerAddress } from '../helpers/wire-client.ts'

/** What one run of psql printed. */
export interface PsqlResult {
  readonly stdout: string
  readonly stderr: string
  readonly code: number | null
}

/** Runs psql 15 with `input` as its script; undefined where there is no psql. */
export function runPsql(
  address: ServerAddress & { readonly user: string; readonly database: string },
  input: string,
  args: readonly string[] = [],
): Promise<PsqlResult | undefined> {
  return new Promise((resolve) => {
    const child = spawn(
      'psql',
      [
        '-X',
        '-h',
        address.host,
        '-p',
        String(address.port),
        '-U',
        address.user,
        ...args,
        address.database,
      ],
      { env: { PATH: process.env['PATH'], LC_ALL: 'C.UTF-8', PAGER: '', PSQL_PAGER: '' } },
    )
    let stdout = ''
    let stderr = ''
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      stdout += chunk
    })
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
      stderr += chunk
    })
    child.on('error', () => resolve(undefined))
    child.on('close', (code) => resolve({ stdout, stderr, code }))
    child.stdin.end(input)
  })
}
