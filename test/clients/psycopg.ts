import { spawn } from 'node:child_process'
import { join } from 'node:path'
import type { Test } from 'tap'
import { findPython } from '../helpers/python.ts'
import type { ServerAddress } from '../helpers/wire-client.ts'
import { skipMissing } from './missing.ts'

/** Runs the Python suite (its TAP lines become assertions) with the interpreter that `test/clients/install` made. */
export async function checkPsycopg(t: Test, address: ServerAddress): Promise<void> {
  const python = await findPython()
  if (python === undefined) {
    skipMissing(t, 'psycopg 3')
    return
  }
  const suite = join(import.meta.dirname, '..', '..', '..', 'test', 'clients', 'psycopg_suite.py')
  const { stdout, stderr, code } = await run(python, [suite], {
    PGHOST: address.host,
    PGPORT: String(address.port),
  })
  for (const line of stdout.split('\n')) {
    const match = /^(not )?ok \d+ - (.*)$/.exec(line)
    if (match !== null) t.ok(match[1] === undefined, match[2] ?? '')
  }
  t.equal(code, 0, stderr)
}

function run(
  program: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<{ stdout: string; stderr: string; code: number | null }> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { env: { PATH: process.env['PATH'], ...env } })
    let stdout = ''
    let stderr = ''
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      stdout += chunk
    })
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
      stderr += chunk
    })
    child.on('error', reject)
    child.on('close', (code) => resolve({ stdout, stderr, code }))
  })
}
