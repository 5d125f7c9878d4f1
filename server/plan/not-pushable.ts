/**
 * Thrown by the emitter where Spanner cannot run a statement, or would answer it otherwise than PostgreSQL does. It never
 * reaches a client as it is: the planner routes the statement elsewhere or makes 0A000 of it.
 */
export class NotPushable extends Error {
  /** What stands in the way, as a clause: `window functions`. */
  readonly reason: string
  /** What the user can do instead, as a sentence. */
  readonly hint: string | undefined
  /** Byte offset into the statement's text, where it is known. */
  readonly location: number | undefined

  constructor(reason: string, options: NotPushableOptions = {}) {
    super(reason)
    this.name = 'NotPushable'
    this.reason = reason
    this.hint = options.hint
    this.location = options.location === -1 ? undefined : options.location
  }
}

export interface NotPushableOptions {
  readonly hint?: string | undefined
  readonly location?: number | undefined
}
