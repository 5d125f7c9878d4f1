import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { ByteWriter } from '../../server/base/byte-writer.ts'
import {
  BACKEND_TYPE,
  BackendDecoder,
  type BackendFrame,
} from '../../server/wire/backend-decoder.ts'
import { parseErrorResponse } from '../../server/wire/error-fields.ts'
import { writeStartup } from '../../server/wire/frontend-encoder.ts'

/** A client that sends what the test says, byte for byte, and reads what comes. */
export class WireClient {
  readonly socket: Socket
  readonly #decoder = new BackendDecoder()
  #received = Buffer.alloc(0)
  #onData: (() => void) | undefined
  #isClosed = false

  private constructor(socket: Socket) {
    this.socket = socket
    socket.on('data', (chunk) => {
      this.#received = Buffer.concat([this.#received, chunk])
      this.#onData?.()
    })
    socket.on('error', () => undefined)
    socket.on('close', () => {
      this.#isClosed = true
      this.#onData?.()
    })
  }

  /** `address` is `host:port` or the path of a Unix socket. */
  static async connect(address: string): Promise<WireClient> {
    const [, host, port] = /^\[?(.*?)\]?:(\d+)$/.exec(address) ?? []
    const socket = host === undefined ? connect(address) : connect(Number(port), host)
    const client = new WireClient(socket)
    await once(socket, 'connect')
    return client
  }

  /** Connects and sends a StartupMessage. */
  static async start(address: string, user = 'anna'): Promise<WireClient> {
    const client = await WireClient.connect(address)
    client.write((out) => writeStartup(out, [['user', user]]))
    return client
  }

  send(bytes: Buffer): void {
    this.socket.write(bytes)
  }

  write(write: (out: ByteWriter) => void): void {
    const out = new ByteWriter()
    write(out)
    this.send(out.take())
  }

  /** Bytes outside of messages. */
  async bytes(sizeBytes: number): Promise<Buffer> {
    while (this.#received.length < sizeBytes) await this.#more()
    const taken = this.#received.subarray(0, sizeBytes)
    this.#received = this.#received.subarray(sizeBytes)
    return taken
  }

  async frame(): Promise<BackendFrame> {
    for (;;) {
      this.#decoder.push(this.#received)
      this.#received = Buffer.alloc(0)
      const frame = this.#decoder.pull()
      if (frame) return frame
      await this.#more()
    }
  }

  /** Type letters of the messages up to and including the first of type `last`. */
  async lettersUpTo(last: string): Promise<string> {
    let letters = ''
    while (!letters.endsWith(last)) letters += String.fromCharCode((await this.frame()).type)
    return letters
  }

  /** The next message, which must be an ErrorResponse. */
  async error() {
    const { type, body } = await this.frame()
    if (type !== BACKEND_TYPE.errorResponse) throw new Error(`got ${String.fromCharCode(type)}`)
    return parseErrorResponse(body)
  }

  /** Resolves when the server has closed, with what it sent before that was not read. */
  async closed(): Promise<Buffer> {
    while (!this.#isClosed) await this.#more()
    return this.#received
  }

  async #more(): Promise<void> {
    if (this.#isClosed) throw new Error('the connection is closed')
    await new Promise<void>((resolve) => {
      this.#onData = resolve
    })
  }
}
