import { PgError } from '../base/pg-error.ts'
import { SQL_STATE } from '../base/sql-state.ts'

/** A NOTIFY that has been committed. */
export interface Notification {
  readonly processId: number
  readonly channel: string
  readonly payload: string
}

/** Whoever is told of notifications; called at any time. */
export interface NotificationListener {
  notify(notification: Notification): void
}

/** Which clients of this proxy listen to which channels of one database. */
export class NotificationHub {
  readonly #channels = new Map<string, Set<NotificationListener>>()

  listen(channel: string, listener: NotificationListener): void {
    const listeners = this.#channels.get(channel) ?? new Set()
    this.#channels.set(channel, listeners.add(listener))
  }

  unlisten(channel: string, listener: NotificationListener): void {
    const listeners = this.#channels.get(channel)
    listeners?.delete(listener)
    if (listeners?.size === 0) this.#channels.delete(channel)
  }

  unlistenAll(listener: NotificationListener): void {
    for (const channel of [...this.#channels.keys()]) this.unlisten(channel, listener)
  }

  publish(notification: Notification): void {
    for (const listener of this.#channels.get(notification.channel) ?? []) {
      listener.notify(notification)
    }
  }
}

type Action =
  | { readonly kind: 'listen' | 'unlisten'; readonly channel: string }
  | { readonly kind: 'unlisten-all' }
  | { readonly kind: 'notify'; readonly channel: string; readonly payload: string }

/** NAMEDATALEN of PostgreSQL, with its terminator. */
const MAX_CHANNEL_BYTES = 63
/** NOTIFY_PAYLOAD_MAX_LENGTH (src/backend/commands/async.c). */
const MAX_PAYLOAD_BYTES = 8000 - 1

/**
 * LISTEN, UNLISTEN and NOTIFY of one session: they take effect when their transaction commits, and follow savepoints
 * (src/backend/commands/async.c).
 */
export class SessionNotifications {
  readonly #hub: NotificationHub
  readonly #listener: NotificationListener
  readonly #processId: number
  #pending: Action[] = []
  readonly #channels = new Set<string>()
  /** How many actions there were at each savepoint. */
  readonly #marks: number[] = []

  constructor(hub: NotificationHub, listener: NotificationListener, processId: number) {
    this.#hub = hub
    this.#listener = listener
    this.#processId = processId
  }

  /** What it listens to, in the order in which that began. */
  get channels(): ReadonlySet<string> {
    return this.#channels
  }

  listen(channel: string): void {
    this.#pending.push({ kind: 'listen', channel })
  }

  /** undefined: every channel. */
  unlisten(channel: string | undefined): void {
    this.#pending.push(
      channel === undefined ? { kind: 'unlisten-all' } : { kind: 'unlisten', channel },
    )
  }

  /** The same notification twice in a transaction is sent once. Throws 22023. */
  notify(channel: string, payload: string): void {
    checkNotification(channel, payload)
    const isThere = this.#pending.some(
      (action) =>
        action.kind === 'notify' && action.channel === channel && action.payload === payload,
    )
    if (!isThere) this.#pending.push({ kind: 'notify', channel, payload })
  }

  savepoint(): void {
    this.#marks.push(this.#pending.length)
  }

  release(level: number): void {
    this.#marks.length = level - 1
  }

  rollbackTo(level: number): void {
    this.#marks.length = level
    this.#pending.length = this.#marks[level - 1] ?? 0
  }

  endTransaction(outcome: 'committed' | 'rolled-back'): void {
    this.#marks.length = 0
    if (this.#pending.length === 0) return
    const actions = this.#pending
    this.#pending = []
    if (outcome === 'committed') this.#apply(actions)
  }

  /** Stops listening, as the session's end does. */
  close(): void {
    this.#hub.unlistenAll(this.#listener)
    this.#channels.clear()
  }

  /** What the transaction listens to counts for what it sends itself. */
  #apply(actions: readonly Action[]): void {
    for (const action of actions) this.#listenOrNot(action)
    for (const action of actions) {
      if (action.kind !== 'notify') continue
      const { channel, payload } = action
      this.#hub.publish({ processId: this.#processId, channel, payload })
    }
  }

  #listenOrNot(action: Action): void {
    switch (action.kind) {
      case 'listen':
        this.#hub.listen(action.channel, this.#listener)
        this.#channels.add(action.channel)
        return
      case 'unlisten':
        this.#hub.unlisten(action.channel, this.#listener)
        this.#channels.delete(action.channel)
        return
      case 'unlisten-all':
        this.close()
        return
      case 'notify':
        return
    }
  }
}

function checkNotification(channel: string, payload: string): void {
  if (channel === '') throw invalid('channel name cannot be empty')
  if (Buffer.byteLength(channel) > MAX_CHANNEL_BYTES) throw invalid('channel name too long')
  if (Buffer.byteLength(payload) > MAX_PAYLOAD_BYTES) throw invalid('payload string too long')
}

function invalid(message: string): PgError {
  return new PgError(SQL_STATE.invalidParameterValue, message)
}
