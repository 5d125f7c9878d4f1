import type { ReadRequest } from './companion-types.ts'

/** Statements with stand-ins after which their catalogs are cleared of rows that were rolled back: half a megabyte of them. */
const STATEMENTS_BETWEEN = 200

/** What CREATE FUNCTION in pg_temp writes to. */
const CATALOGS = ['pg_proc', 'pg_depend', 'pg_shdepend', 'pg_namespace']

/** Keeps the catalogs of one database from growing by stand-ins, which are rolled back: nothing else vacuums them. */
export class StandInLitter {
  readonly #run: (statement: string) => Promise<unknown>
  #statements = 0

  /** `run` runs a service statement outside of any transaction. */
  constructor(run: (statement: string) => Promise<unknown>) {
    this.#run = run
  }

  /** A statement was run. Nobody waits for the tidying; where it fails, the next one comes by. */
  note({ standIns }: ReadRequest): void {
    if (standIns === undefined || ++this.#statements < STATEMENTS_BETWEEN) return
    this.#statements = 0
    const names = CATALOGS.map((name) => `pg_catalog.${name}`).join(', ')
    void this.#run(`VACUUM (SKIP_LOCKED) ${names}`).catch(() => undefined)
  }
}
