import { declaredKey, functionKey, relationKey, schemaKey, typeKey } from './declared-object.ts'
import { findHangers } from './hangers.ts'
import {
  type CatalogQuery,
  type CatalogSequence,
  type CatalogTable,
  type CatalogView,
  readRelations,
  type Snapshot,
  withSnapshotSettings,
} from './snapshot.ts'
import type { SnapshotPart } from './snapshot-query.ts'
import {
  type CatalogChanges,
  type Left,
  type RelationKind,
  readChanges,
} from './transaction-changes.ts'

/*
 * What a transaction made of the schema, without reading what it did not touch: definitions of tables that another client is
 * altering would wait for that client.
 */

/** The schema inside an open transaction that began on `before`: whatever it did not touch is taken from there. */
export function readTransactionSnapshot(query: CatalogQuery, before: Snapshot): Promise<Snapshot> {
  return withSnapshotSettings(query, () => readOwnSnapshot(query, before))
}

/** The same in a transaction that has the settings of a snapshot. */
export async function readOwnSnapshot(query: CatalogQuery, before: Snapshot): Promise<Snapshot> {
  const changes = await readChanges(query)
  const cut = [...findCut(before, changes.left)].filter(([oid]) => changes.left.relations.has(oid))
  const touched = new Map([...changes.written, ...cut])
  const parts = new Set<SnapshotPart>(touched.values())
  if (hasOtherChanges(before, changes)) parts.add('rest')
  const read = async (): Promise<Snapshot> =>
    merge(before, await readRelations(query, touched.keys(), parts), {
      touched,
      parts,
      left: changes.left,
    })
  let after = await read()
  if (findRenamed(before, after).size === 0) return after
  // Definitions of types and functions may hold names, too.
  if (!parts.has('rest')) {
    parts.add('rest')
    after = await read()
  }
  const stale = findStale(before, after, touched)
  if (stale.size === 0) return after
  for (const [oid, kind] of stale) {
    touched.set(oid, kind)
    parts.add(kind)
  }
  return await read()
}

/** Whether anything that is no relation may have been made, altered or dropped. */
function hasOtherChanges(before: Snapshot, { isElsewhere, left }: CatalogChanges): boolean {
  const { enums, domains, extensions, others } = before
  if (isElsewhere || others.size > 0) return true
  if ([...enums.keys(), ...domains.keys()].some((oid) => !left.types.has(oid))) return true
  const checks = [...domains.values()].flatMap(({ declared }) => declared.constraints)
  if (checks.length !== left.domainConstraints) return true
  return extensions.size > 0 && !left.hasAllDependences
}

/** Relations that lost a constraint, an index or a comment: no row of theirs need have been written. */
function* findCut(before: Snapshot, left: Left): Iterable<[number, RelationKind]> {
  for (const table of before.tables.values()) {
    const isWhole =
      table.constraintOids.every((oid) => left.constraints.has(oid)) &&
      table.indexOids.every((oid) => left.relations.has(oid)) &&
      commentsOfTable(table).every((key) => left.comments.has(key))
    if (!isWhole) yield [table.oid, 'table']
  }
  for (const { oid, declared } of before.sequences.values()) {
    if (declared.comment !== undefined && !left.comments.has(`${oid}.0`)) yield [oid, 'sequence']
  }
  for (const view of before.views.values()) {
    if (countComments(view) !== left.commentCounts.get(view.oid)) yield [view.oid, 'view']
  }
}

function commentsOfTable({ oid, declared, ...parts }: CatalogTable): string[] {
  const keys = declared.comment === undefined ? [] : [`${oid}.0`]
  const add = (
    items: readonly { readonly comment?: string }[],
    key: (i: number) => string,
  ): void => {
    items.forEach((item, i) => {
      if (item.comment !== undefined) keys.push(key(i))
    })
  }
  add(declared.columns, (i) => `${oid}.${parts.attributes[i]}`)
  add(declared.constraints, (i) => `${parts.constraintOids[i]}.0`)
  add(declared.indexes, (i) => `${parts.indexOids[i]}.0`)
  return keys
}

/** Attribute numbers of a view's columns are not kept: their comments are counted. */
function countComments({ declared }: CatalogView): number | undefined {
  const commented = [declared, ...declared.columns].filter((item) => item.comment !== undefined)
  return commented.length === 0 ? undefined : commented.length
}

/** What of a snapshot was read anew. */
interface Reading {
  readonly touched: ReadonlyMap<number, RelationKind>
  readonly parts: ReadonlySet<SnapshotPart>
  readonly left: Left
}

