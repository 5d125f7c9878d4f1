import { PgError } from '../base/pg-error.ts'
import { SQL_STATE } from '../base/sql-state.ts'
import type { CompanionDatabase } from '../companion/companion-types.ts'
import {
  type DeclaredObject,
  type DeclaredTable,
  declaredKey,
  isSameDeclaration,
  relationKey,
} from './declared-object.ts'
import { alterExtension } from './emit-extension.ts'
import {
  alterSchema,
  emitPostgresDdl,
  emitPostgresDrop,
  foreignKeysOf,
  type TableConstraint,
} from './emit-postgres-ddl.ts'
import { findHangers } from './hangers.ts'
import { quoteLiteral } from './postgres-text.ts'
import { readCommittedSnapshot, type Snapshot } from './snapshot.ts'
import { SNAPSHOT_SETTINGS } from './snapshot-query.ts'

/*
 * A mirror holds no rows, so that nothing in it needs to be altered: what changed is dropped, with what hangs on it, and made
 * again from its declaration. What the mirror holds is asked of its catalogs, not remembered: a mirror that was left half-way,
 * or was made by an older version, comes out right as well.
 */

/** The declarations of a snapshot, sorted by kind and name. */
export function declaredObjects(snapshot: Snapshot): readonly DeclaredObject[] {
  const { schemas, extensions, enums, domains, sequences, tables, views } = snapshot
  return [schemas, extensions, enums, domains, sequences, tables, views].flatMap((objects) =>
    [...objects.values()]
      .map(({ declared }): DeclaredObject => declared)
      .sort((a, b) => (declaredKey(a) < declaredKey(b) ? -1 : 1)),
  )
}

/** How long the mirror waits for clients that hold locks on what is to change, before they are thrown out. */
const LOCK_TIMEOUT_MS = 5_000
const ATTEMPTS = 3

/** Ends the companion transactions whose open DDL is in the way: their clients get 57P01. */
const THROW_OUT = `select pg_catalog.pg_terminate_backend(pid) from (
  select distinct pid from pg_catalog.pg_locks
  where granted and locktype = 'relation' and relation >= 16384 and pid <> pg_catalog.pg_backend_pid()
    and database = (select oid from pg_catalog.pg_database where datname = pg_catalog.current_database())
    and mode not in ('AccessShareLock', 'RowShareLock', 'RowExclusiveLock')) holders`

/**
 * Makes the mirror hold exactly `wanted`, in one transaction, and returns its catalogs then. Roles that own objects must exist.
 */
export async function advanceMirror(
  companion: CompanionDatabase,
  wanted: readonly DeclaredObject[],
): Promise<Snapshot> {
  for (let attempt = 1; ; attempt++) {
    const snapshot = await readMirror(companion)
    const statements = planMirror(declaredObjects(snapshot), wanted)
    if (statements.length === 0) return snapshot
    try {
      await companion.serviceTransaction([...MIRROR_SETTINGS, ...statements])
      return await readMirror(companion)
    } catch (error) {
      if (!isLockTimeout(error) || attempt === ATTEMPTS) throw error
      await companion.service(THROW_OUT)
    }
  }
}

/** The catalogs of a mirror. */
export function readMirror(companion: CompanionDatabase): Promise<Snapshot> {
  return readCommittedSnapshot((text, params) => companion.service(text, params))
}

/** What a transaction that changes a mirror begins with. */
export const MIRROR_SETTINGS: readonly string[] = [
  ...Object.entries(SNAPSHOT_SETTINGS).map(
    ([name, value]) => `SET LOCAL ${name} = ${quoteLiteral(value)}`,
  ),
  `SET LOCAL lock_timeout = ${LOCK_TIMEOUT_MS}`,
]

function isLockTimeout(error: unknown): boolean {
  return error instanceof PgError && error.code === SQL_STATE.lockNotAvailable
}

/** The statements that lead from what a mirror holds to what it should hold. */
export function planMirror(
  actual: readonly DeclaredObject[],
  wanted: readonly DeclaredObject[],
): readonly string[] {
  const wantedByKey = new Map(wanted.map((object) => [declaredKey(object), object]))
  const known = new Set(actual.map(declaredKey))
  const altered: string[] = []
  const changed: string[] = []
  for (const object of actual) {
    const next = wantedByKey.get(declaredKey(object))
    if (isSameDeclaration(object, next)) continue
    // A schema or extension under the same name stays, with all that is in it.
    if (object.kind === 'schema' && next?.kind === 'schema')
      altered.push(...alterSchema(object, next))
    else if (
      object.kind === 'extension' &&
      next?.kind === 'extension' &&
      object.schema === next.schema
    )
      altered.push(...alterExtension(next))
    else changed.push(declaredKey(object))
  }
  const dropped = closeOver(changed, findHangers(actual))
  const made = wanted.filter((object) => {
    const key = declaredKey(object)
    return dropped.has(key) || !known.has(key)
  })
  const gone = actual.filter((object) => dropped.has(declaredKey(object)) && !isIdentity(object))
  return [
    ...gone.map(emitPostgresDrop),
    ...altered,
    ...emitPostgresDdl(made, cutForeignKeys(wanted, new Set(made), dropped)),
  ]
}

function isIdentity(object: DeclaredObject): boolean {
  return object.kind === 'sequence' && object.ownedBy?.identity === true
}

function closeOver(
  keys: readonly string[],
  hangers: ReadonlyMap<string, readonly string[]>,
): ReadonlySet<string> {
  const closed = new Set<string>()
  const visit = (key: string): void => {
    if (closed.has(key)) return
    closed.add(key)
    for (const hanger of hangers.get(key) ?? []) visit(hanger)
  }
  for (const key of keys) visit(key)
  return closed
}

/** Foreign keys of tables that stay, to tables that were made again. */
function cutForeignKeys(
  wanted: readonly DeclaredObject[],
  made: ReadonlySet<DeclaredObject>,
  dropped: ReadonlySet<string>,
): TableConstraint[] {
  return wanted
    .filter((object): object is DeclaredTable => object.kind === 'table' && !made.has(object))
    .flatMap(foreignKeysOf)
    .filter(
      ({ constraint: { references } }) =>
        references !== undefined && dropped.has(relationKey(references)),
    )
}
