/** The tables that the transaction has emptied, each with the savepoint in force when it was emptied last (rd_newRelfilenodeSubid of src/include/utils/rel.h). */
export class Truncations {
  readonly #levels = new Map<string, number>()

  /** `level`: how many savepoints are in force. */
  add(oid: string, level: number): void {
    this.#levels.set(oid, level)
  }

  /** undefined where the transaction has not emptied it. */
  levelOf(oid: string): number | undefined {
    return this.#levels.get(oid)
  }

  /** What a savepoint's part of the transaction did belongs to what surrounds it. */
  release(level: number): void {
    for (const [oid, at] of this.#levels) this.#levels.set(oid, Math.min(at, level - 1))
  }

  rollbackTo(level: number): void {
    for (const [oid, at] of this.#levels) {
      if (at >= level) this.#levels.delete(oid)
    }
  }

  endTransaction(): void {
    this.#levels.clear()
  }
}
