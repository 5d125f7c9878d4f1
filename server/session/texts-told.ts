/** Texts that a connection remembers; past it the oldest is forgotten and told again. */
const MAX_TEXTS = 256

/** The statements that the client of one connection has been told about. */
export class TextsTold {
  readonly #texts = new Set<string>()

  /** True for a text that is new. */
  tell(text: string): boolean {
    if (this.#texts.has(text)) return false
    this.#texts.add(text)
    if (this.#texts.size > MAX_TEXTS) {
      for (const oldest of this.#texts) {
        this.#texts.delete(oldest)
        break
      }
    }
    return true
  }
}
