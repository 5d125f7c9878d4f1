import type { SessionState } from './session-state.ts'

/** A client that is connected, as others can reach it. */
export interface ConnectedClient {
  readonly state: SessionState
  /** Ends the statement under way. */
  cancel(): void
  /** Ends the connection with 57P01. */
  terminate(): void
}

/** All clients of all databases of this server, by process id. */
export class ClientBoard {
  readonly #clients = new Map<number, ConnectedClient>()

  add(client: ConnectedClient): void {
    this.#clients.set(client.state.io.processId, client)
  }

  remove(processId: number): void {
    this.#clients.delete(processId)
  }

  find(processId: number): ConnectedClient | undefined {
    return this.#clients.get(processId)
  }

  [Symbol.iterator](): Iterator<ConnectedClient> {
    return this.#clients.values()
  }
}
