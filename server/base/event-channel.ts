import { type Channel, channel } from 'node:diagnostics_channel'

/** A diagnostics_channel whose payload has a type. Nothing happens, and nothing is allocated here, while nobody listens. */
export class EventChannel<T> {
  readonly #channel: Channel

  /** Channels of one name are one channel. */
  constructor(name: string) {
    this.#channel = channel(name)
  }

  get name(): string {
    return String(this.#channel.name)
  }

  /** For publishers whose payload is costly to make. */
  get hasSubscribers(): boolean {
    return this.#channel.hasSubscribers
  }

  publish(event: T): void {
    if (this.#channel.hasSubscribers) this.#channel.publish(event)
  }

  /** Calls `listener` for every event, synchronously, until the function that it returns is called. */
  subscribe(listener: (event: T) => void): () => void {
    // The compiler cannot see that only `publish` above feeds this channel.
    const onMessage = (message: unknown): void => listener(message as T)
    this.#channel.subscribe(onMessage)
    return () => {
      this.#channel.unsubscribe(onMessage)
    }
  }
}
