import type { BackendDatabase, CallOptions } from '../backend/backend.ts'
import { Bug } from '../base/pg-error.ts'
import type { CompanionDatabase, PinnedConnection } from '../companion/companion-types.ts'
import { inPostgresWords } from './backend-words.ts'
import { DdlChanges } from './ddl-changes.ts'
import { type DeclaredObject, type DeclaredSchema, isSameDeclaration } from './declared-object.ts'
import { isPredefinedRole, rolesOf, withRoleRenamed } from './declared-roles.ts'
import type { SpannerDdl } from './emit-spanner-ddl.ts'
import { introspect } from './introspect.ts'
import type { LogicalSchema } from './logical-schema.ts'
import { buildLogicalSchema } from './logical-schema-builder.ts'
import { isLockTimeout, type MirrorAdvance, readMirror } from './mirror.ts'
import { adoptRows } from './mirror-views.ts'
import { readPhysicalSchema } from './physical-reader.ts'
import type { PhysicalSchema, StoredObject } from './physical-schema.ts'
import { type DdlHost, PinnedDdl } from './pinned-ddl.ts'
import { reconcile } from './reconcile.ts'
import { bindRows, type SchemaState } from './schema-state.ts'
import type { DatabaseSchema, DdlTransaction, RoleRename, RowChanges } from './schema-types.ts'
import { Serial } from './serial.ts'
import type { Snapshot } from './snapshot.ts'
import {
  findTables,
  hasOwnSchema,
  readStored,
  readVersion,
  SCHEMA_DDL,
  STORAGE_DDL,
  type Stored,
  writeStored,
} from './storage.ts'

/** What {@link openDatabaseSchema} needs. */
export interface DatabaseSchemaOptions {
  readonly backend: BackendDatabase
  /** The mirror of the same database; it may hold anything or nothing. */
  readonly companion: CompanionDatabase
  /** Makes a role where it is missing (Companion.ensureRole): owners of objects that other proxies made. */
  readonly ensureRole: (user: string) => Promise<void>
  /** Owner of objects that no client declared. */
  readonly defaultOwner?: string
  /** At least as long Spanner's information_schema is not asked again for changes that somebody else made, 1 s if absent. */
  readonly foreignCheckMs?: number
}

const FOREIGN_CHECK_MS = 1_000
const DEFAULT_OWNER = 'pg_database_owner'

/**
 * Reads the logical schema of a database, from its stored rows or, where there are none, from Spanner's information_schema,
 * and brings the mirror up to it. Rejects with a PgError.
 */
export async function openDatabaseSchema(
  options: DatabaseSchemaOptions,
  call: CallOptions,
): Promise<DatabaseSchema> {
  const schema = new StoredDatabaseSchema(options)
  await schema.refresh(call)
  return schema
}

type SchemaContents = Pick<SchemaState, 'rows' | 'snapshot'>

const NOTHING_STORED: Stored = { version: 0n, rows: [] }

class StoredDatabaseSchema implements DatabaseSchema {
  readonly #options: DatabaseSchemaOptions
  /** One schema change at a time in this proxy, and no look at Spanner's tables meanwhile. */
  readonly #changes = new Serial()
  /** The mirror and the state that describes it change together. */
  readonly #mirror = new Serial()
  #state: SchemaState | undefined
  #stored = NOTHING_STORED
  #hasStorage = false
  #nextForeignCheckMs = 0
  #revision = 0n
  /** What the mirror holds, while that is certain. */
  #held: Snapshot | undefined
  /** The transactions for which Spanner holds what nobody else has declared. */
  readonly #expanding = new Set<PinnedConnection>()
  /** Their ids. */
  #brokenViews: ReadonlySet<string> = new Set()

  readonly #ddl: DdlHost

