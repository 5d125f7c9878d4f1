import type { ServerConnection } from '../companion/server-connection.ts'
import { type DatabaseNames, databaseNames, NAMES_QUERY } from './database-names.ts'
import type { Profile } from './profile.ts'
import { refuseAnalysed } from './tree-refusal.ts'

/** Refuses what Spanner refuses, by what a database's objects are. */
export class Acceptance {
  readonly profile: Profile
  #names: Promise<DatabaseNames> | undefined

  constructor(profile: Profile) {
    this.profile = profile
  }

  /** Reads what is not known yet, on a connection that is free. */
  async load(connection: ServerConnection): Promise<DatabaseNames> {
    this.#names ??= connection.query(NAMES_QUERY).then(databaseNames)
    this.#names.catch(() => {
      this.#names = undefined
    })
    return this.#names
  }

  /** Throws GrpcStatus. `tree` is what PostgreSQL prints under debug_print_parse. */
  check(tree: string, names: DatabaseNames): void {
    refuseAnalysed(tree, names, this.profile)
  }

  /** Relations may have changed. */
  forget(): void {
    this.#names = undefined
  }
}
