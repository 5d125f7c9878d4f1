import { Bug } from '../base/pg-error.ts'
import type { CommonTableExpr, Expr, Query, RangeTableEntry } from '../sql/query-tree.ts'
import { isSameExpr } from './expression-tree.ts'

/** An expression that is not computed where it stands: the SQL names the column that holds it already. */
export interface Replacement {
  readonly expr: Expr
  readonly sql: string
}

/** A common table expression with the level that it was declared on. */
export interface FoundCte {
  readonly cte: CommonTableExpr
  readonly scope: Scope
}

/**
 * One query level: its range table with the aliases that the SQL gives to it, and the level around it. Aliases are unique
 * over the whole statement, so that a name never means another level's table.
 */
export class Scope {
  readonly query: Query
  readonly parent: Scope | undefined
  /** Whether the SQL has this level's CTEs by name; else they are written out where they are used. */
  readonly namesCtes: boolean
  readonly #newAlias: () => string
  readonly #aliases: Map<number, string>
  readonly #replacements: readonly Replacement[]

  constructor(query: Query, parent: Scope | undefined, options: ScopeOptions) {
    this.query = query
    this.parent = parent
    this.namesCtes = options.namesCtes ?? false
    this.#newAlias = options.newAlias
    this.#aliases = options.aliases ?? new Map()
    this.#replacements = options.replacements ?? []
  }

  /** The same level, where some expressions have become columns of something else. */
  withReplacements(replacements: readonly Replacement[]): Scope {
    return new Scope(this.query, this.parent, {
      newAlias: this.#newAlias,
      namesCtes: this.namesCtes,
      aliases: this.#aliases,
      replacements: [...this.#replacements, ...replacements],
    })
  }

  /** The SQL that stands for a whole expression of this level, where there is some. */
  replacementOf(expr: Expr): string | undefined {
    return this.#replacements.find((replacement) => isSameExpr(replacement.expr, expr))?.sql
  }

  /** The level so many levels further out. */
  up(levels: number): Scope {
    let scope: Scope = this
    for (let level = 0; level < levels; level += 1) {
      if (scope.parent === undefined) throw new Bug(`a query has no level ${levels} above it`)
      scope = scope.parent
    }
    return scope
  }

  /** An entry of the range table, from 1. */
  entry(rtindex: number): RangeTableEntry {
    const entry = this.query.rangeTable[rtindex - 1]
    if (entry === undefined) throw new Bug(`no entry ${rtindex} in a range table`)
    return entry
  }

  /** The alias of an entry: `t1`, `t2` ... in the order in which they are first asked for. */
  alias(rtindex: number): string {
    const known = this.#aliases.get(rtindex)
    if (known !== undefined) return known
    const alias = this.#newAlias()
    this.#aliases.set(rtindex, alias)
    return alias
  }

  /** Gives an entry a name that the SQL dictates, such as `excluded`. */
  setAlias(rtindex: number, alias: string): void {
    this.#aliases.set(rtindex, alias)
  }

  /** The name of a CTE of this level in WITH: `w1`, `w2` ... */
  cteAlias(name: string): string {
    return `w${this.query.ctes.findIndex((cte) => cte.name === name) + 1}`
  }

  /** The common table expression that a range table entry of this level names. */
  cte(name: string, levelsUp: number): FoundCte {
    const scope = this.up(levelsUp)
    const cte = scope.query.ctes.find((candidate) => candidate.name === name)
    if (cte === undefined) throw new Bug(`no CTE ${name} where a query says it is`)
    return { cte, scope }
  }
}

interface ScopeOptions {
  readonly newAlias: () => string
  readonly namesCtes?: boolean
  readonly aliases?: Map<number, string>
  readonly replacements?: readonly Replacement[]
}
