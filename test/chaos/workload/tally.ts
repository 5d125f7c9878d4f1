import type { Outcome } from './chaos-client.ts'

/** Counts of what clients were told. */
export class Tally {
  readonly #counts = new Map<string, number>()

  /** Counts an outcome; errors are told apart by SQLSTATE and message. */
  add(outcome: Outcome): void {
    const key = outcome.kind === 'committed' ? outcome.kind : `${outcome.kind}: ${outcome.error}`
    this.#counts.set(key, (this.#counts.get(key) ?? 0) + 1)
  }

  /** Of all that begin with `prefix`. */
  count(prefix: string): number {
    let sum = 0
    for (const [key, count] of this.#counts) if (key.startsWith(prefix)) sum += count
    return sum
  }

  /**
   * Errors that no client of PostgreSQL would expect of such a transaction: all but lost connections, unknown outcomes, what the client
   * gave up by itself, and the SQLSTATEs named.
   */
  unexpected(allowedSqlStates: readonly string[] = []): readonly string[] {
    const allowed = ['committed', 'failed: connection: ', 'failed: given up: ', 'unknown: '].concat(
      allowedSqlStates.map((sqlState) => `failed: ${sqlState} `),
    )
    return [...this.#counts]
      .filter(([key]) => !allowed.some((prefix) => key.startsWith(prefix)))
      .map(([key, count]) => `${count} times ${key}`)
  }

  toJSON(): Readonly<Record<string, number>> {
    return Object.fromEntries([...this.#counts].sort(([, a], [, b]) => b - a))
  }
}