  constructor(options: DatabaseSchemaOptions) {
    this.#options = options
    this.#ddl = new DdlChanges({
      backend: options.backend,
      oneAtATime: (work) => this.#changes.run(work),
      read: (work) => this.#mirror.run(() => work(this.#mustState())),
      state: () => this.#mustState(),
      stored: () => this.#stored,
      nextRevision: () => ++this.#revision,
      storageDdl: (call) => this.#storageDdl(call),
      expanding: this.#expanding,
      changed: (rows) => this.#changed(rows),
      recover: (call) => this.#recover(call),
    })
  }

  get current(): LogicalSchema {
    return this.#mustState().logical
  }

  get declared(): readonly DeclaredObject[] {
    return this.#mustState().rows.map((row) => row.declared)
  }

  refresh(options: CallOptions): Promise<boolean> {
    return this.#changes.run(() => inPostgresWords(() => this.#refresh(options)))
  }

  begin(pinned: PinnedConnection, rows: RowChanges): Promise<DdlTransaction> {
    return Promise.resolve(new PinnedDdl(this.#ddl, pinned, rows))
  }

  renameRole(rename: RoleRename, options: CallOptions): Promise<void> {
    return this.#changes.run(() => inPostgresWords(() => this.#renameRole(rename, options)))
  }

  #mustState(): SchemaState {
    if (this.#state === undefined) throw new Bug('the schema was never read')
    return this.#state
  }

  async #refresh(options: CallOptions): Promise<boolean> {
    const { backend, companion } = this.#options
    let hasTables = true
    if (!this.#hasStorage)
      ({ hasStorage: this.#hasStorage, hasTables } = await findTables(backend, options))
    const isForeignCheckDue =
      this.#expanding.size === 0 && performance.now() >= this.#nextForeignCheckMs
    const version = this.#hasStorage ? await readVersion(backend, options) : 0n
    if (this.#state !== undefined && version === this.#stored.version && !isForeignCheckDue)
      return false
    const known = this.#stored
    if (version !== known.version) this.#stored = await readStored(backend, options)
    try {
      const actual = await readPhysicalSchema(backend, hasTables, options)
      // Nobody else changes the mirror before the rows are adopted.
      const held = this.#needsPublicSchema ? await readMirror(companion) : undefined
      const rows = this.#rowsOf(actual, held)
      this.#nextForeignCheckMs =
        performance.now() + (this.#options.foreignCheckMs ?? FOREIGN_CHECK_MS)
      return await this.#adopt(rows, { whenLocked: 'give-up', held })
    } catch (error) {
      // A change that is planned on the old state must not pass for one of the new version.
      this.#stored = known
      this.#nextForeignCheckMs = 0
      if (!isLockTimeout(error) || this.#state === undefined) throw error
      // A client's open DDL is in the way, and its COMMIT may be waiting for us: the next refresh looks again.
      return false
    }
  }

  /** What is stored, as far as Spanner has it, and what Spanner has beyond. */
  #rowsOf(actual: PhysicalSchema, mirror: Snapshot | undefined): readonly StoredObject[] {
    const foreign = introspect(actual, {
      owner: this.#options.defaultOwner ?? DEFAULT_OWNER,
      publicSchema: this.#publicSchema(mirror),
    })
    const known = new Map((this.#state?.rows ?? []).map((row) => [row.id, row]))
    // What the mirror made of an introspected definition is PostgreSQL's own print: it stays as long as Spanner's side does.
    const printed = foreign.map((row) => {
      const old = known.get(row.id)
      return old !== undefined && isSamePhysical(old, row) ? old : row
    })
    return reconcile(this.#stored.rows, actual, printed)
  }

  /** Whether only the mirror's catalogs can say what `public` is. */
  get #needsPublicSchema(): boolean {
    return this.#stored.version === 0n && this.#state === undefined
  }

  /** `public` as the companion's template has it, until a client says otherwise; nothing once a stored row speaks of it. */
  #publicSchema(mirror: Snapshot | undefined): DeclaredSchema | undefined {
    const snapshot = this.#state?.snapshot ?? mirror
    if (this.#stored.version > 0n || snapshot === undefined) return undefined
    const found = [...snapshot.schemas.values()].find(({ declared }) => declared.name === 'public')
    return (
      found?.declared ?? {
        kind: 'schema',
        name: 'public',
        owner: 'pg_database_owner',
        comment: 'standard public schema',
        grants: [
          {
            grantee: 'pg_database_owner',
            grantor: 'pg_database_owner',
            privileges: ['USAGE', 'CREATE'],
          },
          { grantor: 'pg_database_owner', privileges: ['USAGE'] },
        ],
      }
    )
  }

  /** Brings the mirror up to the rows, and makes them current. False where nothing differs. */
  #adopt(rows: readonly StoredObject[], how: MirrorAdvance): Promise<boolean> {
    return this.#mirror.run(async () => {
      this.#held = undefined
      const { companion, ensureRole } = this.#options
      for (const role of new Set(rows.flatMap((row) => rolesOf(row.declared)))) {
        if (!isPredefinedRole(role) && role !== (this.#options.defaultOwner ?? DEFAULT_OWNER))
          await ensureRole(role)
      }
      const {
        snapshot,
        rows: held,
        broken,
      } = await adoptRows(companion, rows, {
        ...how,
        broken: this.#brokenViews,
      })
      this.#brokenViews = broken
      this.#held = snapshot
      const printed = withPrints(held, bindRows(snapshot, held), snapshot)
      if (this.#state !== undefined && isSameState(this.#state, { rows: printed, snapshot }))
        return false
      const byOid = bindRows(snapshot, printed)
      const logical = buildLogicalSchema(++this.#revision, snapshot, byOid)
      this.#state = { logical, rows: printed, snapshot, byOid }
      return true
    })
  }

  /** The mirror's catalogs say the new name by themselves; rows and state do not. */
  async #renameRole(rename: RoleRename, options: CallOptions): Promise<void> {
    const { rows } = this.#mustState()
    const renamed = rows.map((row) => withRoleRenamed(row, rename))
    if (renamed.every((row, index) => row === rows[index])) return
    const { version, rows: before } = this.#stored
    const after = before.map((row) => withRoleRenamed(row, rename))
    await writeStored(this.#options.backend, { before, after, version }, options)
    this.#stored = { version: version + 1n, rows: after }
    await this.#adopt(renamed, { whenLocked: 'throw-out' })
  }

  /** What makes the tables of the stored schema, where they are missing. */
  async #storageDdl(options: CallOptions): Promise<readonly SpannerDdl[]> {
    if (this.#hasStorage) return []
    const { backend } = this.#options
    const { hasStorage } = await inPostgresWords(() => findTables(backend, options))
    this.#hasStorage = hasStorage
    if (hasStorage) return []
    const isThere = await inPostgresWords(() => hasOwnSchema(backend, options))
    return [...(isThere ? [] : [SCHEMA_DDL]), ...STORAGE_DDL].map((sql) => ({ sql }))
  }

  /** The rows were stored, and Spanner holds what they say. */
  async #changed(rows: readonly StoredObject[]): Promise<void> {
    this.#hasStorage = true
    await this.#adopt(rows, { whenLocked: 'throw-out', held: this.#held })
    this.#stored = { version: this.#stored.version + 1n, rows }
  }

  /** After a change that failed half-way: whatever Spanner has now is what there is. */
  async #recover(options: CallOptions): Promise<void> {
    this.#hasStorage = false
    this.#nextForeignCheckMs = 0
    try {
      await this.#refresh(options)
    } catch {
      // The error that led here is the one to tell; the next refresh looks again, for nextForeignCheckMs is 0.
      this.#nextForeignCheckMs = 0
    }
  }
}

/** OIDs change where something was made anew. */
function isSameState(a: SchemaContents, b: SchemaContents): boolean {
  const oids = ({ snapshot: { tables, views, functions } }: SchemaContents) =>
    [tables, views, functions].map((objects) => [...objects.keys()])
  return isSameDeclaration(oids(a), oids(b)) && isSameDeclaration(a.rows, b.rows)
}

function isSamePhysical(a: StoredObject, b: StoredObject): boolean {
  return 'physical' in a && 'physical' in b && isSameDeclaration(a.physical, b.physical)
}

/** The rows with the mirror's print of their declarations. */
function withPrints(
  rows: readonly StoredObject[],
  byOid: ReadonlyMap<number, StoredObject>,
  snapshot: SchemaState['snapshot'],
): readonly StoredObject[] {
  const prints = new Map<string, StoredObject>()
  for (const [oid, row] of byOid) {
    const { schemas, extensions, enums, domains, functions, sequences, tables, views } = snapshot
    const object = [schemas, extensions, enums, domains, functions, sequences, tables, views]
      .map((objects) => objects.get(oid))
      .find((found) => found !== undefined)
    if (object !== undefined && object.declared !== row.declared)
      prints.set(row.id, { ...row, declared: object.declared } as StoredObject)
  }
  return rows.map((row) => prints.get(row.id) ?? row)
}