function merge(before: Snapshot, read: Snapshot, { touched, parts, left }: Reading): Snapshot {
  const join = <T>(old: ReadonlyMap<number, T>, fresh: ReadonlyMap<number, T>): Map<number, T> => {
    const kept = [...old].filter(([oid]) => !touched.has(oid) && left.relations.has(oid))
    return new Map([...kept, ...fresh].sort(([a], [b]) => a - b))
  }
  return {
    ...(parts.has('rest') ? read : before),
    sequences: join(before.sequences, read.sequences),
    tables: join(before.tables, read.tables),
    views: join(before.views, read.views),
  }
}

/** What definitions may hold that reads differently now, by its key. */
function findRenamed(before: Snapshot, after: Snapshot): ReadonlySet<string> {
  const now = relationsOf(after)
  return new Set([
    ...renamedOf(before.schemas, after.schemas, ({ name }) => schemaKey(name)),
    // Definitions hold its name, and the labels of constants.
    ...renamedOf(before.enums, after.enums, typeKey, (was, is) =>
      was.labels.some((label) => !is.labels.includes(label)),
    ),
    ...renamedOf(before.domains, after.domains, typeKey),
    ...renamedOf(before.functions, after.functions, functionKey),
    ...[...relationsOf(before)].flatMap(([oid, was]) => {
      const is = now.get(oid)
      return is !== undefined && isRenamed(was, is) ? [declaredKey(was.declared)] : []
    }),
  ])
}

/** The keys of those that have another one now, or of which `isChanged` says so. */
function renamedOf<T>(
  before: ReadonlyMap<number, { readonly declared: T }>,
  after: ReadonlyMap<number, { readonly declared: T }>,
  keyOf: (declared: T) => string,
  isChanged: (was: T, is: T) => boolean = () => false,
): string[] {
  return [...before].flatMap(([oid, { declared }]) => {
    const now = after.get(oid)?.declared
    if (now === undefined) return []
    return keyOf(now) !== keyOf(declared) || isChanged(declared, now) ? [keyOf(declared)] : []
  })
}

/**
 * Where a name changed, the definitions of everything that uses it read differently, though none of their rows were written:
 * by OID, what is to be read again.
 */
function findStale(
  before: Snapshot,
  after: Snapshot,
  touched: ReadonlyMap<number, RelationKind>,
): ReadonlyMap<number, RelationKind> {
  const relations = relationsOf(before)
  const now = relationsOf(after)
  const renamed = findRenamed(before, after)
  // A table may hold the labels of an enum through a domain, or the name of a type through that of a function.
  const holders = [...before.domains.values(), ...before.functions.values(), ...relations.values()]
  const hangers = findHangers(
    holders.map(({ declared }) => declared),
    { withForeignKeys: true },
  )
  const stale = new Set<string>()
  const visit = (key: string): void => {
    for (const hanger of hangers.get(key) ?? []) {
      if (stale.has(hanger)) continue
      stale.add(hanger)
      visit(hanger)
    }
  }
  for (const key of renamed) visit(key)
  const isStale = ([oid, relation]: [number, CatalogRelation]): boolean =>
    stale.has(declaredKey(relation.declared)) && !touched.has(oid) && now.has(oid)
  return new Map(
    [...relations].filter(isStale).map(
      ([
        oid,
        {
          declared: { kind },
        },
      ]) => [oid, kind],
    ),
  )
}

type CatalogRelation = CatalogTable | CatalogView | CatalogSequence

function relationsOf({ sequences, tables, views }: Snapshot): Map<number, CatalogRelation> {
  return new Map<number, CatalogRelation>([...sequences, ...tables, ...views])
}

/** Whether another definition that holds its name, or that of a column, reads differently now. */
function isRenamed(was: CatalogRelation, is: CatalogRelation): boolean {
  if (relationKey(was.declared) !== relationKey(is.declared)) return true
  const names = columnNames(is)
  return [...columnNames(was)].some(([place, name]) => (names.get(place) ?? name) !== name)
}

/** By attribute number, those of a view by their place. */
function columnNames(relation: CatalogRelation): ReadonlyMap<number, string> {
  if ('attributes' in relation) {
    const { declared, attributes } = relation
    return new Map(declared.columns.map(({ name }, i) => [attributes[i] ?? 0, name]))
  }
  const { declared } = relation
  const columns = declared.kind === 'view' ? declared.columns : []
  return new Map(columns.map(({ name }, i) => [i, name]))
}
