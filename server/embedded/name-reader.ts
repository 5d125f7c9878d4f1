import type { ServiceRow } from '../companion/companion-types.ts'
import {
  addNames,
  type DatabaseNames,
  FIRST_NORMAL_OID,
  type FunctionNames,
  type NameTables,
  namesQuery,
  type RelationNames,
} from './database-names.ts'

/** SQL of ours that needs no parameters. */
export type Query = (text: string) => Promise<readonly ServiceRow[]>

/** Names that note which relations they have been asked for. */
interface NotedNames extends DatabaseNames {
  readonly relations: ReadonlySet<number>
}

/** Names of a database's objects, which are looked up when somebody asks for them: a schema may have many, a statement names few. */
export class NameReader {
  readonly #system: NameTables
  readonly #known: NameTables
  readonly #query: Query

  /** `known` is added to. `query` must see the schema that the OIDs are of. */
  constructor(system: NameTables, known: NameTables, query: Query) {
    this.#system = system
    this.#known = known
    this.#query = query
  }

  /**
   * What `work` makes of the names, or throws. Where it asks for names that are not known, they are looked up and it is run again: it must do nothing
   * but read.
   */
  async read<T>(work: (names: NotedNames) => T): Promise<T> {
    for (;;) {
      const names = new AskedNames(this.#system, this.#known)
      try {
        const result = work(names)
        if (names.isComplete) return result
      } catch (error) {
        if (names.isComplete) throw error
      }
      const rows = await this.#query(namesQuery(names.unknown))
      names.markAbsent()
      addNames(this.#known, rows)
    }
  }
}

/** Notes what is asked for and not known. */
class AskedNames implements NotedNames {
  readonly relations = new Set<number>()
  readonly unknown = {
    functions: new Set<number>(),
    operators: new Set<number>(),
    types: new Set<number>(),
    relations: new Set<number>(),
  }
  readonly #system: NameTables
  readonly #known: NameTables

  constructor(system: NameTables, known: NameTables) {
    this.#system = system
    this.#known = known
  }

  get isComplete(): boolean {
    return Object.values(this.unknown).every((oids) => oids.size === 0)
  }

  functionAt(oid: number): FunctionNames | undefined {
    if (oid < FIRST_NORMAL_OID) return this.#system.functions.get(oid)
    if (!this.#known.functions.has(oid)) this.unknown.functions.add(oid)
    return this.#known.functions.get(oid)
  }

  operatorAt(oid: number): string | undefined {
    if (oid < FIRST_NORMAL_OID) return this.#system.operators.get(oid)
    if (!this.#known.operators.has(oid)) this.unknown.operators.add(oid)
    return this.#known.operators.get(oid)
  }

  typeAt(oid: number): string | undefined {
    if (oid < FIRST_NORMAL_OID) return this.#system.types.get(oid)
    if (!this.#known.types.has(oid)) this.unknown.types.add(oid)
    return this.#known.types.get(oid)
  }

  relationAt(oid: number): RelationNames | undefined {
    this.relations.add(oid)
    if (oid < FIRST_NORMAL_OID) return this.#system.relations.get(oid)
    if (!this.#known.relations.has(oid)) this.unknown.relations.add(oid)
    return this.#known.relations.get(oid)
  }

  /** What of the unknown has no row is not there. */
  markAbsent(): void {
    for (const oid of this.unknown.functions) this.#known.functions.set(oid, undefined)
    for (const oid of this.unknown.operators) this.#known.operators.set(oid, undefined)
    for (const oid of this.unknown.types) this.#known.types.set(oid, undefined)
    for (const oid of this.unknown.relations) this.#known.relations.set(oid, undefined)
  }
}
