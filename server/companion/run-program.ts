import { spawn } from 'node:child_process'
import type { RunAs } from './run-as.ts'

/** What a short-lived program (`initdb`, `postgres --version`) left behind. */
export interface ProgramResult {
  /** Exit status; undefined where a signal ended it or it could not be started. */
  readonly status: number | undefined
  readonly stdout: string
  readonly stderr: string
  /** Why it could not be started (ENOENT, EACCES...). */
  readonly startError: NodeJS.ErrnoException | undefined
}

export interface ProgramOptions {
  readonly environment: Readonly<Record<string, string>>
  readonly runAs: RunAs | undefined
  readonly cwd: string
  /** The program is killed when this aborts. */
  readonly signal: AbortSignal
}

const OUTPUT_LIMIT_CHARS = 64 * 1024

/** Runs a program to its end and keeps what it printed. Never throws: a program that cannot start is a result too. */
export function runProgram(
  file: string,
  args: readonly string[],
  options: ProgramOptions,
): Promise<ProgramResult> {
  const running = new Promise<ProgramResult>((resolve) => {
    const child = spawn(file, args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...options.environment },
      cwd: options.cwd,
      ...(options.runAs ?? {}),
    })
    let stdout = ''
    let stderr = ''
    let startError: NodeJS.ErrnoException | undefined
    const kill = () => {
      child.kill('SIGKILL')
    }
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout = (stdout + text).slice(-OUTPUT_LIMIT_CHARS)
    })
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr = (stderr + text).slice(-OUTPUT_LIMIT_CHARS)
    })
    child.once('error', (error) => {
      startError = error
    })
    child.once('close', (status) => {
      options.signal.removeEventListener('abort', kill)
      resolve({
        status: startError ? undefined : (status ?? undefined),
        stdout,
        stderr,
        startError,
      })
    })
    if (options.signal.aborted) kill()
    else options.signal.addEventListener('abort', kill, { once: true })
  })
  // spawn() tells of some reasons (ENOTDIR) by throwing.
  return running.catch((startError: NodeJS.ErrnoException) => ({
    status: undefined,
    stdout: '',
    stderr: '',
    startError,
  }))
}

/** The last line with something on it, for one-line error messages. */
export function lastLine(text: string): string {
  return text.trimEnd().split('\n').at(-1)?.trim() ?? ''
}
