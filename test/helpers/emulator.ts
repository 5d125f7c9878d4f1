import { type ChildProcess, spawn } from 'node:child_process'
import { accessSync, constants } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

/** A running official Spanner emulator. All of its data are in memory. */
export interface Emulator {
  /** `127.0.0.1:port` */
  readonly address: string
  stop(): Promise<void>
}

const IN_SDK = 'bin/cloud_spanner_emulator/emulator_main'
const START_TIMEOUT_MS = 60_000

/** The emulator's binary: SPANNER_EMULATOR_BIN, else where the Google Cloud SDK usually is. */
export function findEmulatorBinary(): string | undefined {
  const named = process.env['SPANNER_EMULATOR_BIN']
  const folders = [
    process.env['CLOUDSDK_ROOT_DIR'],
    '/usr/lib/google-cloud-sdk',
    '/usr/share/google-cloud-sdk',
    '/opt/google-cloud-sdk',
    '/google-cloud-sdk',
    join(homedir(), 'google-cloud-sdk'),
  ]
  const candidates = folders.flatMap((folder) =>
    folder === undefined ? [] : [join(folder, IN_SDK)],
  )
  return [...(named === undefined ? [] : [named]), ...candidates].find(isExecutable)
}

/**
 * Starts an emulator on a free port of the loopback; the caller stops it. Undefined, with a loud line on stderr, where there
 * is no binary: a test then skips, and says so. Of two writers the emulator usually aborts the second, but one time in five
 * the first: `--abort_current_transaction_probability=0` leaves that out.
 */
export async function startEmulator(flags: readonly string[] = []): Promise<Emulator | undefined> {
  const binary = findEmulatorBinary()
  if (binary === undefined) {
    process.stderr.write('SKIPPED: no Spanner emulator (set SPANNER_EMULATOR_BIN)\n')
    return undefined
  }
  const { child, address } = await spawnEmulator(binary, flags)
  return { address, stop: makeStopper(child) }
}

/**
 * Starts the binary, on a port that it chooses itself: one that was found free before might be somebody else's by then, and the emulator
 * shares a port with a second one. Resolves when it listens.
 */
export async function spawnEmulator(
  binary: string,
  flags: readonly string[] = [],
): Promise<{ readonly child: ChildProcess; readonly address: string }> {
  const child = spawn(binary, ['--host_port', '127.0.0.1:0', ...flags], {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  try {
    return { child, address: await addressOf(child) }
  } catch (error) {
    child.kill('SIGKILL')
    throw error
  }
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

function makeStopper(child: ChildProcess): () => Promise<void> {
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  const killNow = (): void => {
    child.kill('SIGKILL')
  }
  process.once('exit', killNow)
  return async () => {
    process.off('exit', killNow)
    if (child.exitCode === null && child.signalCode === null) {
      child.kill('SIGKILL')
      await exited
    }
  }
}

/** What the emulator says when it listens; what it says afterwards is read and dropped. */
function addressOf(child: ChildProcess): Promise<string> {
  const { stderr } = child
  if (stderr === null) throw new Error('the emulator has no stderr')
  return new Promise((resolve, reject) => {
    const told: string[] = []
    const fail = (what: string) => {
      clearTimeout(timer)
      reject(new Error(`${what}: ${told.join('\n')}`))
    }
    const timer = setTimeout(() => fail('the emulator does not listen'), START_TIMEOUT_MS)
    child.once('error', reject)
    child.once('exit', (code) => fail(`the emulator exited with ${code}`))
    createInterface({ input: stderr }).on('line', (line) => {
      const [, address] = /Server address: (\S+)$/.exec(line) ?? []
      if (told.length < 20) told.push(line)
      if (address === undefined) return
      clearTimeout(timer)
      resolve(address)
    })
  })
}
