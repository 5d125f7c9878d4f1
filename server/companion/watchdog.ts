import { spawn } from 'node:child_process'
import type { Readable, Writable } from 'node:stream'
import type { RunAs } from './run-as.ts'

/**
 * Node cannot ask the kernel to end a child when it dies, and a server that outlives its proxy would hold the data directory for ever. So a
 * shell stands between the two: it holds the reading end of a pipe whose writing end only the proxy has. A line on the pipe is the name of a
 * signal for the server; the end of the pipe, which even kill -9 of the proxy brings about, is SIGQUIT (immediate shutdown: the server's own
 * children are ended too). The reader is a process of its own, so that the server does not even survive kill -9 of the shell. It sends SIGQUIT
 * until the server is gone: what a shell starts in the background ignores that signal until it has a handler of its own.
 * The shell is the leader of a new session: Ctrl-C in the proxy's terminal reaches the proxy alone, which then stops the server in order.
 */
const SCRIPT = `
exec 3<&0 </dev/null
if [ "$1" != 0 ]; then ulimit -v "$1" 2>/dev/null || true; fi
shift
"$@" 3<&- >/dev/null &
server=$!
echo "$server"
(
  exec >/dev/null 2>&1
  while read -r signal <&3; do kill -s "$signal" "$server"; done
  while kill -s QUIT "$server"; do sleep 1; done
) &
reader=$!
exec 3<&-
wait "$server"
status=$?
kill -s KILL "$reader" 2>/dev/null
exit "$status"
`

export interface WatchdogOptions {
  readonly file: string
  readonly args: readonly string[]
  readonly environment: Readonly<Record<string, string>>
  readonly runAs: RunAs | undefined
  /** Bound of each process's address space (`ulimit -v`), where the system has it. */
  readonly addressSpaceKiB: number | undefined
}

/** Signals of the postmaster (manual, section 19.5): fast and immediate shutdown, reload. */
export type ServerSignal = 'INT' | 'QUIT' | 'HUP'

/** A server process under its watchdog. */
export class WatchedServer {
  readonly #commands: Writable
  /** What the server writes to its log. */
  readonly log: Readable
  /** The shell's exit status when the server has ended; undefined where a signal ended the shell or it could not start. */
  readonly exited: Promise<number | undefined>
  #hasExited = false
  #pidText = ''

  constructor(options: WatchdogOptions) {
    const shell = spawn(
      '/bin/sh',
      [
        '-c',
        SCRIPT,
        'watchdog',
        String(options.addressSpaceKiB ?? 0),
        options.file,
        ...options.args,
      ],
      {
        stdio: ['pipe', 'pipe', 'pipe'],
        env: { ...options.environment },
        cwd: '/',
        detached: true,
        ...(options.runAs ?? {}),
      },
    )
    this.#commands = shell.stdin
    this.log = shell.stderr
    // EPIPE where the server has gone already: `exited` tells.
    this.#commands.on('error', () => undefined)
    shell.stdout.setEncoding('utf8').on('data', (text: string) => {
      this.#pidText += text
    })
    this.exited = new Promise((resolve) => {
      const end = (status: number | undefined) => {
        this.#hasExited = true
        // Where only the shell was killed, the reader is still there and ends the server now.
        this.#commands.end()
        resolve(status)
      }
      shell.once('error', () => end(undefined))
      // Not 'close': orphans of a killed server may hold the log pipe for a while.
      shell.once('exit', (status) => end(status ?? undefined))
    })
  }

  get hasExited(): boolean {
    return this.#hasExited
  }

  /** The server's process id; undefined until the shell has told it. */
  get pid(): number | undefined {
    return this.#pidText.endsWith('\n') ? Number.parseInt(this.#pidText, 10) : undefined
  }

  /** Sends a signal to the server, unless it has ended. */
  signal(name: ServerSignal): void {
    if (!this.#hasExited && this.#commands.writable) this.#commands.write(`${name}\n`)
  }

  /** Closes the pipe: the server ends at once, whatever it is doing. */
  release(): void {
    this.#commands.end()
  }
}
