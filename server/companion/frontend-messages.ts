import { ByteWriter } from '../base/byte-writer.ts'
import { writeCopyData, writeCopyDone } from '../wire/backend-messages.ts'
import type { Format } from '../wire/field-description.ts'
import {
  writeBind,
  writeCancelRequest,
  writeCopyFail,
  writeDescribe,
  writeExecute,
  writeParse,
  writeQuery,
  writeStartup,
  writeSync,
  writeTerminate,
} from '../wire/frontend-encoder.ts'

/** Parameters and formats of one execution. */
export interface BoundValues {
  /** None: all text; one: for all; else one a parameter. */
  readonly paramFormats: readonly Format[]
  readonly params: readonly (Buffer | null)[]
  readonly resultFormats: readonly Format[]
}

/**
 * Several messages of a client in one buffer, as a chain: what is sent in one write is one conversation. All portals are unnamed: each lives for one
 * Execute. `syncs` counts the ReadyForQuery that the answer will hold.
 */
export class FrontendWriter {
  readonly #out = new ByteWriter(1024)
  #syncs = 0

  /** ReadyForQuery messages that will answer what has been written since the last `take`. */
  get syncs(): number {
    return this.#syncs
  }

  startup(parameters: Readonly<Record<string, string>>): this {
    writeStartup(this.#out, Object.entries(parameters))
    return this
  }

  cancelRequest(processId: number, secretKey: Buffer): this {
    writeCancelRequest(this.#out, processId, secretKey)
    return this
  }

  /** Simple query: several statements in one text. */
  query(text: string): this {
    writeQuery(this.#out, text)
    this.#syncs++
    return this
  }

  /** Parse; into the unnamed statement where `statement` is empty. */
  parse(text: string, paramTypes: readonly number[] = [], statement = ''): this {
    writeParse(this.#out, statement, { text, paramTypes })
    return this
  }

  /** Bind of `statement` to the unnamed portal. */
  bind(statement: string, values: BoundValues): this {
    writeBind(this.#out, { portal: '', statement, ...values })
    return this
  }

  /** Bind of text parameters, for text results. */
  bindText(statement: string, params: readonly (string | null)[]): this {
    return this.bind(statement, {
      paramFormats: [],
      params: params.map((param) => (param === null ? null : Buffer.from(param))),
      resultFormats: [],
    })
  }

  describeStatement(): this {
    writeDescribe(this.#out, 'statement', '')
    return this
  }

  describePortal(): this {
    writeDescribe(this.#out, 'portal', '')
    return this
  }

  /** Execute of the unnamed portal, all rows. */
  execute(): this {
    writeExecute(this.#out, '', 0)
    return this
  }

  /** Parse, Bind and Execute of a statement without parameters; its rows come without description. */
  run(text: string): this {
    return this.parse(text).bindText('', []).execute()
  }

  /** Bind and Execute of a named statement with text parameters. */
  call(statement: string, params: readonly (string | null)[] = []): this {
    return this.bindText(statement, params).execute()
  }

  /** Parse, Bind and Execute of a COPY FROM STDIN with all of its data: where the server refuses it, it passes over the data. */
  copy(text: string, data: readonly Buffer[]): this {
    this.run(text)
    for (const piece of data) writeCopyData(this.#out, piece)
    writeCopyDone(this.#out)
    return this
  }

  /** CopyFail: passed over where no COPY is under way. */
  copyFail(reason: string): this {
    writeCopyFail(this.#out, reason)
    return this
  }

  sync(): this {
    writeSync(this.#out)
    this.#syncs++
    return this
  }

  terminate(): this {
    writeTerminate(this.#out)
    return this
  }

  take(): Buffer {
    this.#syncs = 0
    return this.#out.take()
  }
}
