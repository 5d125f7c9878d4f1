import { type ChildProcess, spawn } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import type { ServerAddress } from '../helpers/wire-client.ts'

/** Where psql logs in. */
export type PsqlLogin = ServerAddress & { readonly user: string; readonly database: string }

/** What one run of psql printed. */
export interface PsqlResult {
  readonly stdout: string
  readonly stderr: string
  readonly code: number | null
}

/** Runs psql 15 with `input` as its script; undefined where there is no psql. */
export function runPsql(
  address: PsqlLogin,
  input: string,
  args: readonly string[] = [],
): Promise<PsqlResult | undefined> {
  return startPsql(address, input, args).result
}

/** As {@link runPsql}, with Ctrl+C when the server runs a statement with `pg_sleep`: psql that has nothing to cancel would leave its script. */
export async function cancelWithPsql(
  address: PsqlLogin,
  input: string,
): Promise<PsqlResult | undefined> {
  const { child, result, stderr } = startPsql(address, input, [])
  let isOver = false
  void result.then(() => {
    isOver = true
  })
  while (!isOver && !(await isSleeping(address))) await sleep(20)
  while (!isOver && !stderr().includes('canceling')) {
    child.kill('SIGINT')
    await sleep(100)
  }
  return result
}

async function isSleeping(address: PsqlLogin): Promise<boolean> {
  const sleepers = `select pid from pg_stat_activity where state = 'active' and query ~ 'pg_sleep' and pid <> pg_backend_pid();`
  return (await runPsql(address, sleepers, ['-At']))?.stdout !== ''
}

interface RunningPsql {
  readonly child: ChildProcess
  readonly result: Promise<PsqlResult | undefined>
  readonly stderr: () => string
}

function startPsql(address: PsqlLogin, input: string, args: readonly string[]): RunningPsql {
  const login = ['-h', address.host, '-p', String(address.port), '-U', address.user]
  const child = spawn('psql', ['-X', ...login, ...args, address.database], {
    env: { PATH: process.env['PATH'], LC_ALL: 'C.UTF-8', PAGER: '', PSQL_PAGER: '' },
  })
  let stdout = ''
  let stderr = ''
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    stdout += chunk
  })
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    stderr += chunk
  })
  child.stdin.on('error', () => undefined)
  const result = new Promise<PsqlResult | undefined>((resolve) => {
    child.on('error', () => resolve(undefined))
    child.on('close', (code) => resolve({ stdout, stderr, code }))
  })
  child.stdin.end(input)
  return { child, result, stderr: () => stderr }
}
