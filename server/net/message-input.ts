import type { FrontendDecoder } from '../wire/frontend-decoder.ts'
import type { FrontendMessage, UnreadableMessage } from '../wire/frontend-message.ts'

/** Messages of a client in order, with a look at the next one. */
export class MessageInput {
  readonly #decoder: FrontendDecoder
  #peeked: FrontendMessage | UnreadableMessage | undefined
  /** What was met in place of the next message. */
  #malformed: { readonly error: unknown } | undefined

  constructor(decoder: FrontendDecoder) {
    this.#decoder = decoder
  }

  /** The next message where it is whole and sound; `pull` will give it all the same. Never throws. */
  peek(): FrontendMessage | undefined {
    if (this.#peeked === undefined && this.#malformed === undefined) {
      try {
        this.#peeked = this.#decoder.pullMessage()
      } catch (error) {
        this.#malformed = { error }
      }
    }
    return this.#peeked?.kind === 'Unreadable' ? undefined : this.#peeked
  }

  /** The next message where it is whole. Malformed bytes are 08P01 FATAL. */
  pull(): FrontendMessage | UnreadableMessage | undefined {
    if (this.#malformed) throw this.#malformed.error
    const peeked = this.#peeked
    this.#peeked = undefined
    return peeked ?? this.#decoder.pullMessage()
  }
}
