/**
 * The run-time settings of one session with PostgreSQL's transaction semantics (manual, SET): SET takes effect at once and is
 * undone when its transaction rolls back, SET LOCAL is undone when the transaction ends either way. Values are canonical: the
 * companion has checked and normalised them before they arrive here. Names are compared without regard to case.
 */
export class Settings {
  /** What RESET goes back to: the startup packet's values over the server's. */
  readonly #defaults: Map<string, string>
  readonly #committed: Map<string, string>
  /** What the current transaction set for the session; undefined stands for RESET. */
  readonly #pending = new Map<string, string | undefined>()
  readonly #local = new Map<string, string | undefined>()
  /** Settings of nobody's that this session has named in SET or RESET: they are there from then on, and empty where nothing sets them. */
  readonly #placeholders = new Set<string>()
  /** What the transaction had set at each savepoint. */
  readonly #savepoints: { readonly pending: Layer; readonly local: Layer }[] = []
  #snapshot: ReadonlyMap<string, string> | undefined

  constructor(defaults: ReadonlyMap<string, string>) {
    this.#defaults = new Map([...defaults].map(([name, value]) => [canonicalName(name), value]))
    this.#committed = new Map()
  }

  get(name: string): string | undefined {
    return this.effective().get(canonicalName(name))
  }

  /** SET, or set_config(.., false); undefined is RESET. */
  set(name: string, value: string | undefined): void {
    const key = canonicalName(name)
    this.#pending.set(key, value)
    this.#local.delete(key)
    this.#snapshot = undefined
  }

  /** SET LOCAL, or set_config(.., true). */
  setLocal(name: string, value: string | undefined): void {
    this.#local.set(canonicalName(name), value)
    this.#snapshot = undefined
  }

  /** What a first SET of a name makes that no extension has (src/backend/utils/misc/guc.c, add_placeholder_variable); no ROLLBACK takes it back. */
  addPlaceholder(name: string): void {
    this.#placeholders.add(canonicalName(name))
    this.#snapshot = undefined
  }

  isPlaceholder(name: string): boolean {
    return this.#placeholders.has(canonicalName(name))
  }

  /** RESET ALL. */
  resetAll(): void {
    for (const name of this.effective().keys()) this.set(name, undefined)
  }

  /** All settings that differ from the companion's own, as they stand now. The same object until something changes. */
  effective(): ReadonlyMap<string, string> {
    if (this.#snapshot !== undefined) return this.#snapshot
    const empty = [...this.#placeholders].map((name) => [name, ''] as const)
    const merged = new Map([...empty, ...this.#defaults, ...this.#committed])
    for (const layer of [this.#pending, this.#local]) {
      for (const [name, value] of layer) this.#apply(merged, name, value)
    }
    this.#snapshot = merged
    return merged
  }

  /** A savepoint was set. */
  savepoint(): void {
    this.#savepoints.push({ pending: new Map(this.#pending), local: new Map(this.#local) })
  }

  /** The savepoint of that level (from 1) and those after it are gone; what was set since stays. */
  release(level: number): void {
    this.#savepoints.length = level - 1
  }

  /** What was set since the savepoint of that level is undone; the savepoint stays. */
  rollbackTo(level: number): void {
    this.#savepoints.length = level
    const then = this.#savepoints[level - 1]
    restore(this.#pending, then?.pending)
    restore(this.#local, then?.local)
    this.#snapshot = undefined
  }

  /**
   * Where a setting's value comes from, in the words of pg_settings.source: SET, the startup packet, or neither; and what the startup packet said.
   */
  originOf(name: string): {
    readonly source: 'session' | 'client' | 'default'
    readonly startValue: string | undefined
  } {
    const key = canonicalName(name)
    const layers = [this.#local, this.#pending, this.#committed]
    const isSet = layers.find((values) => values.has(key))?.get(key) !== undefined
    const startValue = this.#defaults.get(key)
    const unset = startValue === undefined ? 'default' : 'client'
    return { source: isSet ? 'session' : unset, startValue }
  }

  /** The transaction ended: SET LOCAL goes, SET stays where it committed. */
  endTransaction(outcome: 'committed' | 'rolled-back'): void {
    this.#savepoints.length = 0
    if (this.#pending.size === 0 && this.#local.size === 0) return
    if (outcome === 'committed') {
      for (const [name, value] of this.#pending) {
        if (value === undefined) this.#committed.delete(name)
        else this.#committed.set(name, value)
      }
    }
    this.#pending.clear()
    this.#local.clear()
    this.#snapshot = undefined
  }

  #apply(merged: Map<string, string>, name: string, value: string | undefined): void {
    const applied =
      value ?? this.#defaults.get(name) ?? (this.#placeholders.has(name) ? '' : undefined)
    if (applied === undefined) merged.delete(name)
    else merged.set(name, applied)
  }
}

type Layer = ReadonlyMap<string, string | undefined>

function restore(layer: Map<string, string | undefined>, then: Layer | undefined): void {
  layer.clear()
  for (const [name, value] of then ?? []) layer.set(name, value)
}

/** Settings are found without regard to case; some keep capitals in their own spelling (src/backend/utils/misc/guc.c). */
export function canonicalName(name: string): string {
  const lower = name.toLowerCase()
  return MIXED_CASE.get(lower) ?? lower
}

const MIXED_CASE: ReadonlyMap<string, string> = new Map(
  ['DateStyle', 'IntervalStyle', 'TimeZone'].map((name) => [name.toLowerCase(), name]),
)
