import type {
  CompanionDatabase,
  LoadedAnswer,
  LoadedReadRequest,
} from '../companion/companion-types.ts'
import type { QualifiedName } from '../schema/declared-object.ts'
import { emitPostgresName } from '../schema/postgres-text.ts'
import { WaitingLine } from './waiting-line.ts'

/** Where a statement runs: on a shared connection, or on one with uncommitted DDL or temporary tables. */
export type LoadedReader = Pick<CompanionDatabase, 'readLoaded'>

/** A statement over rows in the mirror's own tables. */
export interface MirrorRequest extends LoadedReadRequest {
  /** The tables that rows are put into, as they are called outside of the client's transaction. */
  readonly loaded: readonly QualifiedName[]
}

/**
 * Runs statements over rows that are loaded into the tables of a mirror, for what asks for the catalogs' OIDs, privileges and comments, or for temporary tables. One at a
 * time: two loads of the same key would wait for each other.
 */
export class MirrorRows {
  readonly #companion: CompanionDatabase
  readonly #line = new WaitingLine<'mirror'>(['mirror'], {
    name: 'the mirror of the database',
    hint: 'Statements over tables and system catalogs or temporary tables run one at a time.',
  })
  /** Tables with rows that were rolled back: their files are as large as if those were there. */
  readonly #littered = new Set<string>()

  constructor(companion: CompanionDatabase) {
    this.#companion = companion
  }

  /** Rejects with the statement's error, or with 53300 where its turn did not come in time. */
  async run(reader: LoadedReader, request: MirrorRequest): Promise<LoadedAnswer> {
    const place = await this.#line.acquire(request.signal)
    try {
      return await reader.readLoaded({ ...request, areDeclared: true })
    } finally {
      for (const table of request.loaded) this.#littered.add(emitPostgresName(table))
      // The client has its answer already: nobody waits for the tidying but the next statement.
      void this.#tidy().finally(() => this.#line.offer(place))
    }
  }

  /** A table that somebody has locked is passed over; the next tidying comes by again. */
  async #tidy(): Promise<void> {
    for (const name of [...this.#littered]) {
      if (await this.#isClean(name).catch(() => true)) this.#littered.delete(name)
    }
  }

  async #isClean(name: string): Promise<boolean> {
    await this.#companion.service(`VACUUM (SKIP_LOCKED) ${name}`)
    // Not pg_relation_size: it would wait for a client that is altering the table.
    const [row] = await this.#companion.service(
      'SELECT (pg_stat_file(pg_relation_filepath($1::regclass))).size',
      [name],
    )
    return row?.['size'] === '0'
  }
}
