/** What one kind of emulation came to since the start of the process, in one database. */
export interface EmulationCount {
  readonly name: string
  /** Statements that were run. */
  readonly count: number
  /** Rows loaded for them. */
  readonly rows: number
  /** Different texts among them, up to {@link MAX_TEXTS}. */
  readonly statements: number
}

/** Texts that are told apart for each kind. */
export const MAX_TEXTS = 1000

/** Counts the emulations of one database, by name: SHOW EMULATIONS. */
export class EmulationCounters {
  readonly #byName = new Map<string, { count: number; rows: number; texts: Set<string> }>()

  add(name: string, run: { readonly text: string; readonly rows: number }): void {
    const counted = this.#byName.get(name) ?? { count: 0, rows: 0, texts: new Set<string>() }
    counted.count++
    counted.rows += run.rows
    if (counted.texts.size < MAX_TEXTS) counted.texts.add(run.text)
    this.#byName.set(name, counted)
  }

  /** Sorted by name. */
  list(): readonly EmulationCount[] {
    return [...this.#byName]
      .map(([name, { count, rows, texts }]) => ({ name, count, rows, statements: texts.size }))
      .sort((a, b) => (a.name < b.name ? -1 : 1))
  }
}
