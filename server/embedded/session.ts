import { randomBytes } from 'node:crypto'
import { status as GRPC } from '@grpc/grpc-js'
import { GrpcStatus, resourceNotFound } from './grpc-status.ts'
import type { ServerTransaction } from './transaction.ts'

/** A session: on a regular one, each transaction ends the one before; a multiplexed one has as many as it likes. */
export interface Session {
  readonly name: string
  /** The `labels` fields of the client's Session message, as they came. */
  readonly labels: Buffer
  readonly isMultiplexed: boolean
  readonly createdMicros: number
  usedMicros: number
  current: ServerTransaction | undefined
}

/** A regular session that nobody has used for an hour is deleted, as Spanner does. */
const IDLE_LIMIT_MICROS = 3_600_000_000
const SESSION_LIMIT = 100_000

/** The sessions of one database. They live in memory: a restart loses them, and their users get NOT_FOUND. */
export class Sessions {
  readonly #database: string
  readonly #sessions = new Map<string, Session>()

  constructor(database: string) {
    this.#database = database
  }

  create(options: { readonly labels: Buffer; readonly isMultiplexed: boolean }): Session {
    if (this.#sessions.size >= SESSION_LIMIT) {
      throw new GrpcStatus(GRPC.RESOURCE_EXHAUSTED, 'Too many sessions in this database.')
    }
    const now = Date.now() * 1000
    const name = `${this.#database}/sessions/${randomBytes(16).toString('hex')}`
    const session: Session = {
      ...options,
      name,
      createdMicros: now,
      usedMicros: now,
      current: undefined,
    }
    this.#sessions.set(name, session)
    return session
  }

  /** Throws NOT_FOUND in the words that clients look for. */
  get(name: string): Session {
    const session = this.#sessions.get(name)
    if (session === undefined) throw resourceNotFound('Session', name)
    session.usedMicros = Date.now() * 1000
    return session
  }

  has(name: string): boolean {
    return this.#sessions.has(name)
  }

  /** Regular sessions by name: multiplexed ones are not listed. */
  list(): readonly Session[] {
    return [...this.#sessions.values()]
      .filter((session) => !session.isMultiplexed)
      .sort((left, right) => (left.name < right.name ? -1 : 1))
  }

  /** Deletes a session and what it has under way: a call that waits in it gets ABORTED. Harmless where it is gone. */
  delete(name: string): void {
    const session = this.#sessions.get(name)
    this.#sessions.delete(name)
    session?.current?.terminate('aborted')
  }

  /** Deletes what has been idle too long. */
  expire(): void {
    const limit = Date.now() * 1000 - IDLE_LIMIT_MICROS
    for (const session of this.#sessions.values()) {
      if (session.isMultiplexed || session.usedMicros >= limit) continue
      this.#sessions.delete(session.name)
      session.current?.terminate('aborted')
    }
  }
}
