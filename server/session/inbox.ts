import { writeNotification } from '../wire/backend-messages.ts'
import type { ClientIo } from '../wire/client-io.ts'
import type { Notification, NotificationListener } from './notifications.ts'
import type { SessionState } from './session-state.ts'

/**
 * Notifications on their way to one client. It gets them between transactions only: at once while it is idle, else before the
 * ReadyForQuery that ends its transaction (src/backend/tcop/postgres.c, PostgresMain).
 */
export class Inbox implements NotificationListener {
  readonly #io: ClientIo
  #waiting: Notification[] = []
  #isOpen = false

  constructor(io: ClientIo) {
    this.#io = io
  }

  notify(notification: Notification): void {
    this.#waiting.push(notification)
    if (!this.#isOpen) return
    this.#write()
    // A client that is gone, or slow, is the business of its own connection.
    this.#io.flush().catch(() => undefined)
  }

  /** The client has been answered: what comes from now on may be sent at once, outside a transaction. */
  open(state: SessionState): void {
    this.#isOpen = state.block.status === 'I'
    if (this.#isOpen && this.#waiting.length > 0) {
      this.#write()
      this.#io.flush().catch(() => undefined)
    }
  }

  /** A message of the client is being handled. */
  close(): void {
    this.#isOpen = false
  }

  /** Writes what waits, where the transaction is over. */
  deliver(state: SessionState): void {
    if (state.block.status === 'I') this.#write()
  }

  #write(): void {
    for (const notification of this.#waiting) writeNotification(this.#io.output, notification)
    this.#waiting = []
  }
}
