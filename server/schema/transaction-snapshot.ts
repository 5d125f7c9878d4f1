import {
  type DeclaredObject,
  declaredKey,
  isSameDeclaration,
  relationKey,
  schemaKey,
  typeKey,
} from './declared-object.ts'
import { findHangers } from './hangers.ts'
import {
  type CatalogQuery,
  type CatalogTable,
  type CatalogView,
  readRelations,
  type Snapshot,
  withSnapshotSettings,
} from './snapshot.ts'

/*
 * What a transaction made of the schema, without reading what it did not touch: definitions of tables that another client is
 * altering would wait for that client. Rows of the catalogs that this transaction wrote are known by their xmin; what is gone
 * is known by what is left.
 */

/**
 * Whether the transaction, or a savepoint of it, wrote the row: its xmin is in progress and not older than the transaction. age()
 * counts back from the transaction's own id once it has one, so that its savepoints' are negative.
 */
const WROTE = (row: string): string => `pg_catalog.age(${row}.xmin) <= own.age
  and pg_catalog.pg_xact_status((own.id::text::numeric + own.age - pg_catalog.age(${row}.xmin))::text::xid8) = 'in progress'`

const OWN = `with own as materialized (
  select x.id, pg_catalog.age(x.id::xid) as age from (select pg_catalog.pg_current_xact_id_if_assigned() as id) x where x.id is not null
)`

const TOUCHED = `${OWN}
select distinct r.relid::text as oid from (
  select coalesce(i.indrelid, c.oid) as relid from own, pg_class c left join pg_index i on i.indexrelid = c.oid where ${WROTE('c')}
  union all
  select coalesce(i.indrelid, a.attrelid) from own, pg_attribute a left join pg_index i on i.indexrelid = a.attrelid where ${WROTE('a')}
  union all
  select k.conrelid from own, pg_constraint k where ${WROTE('k')}
  union all
  select i.indrelid from own, pg_index i where ${WROTE('i')}
  union all
  select d.adrelid from own, pg_attrdef d where ${WROTE('d')}
  union all
  select s.seqrelid from own, pg_sequence s where ${WROTE('s')}
  union all
  select w.ev_class from own, pg_rewrite w where ${WROTE('w')}
  union all
  select coalesce(i.indrelid, k.conrelid, c.objoid) from own, pg_description c
    left join pg_index i on c.classoid = 'pg_class'::regclass and i.indexrelid = c.objoid
    left join pg_constraint k on c.classoid = 'pg_constraint'::regclass and k.oid = c.objoid
    where c.classoid in ('pg_class'::regclass, 'pg_constraint'::regclass) and ${WROTE('c')}
  union all
  select d.objid from own, pg_depend d where d.classid = 'pg_class'::regclass and ${WROTE('d')}
) r join pg_class c on c.oid = r.relid join pg_namespace n on n.oid = c.relnamespace
where c.relkind in ('r', 'v', 'S') and n.nspname <> 'information_schema' and n.nspname !~ '^pg_'`

const LEFT = `
select (select coalesce(json_agg(c.oid::int8), '[]') from pg_class c where c.relkind in ('r', 'v', 'S', 'i') and c.oid >= 16384)::text as relations,
  (select coalesce(json_agg(k.oid::int8), '[]') from pg_constraint k where k.oid >= 16384)::text as constraints,
  (select coalesce(json_agg(d.objoid || '.' || d.objsubid), '[]') from pg_description d
    where d.objoid >= 16384 and d.classoid in ('pg_class'::regclass, 'pg_constraint'::regclass))::text as comments`

interface Left {
  readonly relations: ReadonlySet<number>
  readonly constraints: ReadonlySet<number>
  /** `oid.attribute` */
  readonly comments: ReadonlySet<string>
  /** By OID. */
  readonly commentCounts: ReadonlyMap<number, number>
}

/** The schema inside an open transaction that began on `before`: whatever it did not touch is taken from there. */
export function readTransactionSnapshot(query: CatalogQuery, before: Snapshot): Promise<Snapshot> {
  return withSnapshotSettings(query, async () => {
    const touched = new Set((await query(TOUCHED)).map((row) => Number(row['oid'])))
    const left = await readLeft(query)
    for (const oid of findCut(before, left)) touched.add(oid)
    const first = merge(before, await readRelations(query, touched), { touched, left })
    const stale = findStale(before, first, touched)
    if (stale.length === 0) return first
    for (const oid of stale) touched.add(oid)
    return merge(before, await readRelations(query, touched), { touched, left })
  })
}

