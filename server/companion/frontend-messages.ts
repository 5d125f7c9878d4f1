import { ByteWriter } from '../base/byte-writer.ts'
import type { Format } from '../wire/field-description.ts'

/** CancelRequest's code in place of a protocol version (src/include/libpq/pqcomm.h, CANCEL_REQUEST_CODE). */
const CANCEL_REQUEST_CODE = 80_877_102
/** Protocol 3.0 (PG_PROTOCOL). */
const PROTOCOL_VERSION = 196_608

export interface BindMessage {
  readonly statement: string
  /** None: all text; one: for all; else one a parameter. */
  readonly paramFormats: readonly Format[]
  readonly params: readonly (Buffer | string | null)[]
  readonly resultFormats: readonly Format[]
}

/**
 * Writes what a client sends to a server, several messages into one buffer (manual, section 55.7). All portals are unnamed: each lives for one
 * Execute. Methods return the writer, so that a conversation reads as a chain; `take` hands out the bytes.
 */
export class FrontendWriter {
  readonly #out = new ByteWriter(1024)

  startup(parameters: Readonly<Record<string, string>>): this {
    const start = this.#out.length
    this.#out.int32(0)
    this.#out.int32(PROTOCOL_VERSION)
    for (const [name, value] of Object.entries(parameters)) {
      this.#out.cstring(name)
      this.#out.cstring(value)
    }
    this.#out.int8(0)
    this.#out.setInt32(start, this.#out.length - start)
    return this
  }

  cancelRequest(processId: number, secretKey: Buffer): this {
    this.#out.int32(12 + secretKey.length)
    this.#out.int32(CANCEL_REQUEST_CODE)
    this.#out.int32(processId)
    this.#out.bytes(secretKey)
    return this
  }

  /** Simple query: several statements in one text. */
  query(text: string): this {
    return this.#message('Q', () => this.#out.cstring(text))
  }

  /** Parse; the unnamed statement where `statement` is empty. */
  parse(text: string, paramTypes: readonly number[] = [], statement = ''): this {
    return this.#message('P', () => {
      this.#out.cstring(statement)
      this.#out.cstring(text)
      this.#out.uint16(paramTypes.length)
      for (const oid of paramTypes) this.#out.uint32(oid)
    })
  }

  /** Bind to the unnamed portal. */
  bind(message: BindMessage): this {
    return this.#message('B', () => {
      this.#out.cstring('')
      this.#out.cstring(message.statement)
      this.#formats(message.paramFormats)
      this.#out.uint16(message.params.length)
      for (const param of message.params) this.#value(param)
      this.#formats(message.resultFormats)
    })
  }

  /** Bind of text parameters, text results. */
  bindText(statement: string, params: readonly (string | null)[]): this {
    return this.bind({ statement, paramFormats: [], params, resultFormats: [] })
  }

  describeStatement(statement = ''): this {
    return this.#message('D', () => {
      this.#out.int8(0x53)
      this.#out.cstring(statement)
    })
  }

  describePortal(): this {
    return this.#message('D', () => {
      this.#out.int8(0x50)
      this.#out.cstring('')
    })
  }

  /** Execute of the unnamed portal, all rows. */
  execute(): this {
    return this.#message('E', () => {
      this.#out.cstring('')
      this.#out.int32(0)
    })
  }

  /** Parse, Bind and Execute of a statement without parameters; its rows come without description. */
  run(text: string): this {
    return this.parse(text).bindText('', []).execute()
  }

  sync(): this {
    return this.#message('S', () => undefined)
  }

  terminate(): this {
    return this.#message('X', () => undefined)
  }

  take(): Buffer {
    return this.#out.take()
  }

  #message(type: string, body: () => void): this {
    this.#out.int8(type.charCodeAt(0))
    const start = this.#out.length
    this.#out.int32(0)
    body()
    this.#out.setInt32(start, this.#out.length - start)
    return this
  }

  #formats(formats: readonly Format[]): void {
    this.#out.uint16(formats.length)
    for (const format of formats) this.#out.int16(format)
  }

  #value(value: Buffer | string | null): void {
    if (value === null) {
      this.#out.int32(-1)
    } else if (typeof value === 'string') {
      this.#out.int32(Buffer.byteLength(value))
      this.#out.text(value)
    } else {
      this.#out.int32(value.length)
      this.#out.bytes(value)
    }
  }
}
