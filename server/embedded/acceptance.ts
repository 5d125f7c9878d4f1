import type { ServerConnection } from '../companion/server-connection.ts'
import { addNames, type NameTables, noNames, systemNamesQuery } from './database-names.ts'
import { NameReader, type Query } from './name-reader.ts'
import type { Profile } from './profile.ts'

/** OIDs of the relations that a schema change made, altered or dropped. */
export type ChangedRelations = ReadonlySet<number> | 'all'

/** The names of what PostgreSQL itself has, which is a lot and never changes: read once for all databases of a cluster. */
export class SystemNames {
  #names: Promise<NameTables> | undefined

  load(connection: ServerConnection): Promise<NameTables> {
    this.#names ??= readSystemNames(connection)
    this.#names.catch(() => {
      this.#names = undefined
    })
    return this.#names
  }
}

async function readSystemNames(connection: ServerConnection): Promise<NameTables> {
  const names = noNames()
  addNames(names, await connection.query(systemNamesQuery()))
  return names
}

/** What statements of a database are checked by: its profile, and the names of its objects. */
export class Acceptance {
  readonly profile: Profile
  readonly #system: SystemNames
  readonly #query: Query
  #known = noNames()

  /** `query` runs outside of any transaction that is open. */
  constructor(profile: Profile, system: SystemNames, query: Query) {
    this.profile = profile
    this.#system = system
    this.#query = query
  }

  /** The names for statements that are analysed on this connection. */
  async names(connection: ServerConnection): Promise<NameReader> {
    const known = this.#known
    const system = await this.#system.load(connection)
    // Statements are analysed by the schema as it is; a query in a transaction may see an older one.
    const query: Query = (text) =>
      connection.transactionStatus === 'I' ? connection.query(text) : this.#query(text)
    return new NameReader(system, known, query)
  }

  /** The names as the transaction sees them that is open on this connection: nobody else may. */
  async namesWithin(connection: ServerConnection): Promise<NameReader> {
    const system = await this.#system.load(connection)
    return new NameReader(system, noNames(), (text) => connection.query(text))
  }

  /** These relations have changed. */
  forget(changed: ChangedRelations): void {
    const { functions, operators, relations } = this.#known
    const isKept = (oid: number) => changed !== 'all' && !changed.has(oid)
    // Not the same tables: a lookup that is under way may have seen what was before.
    this.#known = {
      ...noNames(),
      functions: new Map(functions),
      operators: new Map(operators),
      relations: new Map([...relations].filter(([oid]) => isKept(oid))),
    }
  }
}