async function readLeft(query: CatalogQuery): Promise<Left> {
  const [row] = await query(LEFT)
  const list = (name: string): unknown[] => JSON.parse(row?.[name] ?? '[]') as unknown[]
  const comments = list('comments').map(String)
  const commentCounts = new Map<number, number>()
  for (const key of comments) {
    const oid = Number(key.split('.')[0])
    commentCounts.set(oid, (commentCounts.get(oid) ?? 0) + 1)
  }
  return {
    relations: new Set(list('relations').map(Number)),
    constraints: new Set(list('constraints').map(Number)),
    comments: new Set(comments),
    commentCounts,
  }
}

/** Relations that lost a constraint, an index or a comment: no row of theirs need have been written. */
function* findCut(before: Snapshot, left: Left): Iterable<number> {
  for (const table of before.tables.values()) {
    const isWhole =
      table.constraintOids.every((oid) => left.constraints.has(oid)) &&
      table.indexOids.every((oid) => left.relations.has(oid)) &&
      commentsOfTable(table).every((key) => left.comments.has(key))
    if (!isWhole) yield table.oid
  }
  for (const { oid, declared } of before.sequences.values()) {
    if (declared.comment !== undefined && !left.comments.has(`${oid}.0`)) yield oid
  }
  for (const view of before.views.values()) {
    if (countComments(view) !== left.commentCounts.get(view.oid)) yield view.oid
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

function merge(
  before: Snapshot,
  read: Snapshot,
  { touched, left }: { readonly touched: ReadonlySet<number>; readonly left: Left },
): Snapshot {
  const join = <T>(old: ReadonlyMap<number, T>, fresh: ReadonlyMap<number, T>): Map<number, T> => {
    const kept = [...old].filter(([oid]) => !touched.has(oid) && left.relations.has(oid))
    return new Map([...kept, ...fresh].sort(([a], [b]) => a - b))
  }
  return {
    schemas: read.schemas,
    extensions: read.extensions,
    enums: read.enums,
    domains: read.domains,
    others: read.others,
    sequences: join(before.sequences, read.sequences),
    tables: join(before.tables, read.tables),
    views: join(before.views, read.views),
  }
}

/**
 * Where a name changed, the definitions of everything that uses it read differently, though none of their rows were written:
 * by OID, what is to be read again.
 */
function findStale(before: Snapshot, after: Snapshot, touched: ReadonlySet<number>): number[] {
  const renamed = new Set<string>()
  for (const [oid, { declared }] of before.schemas) {
    const now = after.schemas.get(oid)?.declared
    if (now !== undefined && now.name !== declared.name) renamed.add(schemaKey(declared.name))
  }
  for (const [oid, { declared }] of before.enums) {
    const now = after.enums.get(oid)?.declared
    // Definitions hold its name, and the labels of constants.
    const isRenamed = now !== undefined && typeKey(now) !== typeKey(declared)
    if (isRenamed || declared.labels.some((label) => now?.labels.includes(label) === false)) {
      renamed.add(typeKey(declared))
    }
  }
  for (const [oid, { declared }] of before.domains) {
    const now = after.domains.get(oid)?.declared
    if (now !== undefined && typeKey(now) !== typeKey(declared)) renamed.add(typeKey(declared))
  }
  const relations = relationsOf(before)
  const now = relationsOf(after)
  for (const [oid, declared] of relations) {
    const next = now.get(oid)
    if (next !== undefined && !isSameDeclaration(namesOf(declared), namesOf(next))) {
      renamed.add(declaredKey(declared))
    }
  }
  if (renamed.size === 0) return []
  // A table may hold the labels of an enum through a domain.
  const domains = [...before.domains.values()].map(({ declared }) => declared)
  const hangers = findHangers([...domains, ...relations.values()], { withForeignKeys: true })
  const stale = new Set<string>()
  const visit = (key: string): void => {
    for (const hanger of hangers.get(key) ?? []) {
      if (stale.has(hanger)) continue
      stale.add(hanger)
      visit(hanger)
    }
  }
  for (const key of renamed) visit(key)
  return [...relations].flatMap(([oid, declared]) =>
    stale.has(declaredKey(declared)) && !touched.has(oid) && now.has(oid) ? [oid] : [],
  )
}

function relationsOf(snapshot: Snapshot): Map<number, DeclaredRelation> {
  const { sequences, tables, views } = snapshot
  return new Map(
    [...sequences.values(), ...tables.values(), ...views.values()].map(({ oid, declared }) => [
      oid,
      declared,
    ]),
  )
}

type DeclaredRelation = Exclude<
  DeclaredObject,
  { kind: 'schema' | 'extension' | 'enum' | 'domain' }
>

/** The names that other definitions may hold. */
function namesOf(object: DeclaredRelation): unknown {
  return [
    relationKey(object),
    object.kind === 'sequence' ? [] : object.columns.map((column) => column.name),
  ]
}
