import { execFile } from 'node:child_process'
import { readdir, readFile } from 'node:fs/promises'
import { promisify } from 'node:util'

export interface RunningProcess {
  readonly pid: number
  readonly command: string
}

/** The PostgreSQL processes (servers, their children as far as they name it, initdb) that work on `dataDir` or below it. */
export async function postgresProcesses(dataDir: string): Promise<readonly RunningProcess[]> {
  const all = process.platform === 'linux' ? await fromProc() : await fromPs()
  return all.filter(
    ({ command }) => command.includes(dataDir) && /(postgres|initdb)\b/.test(command),
  )
}

async function fromProc(): Promise<readonly RunningProcess[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name))
  const found = await Promise.all(
    pids.map(async (pid) => {
      // A process that ended meanwhile has no command.
      const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')
      return { pid: Number(pid), command: command.replaceAll('\0', ' ') }
    }),
  )
  return found
}

async function fromPs(): Promise<readonly RunningProcess[]> {
  const { stdout } = await promisify(execFile)('ps', ['-axo', 'pid=,args='])
  return stdout.split('\n').map((line) => {
    const [pid = '', ...words] = line.trim().split(' ')
    return { pid: Number(pid), command: words.join(' ') }
  })
}
