import { createConnection, type Socket } from 'node:net'
import { parse, serialize } from 'pg-protocol/dist/index.js'

/** Where a server listens. */
export interface ServerAddress {
  readonly host: string
  readonly port: number
}

/** One message of the server, as pg-protocol reads it: an oracle that shares no code with ours. */
export interface ServerMessage {
  readonly name: string
  readonly [field: string]: unknown
}

const ENDS_OF_EXECUTE = ['portalSuspended', 'commandComplete', 'emptyQuery', 'error']

/**
 * A scripted client: it sends just the messages that it is told to, and collects the answers up to ReadyForQuery. Unlike a
 * driver it hides nothing.
 */
export class WireClient {
  readonly #socket: Socket
  readonly #received: ServerMessage[] = []
  #wake: (() => void) | undefined
  #closed = false

  /** What COPY FROM STDIN is answered with, in pieces; without any it fails: no rows. */
  copyData: readonly Buffer[] = []
  #isPipelined = false

  private constructor(socket: Socket) {
    this.#socket = socket
    parse(socket, (message) => {
      this.#received.push(message as unknown as ServerMessage)
      if (message.name === 'copyInResponse') this.#sendCopyData()
      this.#wake?.()
    }).then(
      () => this.#close(),
      () => this.#close(),
    )
    socket.on('close', () => this.#close())
    socket.on('error', () => this.#close())
  }

  #sendCopyData(): void {
    const data = this.copyData
    this.copyData = []
    for (const piece of data) this.#socket.write(serialize.copyData(piece))
    this.#socket.write(data.length === 0 ? serialize.copyFail('no rows') : serialize.copyDone())
    // COPY has passed over the Sync that was sent with Execute.
    if (this.#isPipelined) this.#socket.write(serialize.sync())
  }

  /** Connects and starts up; resolves after the first ReadyForQuery, or with what came before the server hung up. */
  static async connect(
    address: ServerAddress,
    parameters: Readonly<Record<string, string>>,
  ): Promise<{ client: WireClient; messages: readonly ServerMessage[] }> {
    const socket = address.host.startsWith('/')
      ? createConnection(`${address.host}/.s.PGSQL.${address.port}`)
      : createConnection(address.port, address.host)
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve)
      socket.once('error', reject)
    })
    const client = new WireClient(socket)
    socket.write(serialize.startup({ ...parameters }))
    return { client, messages: await client.untilReady() }
  }

  send(...messages: readonly Buffer[]): void {
    this.#socket.write(Buffer.concat(messages))
  }

  /** One Query message and its whole answer. */
  query(text: string): Promise<readonly ServerMessage[]> {
    this.send(serialize.query(text))
    return this.untilReady()
  }

  /** Parse, Bind, Describe, Execute, Sync with text parameters. */
  async extended(
    text: string,
    values: readonly (string | null)[],
  ): Promise<readonly ServerMessage[]> {
    this.#isPipelined = true
    this.send(
      serialize.parse({ text }),
      serialize.bind({ values: [...values] }),
      serialize.describe({ type: 'P' }),
      serialize.execute({ portal: '', rows: 0 }),
      serialize.sync(),
    )
    const answer = await this.untilReady()
    this.#isPipelined = false
    return answer
  }

  /** Parse, Bind and Execute of each statement, and one Sync. */
  async pipeline(
    statements: readonly { readonly text: string; readonly values: readonly string[] }[],
  ): Promise<readonly ServerMessage[]> {
    this.#isPipelined = true
    for (const { text, values } of statements) {
      this.send(
        serialize.parse({ text }),
        serialize.bind({ values: [...values] }),
        serialize.execute({ portal: '', rows: 0 }),
      )
    }
    this.send(serialize.sync())
    const answer = await this.untilReady()
    this.#isPipelined = false
    return answer
  }

  /** As {@link extended}, but with an Execute for every `maxRows` rows until the portal is at its end. */
  async inPieces(
    text: string,
    values: readonly (string | null)[],
    maxRows: number,
  ): Promise<readonly ServerMessage[]> {
    this.send(
      serialize.parse({ text }),
      serialize.bind({ values: [...values] }),
      serialize.describe({ type: 'P' }),
    )
    const answers: ServerMessage[] = []
    do {
      this.send(serialize.execute({ portal: '', rows: maxRows }), serialize.flush())
      answers.push(...(await this.until(ENDS_OF_EXECUTE)))
    } while (answers.at(-1)?.name === 'portalSuspended')
    this.send(serialize.sync())
    return [...answers, ...(await this.untilReady())]
  }

  /** Everything up to and with the next ReadyForQuery; what there is where the connection ends first. */
  untilReady(timeoutMs = 120_000): Promise<readonly ServerMessage[]> {
    return this.until(['readyForQuery'], timeoutMs)
  }

  /** Everything up to and with the next message of one of these names; what there is where the connection ends first. */
  async until(names: readonly string[], timeoutMs = 120_000): Promise<readonly ServerMessage[]> {
    const deadline = Date.now() + timeoutMs
    for (;;) {
      const last = this.#received.findIndex((message) => names.includes(message.name))
      if (last >= 0) return this.#received.splice(0, last + 1)
      if (this.#closed) return this.#received.splice(0)
      const left = deadline - Date.now()
      if (left <= 0) throw new Error(`no ${names.join(' or ')} within ${timeoutMs} ms`)
      await this.#nextMessage(left)
    }
  }

  /** Waits until an answer is complete, but no longer than `timeoutMs`; takes nothing away. */
  async settle(timeoutMs: number): Promise<void> {
    const deadline = Date.now() + timeoutMs
    while (!this.#closed && !this.#received.some(({ name }) => name === 'readyForQuery')) {
      const left = deadline - Date.now()
      if (left <= 0) return
      await this.#nextMessage(left)
    }
  }

  get isClosed(): boolean {
    return this.#closed
  }

  async end(): Promise<void> {
    if (this.#closed) return
    this.send(serialize.end())
    await new Promise<void>((resolve) => {
      this.#socket.once('close', () => resolve())
      this.#socket.end()
    })
  }

  /** Vanishes without a word. */
  destroy(): void {
    this.#socket.destroy()
  }

  async #nextMessage(timeoutMs: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, timeoutMs)
      this.#wake = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }

  #close(): void {
    this.#closed = true
    this.#wake?.()
  }
}
