import { type ChildProcess, spawn } from 'node:child_process'
import { accessSync, constants } from 'node:fs'
import { connect } from 'node:net'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { freePort } from './free-port.ts'

/** A running official Spanner emulator. All of its data are in memory. */
export interface Emulator {
  /** `127.0.0.1:port` */
  readonly address: string
  stop(): Promise<void>
}

const IN_SDK = 'bin/cloud_spanner_emulator/emulator_main'
const START_TIMEOUT_MS = 20_000

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
  const port = await freePort()
  const child = spawn(binary, ['--host_port', `127.0.0.1:${port}`, ...flags], { stdio: 'ignore' })
  const stopper = makeStopper(child)
  try {
    await waitForPort(port, child)
  } catch (error) {
    await stopper()
    throw error
  }
  return { address: `127.0.0.1:${port}`, stop: stopper }
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

async function waitForPort(port: number, child: ChildProcess): Promise<void> {
  const deadlineMs = performance.now() + START_TIMEOUT_MS
  while (performance.now() < deadlineMs) {
    if (child.exitCode !== null) throw new Error(`the emulator exited with ${child.exitCode}`)
    if (await accepts(port)) return
    await sleep(50)
  }
  throw new Error(`the emulator did not listen within ${START_TIMEOUT_MS} ms`)
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
}
