import { brokenViewEvents } from '../base/channels.ts'
import { PgError } from '../base/pg-error.ts'
import type { CompanionDatabase } from '../companion/companion-types.ts'
import { emitPostgresDdl } from './emit-postgres-ddl.ts'
import {
  advanceMirror,
  isLockTimeout,
  MIRROR_SETTINGS,
  type MirrorAdvance,
  readMirror,
} from './mirror.ts'
import type { StoredObject, StoredView } from './physical-schema.ts'
import { emitPostgresName } from './postgres-text.ts'
import type { Snapshot } from './snapshot.ts'

/*
 * A view may be one that no mirror can hold: Spanner's query calls a function that PostgreSQL has not, or somebody dropped the
 * table that it reads. Such a view is left out, and nothing else with it.
 */

/** What a mirror was brought up to. */
export interface Adopted {
  readonly snapshot: Snapshot
  readonly rows: readonly StoredObject[]
  /** The ids of the views that the mirror cannot hold, which are not among the rows. */
  readonly broken: ReadonlySet<string>
}

/**
 * As {@link advanceMirror}, for stored rows. Views that are still in Spanner's words, and those of `broken`, are made last and each by
 * itself; so are all where one of the others turns out to be broken.
 */
export async function adoptRows(
  companion: CompanionDatabase,
  rows: readonly StoredObject[],
  { broken, whenLocked, held }: MirrorAdvance & { readonly broken: ReadonlySet<string> },
): Promise<Adopted> {
  const views = rows.filter((row) => row.kind === 'view')
  let later = views.filter((view) => isInSpannersWords(view) || broken.has(view.id))
  const advance = (how: MirrorAdvance): Promise<Snapshot> => {
    const ids = new Set(later.map(({ id }) => id))
    return advanceMirror(
      companion,
      rows.filter(({ id }) => !ids.has(id)).map(({ declared }) => declared),
      how,
    )
  }
  let snapshot: Snapshot
  try {
    snapshot = await advance({ whenLocked, held })
  } catch (error) {
    const isOfView = error instanceof PgError && !isLockTimeout(error)
    if (!isOfView || later.length === views.length) throw error
    later = views
    snapshot = await advance({ whenLocked })
  }
  const left = await makeViews(companion, later)
  for (const [{ id, declared }, reason] of left) {
    if (!broken.has(id)) brokenViewEvents.publish({ view: emitPostgresName(declared), reason })
  }
  const ids = new Set([...left.keys()].map(({ id }) => id))
  return {
    snapshot: ids.size === later.length ? snapshot : await readMirror(companion),
    rows: rows.filter(({ id }) => !ids.has(id)),
    broken: ids,
  }
}

/** Whether no mirror has made PostgreSQL's words of Spanner's definition yet. */
function isInSpannersWords({ declared, physical }: StoredView): boolean {
  return physical !== undefined && physical.definition === declared.definition
}

/** Makes views for as long as there is one that can be made; gives those that cannot, and why. */
async function makeViews(
  companion: CompanionDatabase,
  views: readonly StoredView[],
): Promise<ReadonlyMap<StoredView, string>> {
  let left = new Map(views.map((view) => [view, '']))
  for (let made = 1; made > 0; ) {
    const still = new Map<StoredView, string>()
    for (const view of left.keys()) {
      const reason = await tryView(companion, view)
      if (reason !== undefined) still.set(view, reason)
    }
    made = left.size - still.size
    left = still
  }
  return left
}

async function tryView(
  companion: CompanionDatabase,
  view: StoredView,
): Promise<string | undefined> {
  // Spanner's definitions leave `public` out, PostgreSQL's do not.
  const path = isInSpannersWords(view) ? ['SET LOCAL search_path = public'] : []
  try {
    await companion.serviceTransaction([
      ...MIRROR_SETTINGS,
      ...path,
      ...emitPostgresDdl([view.declared]),
    ])
    return undefined
  } catch (error) {
    if (error instanceof PgError) return error.message
    throw error
  }
}
