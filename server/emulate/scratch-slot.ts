import { Bug } from '../base/pg-error.ts'
import type {
  AnalyseRequest,
  CompanionDatabase,
  CopyFormats,
  LoadedAnswer,
  LoadedReadRequest,
} from '../companion/companion-types.ts'
import type { DeclaredObject } from '../schema/declared-object.ts'
import { MIRROR_SETTINGS, planMirror } from '../schema/mirror.ts'
import { emitPostgresName } from '../schema/postgres-text.ts'
import { planResultTables, type ResultShape } from './result-tables.ts'
import type { ScratchCluster } from './scratch-cluster.ts'
import { scratchObjects } from './scratch-schema.ts'

/** Rows that were rolled back stay in their tables' files, and every scan passes over them, until VACUUM: bytes of them that may. */
const MAX_DEAD_BYTES = 1024 * 1024
/** What a row costs beyond its values. */
const ROW_OVERHEAD_BYTES = 32

/** Past so many tables for results, those that are not needed now are dropped. */
const MAX_RESULT_TABLES = 100

const SERVED_NAME_SETTING = 'spanwire.database'

/** The statements' database is the one that they are emulated for. */
const SERVED_NAME_SQL = [
  'SET LOCAL allow_system_table_mods = on',
  `CREATE OR REPLACE FUNCTION pg_catalog.current_database() RETURNS name LANGUAGE sql STABLE PARALLEL SAFE
    RETURN pg_catalog.current_setting('${SERVED_NAME_SETTING}')::name`,
]

/** The schema that statements were planned with. */
export interface ScratchSchema {
  readonly version: bigint
  readonly declared: readonly DeclaredObject[]
}

/**
 * One scratch database, for one statement at a time: two loads of the same key would wait for each other. Its tables are made
 * when they are first named.
 */
export class ScratchSlot {
  readonly #cluster: ScratchCluster
  readonly #servedName: string
  #database: CompanionDatabase | undefined
  #held: readonly DeclaredObject[] = []
  #results: readonly ResultShape[] = []
  readonly #keys = new Set<string>()
  #version: bigint | undefined
  #deadBytes = 0

  constructor(cluster: ScratchCluster, servedName: string) {
    this.#cluster = cluster
    this.#servedName = servedName
  }

  /** Brings the tables up to the schema, with those that `keys` name (relationKey). */
  async prepare(schema: ScratchSchema, keys: readonly string[]): Promise<void> {
    this.#database ??= await this.#create()
    const known = this.#keys.size
    for (const key of keys) this.#keys.add(key)
    if (this.#version === schema.version && this.#keys.size === known) return
    this.#version = undefined
    // Their columns may have the types that change.
    await this.#makeResults([])
    const wanted = scratchObjects(schema.declared, this.#keys)
    const statements = planMirror(this.#held, wanted)
    if (statements.length > 0)
      await this.#database.serviceTransaction([...MIRROR_SETTINGS, ...statements])
    this.#held = wanted
    this.#version = schema.version
  }

  /** Makes the tables for results of queries that are not there yet. */
  async prepareResults(shapes: readonly ResultShape[]): Promise<void> {
    const isKnown = ({ table }: ResultShape) =>
      this.#results.some((known) => known.table.name === table.name)
    const added = shapes.filter((shape) => !isKnown(shape))
    if (added.length === 0) return
    const isFull = this.#results.length > MAX_RESULT_TABLES
    await this.#makeResults(isFull ? shapes : [...this.#results, ...added])
  }

  async #makeResults(wanted: readonly ResultShape[]): Promise<void> {
    if (this.#database === undefined) throw new Bug('a scratch database was used unprepared')
    const statements = planResultTables(this.#results, wanted)
    if (statements.length > 0) await this.#database.serviceTransaction(statements)
    this.#results = wanted
  }

  async #create(): Promise<CompanionDatabase> {
    const database = await this.#cluster.createDatabase()
    await database.serviceTransaction(SERVED_NAME_SQL)
    return database
  }

  /** Lets PostgreSQL check a COPY FROM STDIN into one of the tables. */
  async probeCopy(request: AnalyseRequest): Promise<CopyFormats> {
    if (this.#database === undefined) throw new Bug('a scratch database was used unprepared')
    return this.#database.probeCopy(request)
  }

  /** Runs a statement over its rows. */
  async run(request: LoadedReadRequest): Promise<LoadedAnswer> {
    if (this.#database === undefined) throw new Bug('a scratch database was used unprepared')
    for (const { data, rowCount } of request.tables) {
      this.#deadBytes += rowCount * ROW_OVERHEAD_BYTES
      for (const piece of data) this.#deadBytes += piece.length
    }
    const { session } = request
    const settings = new Map([...session.settings, [SERVED_NAME_SETTING, this.#servedName]])
    // The cluster knows no memberships: who has set a role comes as that role.
    const role = settings.get('role') ?? 'none'
    settings.delete('role')
    const user = role === 'none' ? session.user : role
    return this.#database.readLoaded({ ...request, session: { ...session, user, settings } })
  }

  /** Clears away what earlier loads left behind, when it is worth it. */
  async tidy(): Promise<void> {
    if (this.#deadBytes < MAX_DEAD_BYTES) return
    const tables = this.#held.filter((object) => object.kind === 'table')
    const results = this.#results.map(({ table }) => table)
    const names = [...tables, ...results].map((table) => emitPostgresName(table))
    await this.#database?.service(`VACUUM ${names.join(', ')}`)
    this.#deadBytes = 0
  }

  async drop(): Promise<void> {
    if (this.#database !== undefined) await this.#cluster.dropDatabase(this.#database)
    this.discard()
  }

  /** Begins anew with the next statement; the database itself goes with the cluster. */
  discard(): void {
    this.#database = undefined
    this.#held = []
    this.#results = []
    this.#keys.clear()
    this.#version = undefined
    this.#deadBytes = 0
  }
}
