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
import { alterFunction, canReplaceFunction } from './emit-function.ts'
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
import { readOwnSnapshot } from './transaction-snapshot.ts'

/*
 * A mirror holds no rows, so that nothing in it needs to be altered: what changed is dropped, with what hangs on it, and made
 * again from its declaration. What the mirror holds is asked of its catalogs, so that one that was left half-way, or was made by an
 * older version, comes out right as well; only between one advance and the next, where nobody else writes to it, is it remembered.
 */

/** The declarations of a snapshot, sorted by kind and name. */
export function declaredObjects(snapshot: Snapshot): readonly DeclaredObject[] {
  const { schemas, extensions, enums, domains, functions, sequences, tables, views } = snapshot
  return [schemas, extensions, enums, domains, functions, sequences, tables, views].flatMap(
    (objects) =>
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

/** What happens to clients whose open DDL keeps the mirror from being read: whoever only looks leaves them alone. */
type WhenLocked = 'throw-out' | 'give-up'

/** How a mirror is brought up to something. */
export interface MirrorAdvance {
  readonly whenLocked: WhenLocked
  /** Its catalogs, where they are known: as the last advance left them. */
  readonly held?: Snapshot | undefined
}

/**
 * Makes the mirror hold exactly `wanted`, in one transaction, and returns its catalogs then. Roles that own objects must exist. Rejects
 * with 55P03 where it gives up.
 */
export async function advanceMirror(
  companion: CompanionDatabase,
  wanted: readonly DeclaredObject[],
  { whenLocked, held }: MirrorAdvance,
): Promise<Snapshot> {
  let snapshot = held
  for (let attempt = 1; ; attempt++) {
    try {
      snapshot ??= await readMirror(companion)
      return await changeMirror(companion, snapshot, wanted)
    } catch (error) {
      const isGivenUp = snapshot === undefined && whenLocked === 'give-up'
      // The mirror is not as it was left.
      const isDoubtful = snapshot !== undefined && snapshot === held && !isLockTimeout(error)
      if (!isDoubtful) await makeWay(companion, error, isGivenUp || attempt === ATTEMPTS)
      snapshot = undefined
    }
  }
}

async function makeWay(
  companion: CompanionDatabase,
  error: unknown,
  isLast: boolean,
): Promise<void> {
  if (!isLockTimeout(error) || isLast) throw error
  await companion.service(THROW_OUT)
}

/** Returns what it holds then. */
async function changeMirror(
  companion: CompanionDatabase,
  snapshot: Snapshot,
  wanted: readonly DeclaredObject[],
): Promise<Snapshot> {
  const statements = planMirror(declaredObjects(snapshot), wanted)
  if (statements.length === 0) return snapshot
  return await companion.changeAndRead([...MIRROR_SETTINGS, ...statements], (query) =>
    readOwnSnapshot(query, snapshot),
  )
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

/** Whether a lock was waited for in vain. */
export function isLockTimeout(error: unknown): boolean {
  return error instanceof PgError && error.code === SQL_STATE.lockNotAvailable
}

/** The statements that lead from what a mirror holds to what it should hold. */
export function planMirror(
  actual: readonly DeclaredObject[],
  wanted: readonly DeclaredObject[],
): readonly string[] {
  const wantedByKey = new Map(wanted.map((object) => [declaredKey(object), object]))
  const known = new Set(actual.map(declaredKey))
  const alterations = new Map<string, readonly string[]>()
  const changed: string[] = []
  for (const object of actual) {
    const key = declaredKey(object)
    const next = wantedByKey.get(key)
    if (isSameDeclaration(object, next)) continue
    const alteration = alterInPlace(object, next)
    if (alteration === undefined) changed.push(key)
    else alterations.set(key, alteration)
  }
  const dropped = closeOver(changed, findHangers(actual))
  const altered = [...alterations].flatMap(([key, statements]) =>
    dropped.has(key) ? [] : statements,
  )
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

/** What stays, with all that hangs on it; undefined where it is to be made anew. */
function alterInPlace(
  before: DeclaredObject,
  after: DeclaredObject | undefined,
): readonly string[] | undefined {
  if (before.kind === 'schema' && after?.kind === 'schema') return alterSchema(before, after)
  if (before.kind === 'extension' && after?.kind === 'extension')
    return before.schema === after.schema ? alterExtension(after) : undefined
  if (before.kind === 'function' && after?.kind === 'function')
    return canReplaceFunction(before, after) ? alterFunction(before, after) : undefined
  return undefined
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
