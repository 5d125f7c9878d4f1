import { Bug } from '../base/pg-error.ts'
import type { CatalogQuery } from './snapshot.ts'

/*
 * What a transaction has written, without reading what it did not touch. Rows of the catalogs that it wrote are known by their
 * xmin; what is gone is known by what is left. PostgreSQL counts what a transaction inserts, updates and deletes in each table
 * (pg_stat_get_xact_tuples_inserted and its like), catalogs among them: where it wrote to none but those that tables, views and
 * sequences are made of, little else can have changed, and need not be read.
 */

/**
 * Whether the transaction, or a savepoint of it, wrote the row: its xmin is in progress and not older than the transaction. age()
 * counts back from the transaction's own id once it has one, so that its savepoints' are negative.
 */
export const WROTE = (row: string): string => `pg_catalog.age(${row}.xmin) <= own.age
  and pg_catalog.pg_xact_status((own.id::text::numeric + own.age - pg_catalog.age(${row}.xmin))::text::xid8) = 'in progress'`

/** What {@link WROTE} asks: the first of the common table expressions. */
export const OWN = `with own as materialized (
  select x.id, pg_catalog.age(x.id::xid) as age from (select pg_catalog.pg_current_xact_id_if_assigned() as id) x where x.id is not null
)`

const WRITTEN = `
select r.relid, c.relkind from (
  select coalesce(i.indrelid, c.oid) as relid from own, pg_class c left join pg_index i on i.indexrelid = c.oid where ${WROTE('c')}
  union
  select coalesce(i.indrelid, a.attrelid) from own, pg_attribute a left join pg_index i on i.indexrelid = a.attrelid where ${WROTE('a')}
  union
  select k.conrelid from own, pg_constraint k where ${WROTE('k')}
  union
  select i.indrelid from own, pg_index i where ${WROTE('i')}
  union
  select d.adrelid from own, pg_attrdef d where ${WROTE('d')}
  union
  select s.seqrelid from own, pg_sequence s where ${WROTE('s')}
  union
  select w.ev_class from own, pg_rewrite w where ${WROTE('w')}
  union
  select coalesce(i.indrelid, k.conrelid, c.objoid) from own, pg_description c
    left join pg_index i on c.classoid = 'pg_class'::regclass and i.indexrelid = c.objoid
    left join pg_constraint k on c.classoid = 'pg_constraint'::regclass and k.oid = c.objoid
    where c.classoid in ('pg_class'::regclass, 'pg_constraint'::regclass) and ${WROTE('c')}
  union
  select d.objid from own, pg_depend d where d.classid = 'pg_class'::regclass and ${WROTE('d')}
) r join pg_class c on c.oid = r.relid join pg_namespace n on n.oid = c.relnamespace
where c.relkind in ('r', 'v', 'S') and n.nspname <> 'information_schema' and n.nspname !~ '^pg_'`

/** Catalogs that are written where a table, a view or a sequence is made, altered or dropped. */
const OF_RELATIONS = [
  'pg_attrdef',
  'pg_attribute',
  'pg_class',
  'pg_constraint',
  'pg_depend',
  'pg_index',
  'pg_rewrite',
  'pg_sequence',
  'pg_shdepend',
  'pg_statistic',
  'pg_trigger',
  'pg_type',
]

/** Whether a catalog was written that no relation needs, or a row of another kind in one of theirs. */
const ELSEWHERE = `
exists (select from pg_class c where c.relkind = 'r' and c.relnamespace = 'pg_catalog'::regnamespace
  and c.relname not in (${OF_RELATIONS.map((name) => `'${name}'`).join(', ')})
  and pg_stat_get_xact_tuples_inserted(c.oid) + pg_stat_get_xact_tuples_updated(c.oid) + pg_stat_get_xact_tuples_deleted(c.oid) > 0)
or exists (select from own, pg_type t left join pg_class c on c.oid = t.typrelid
  where (c.relkind = 'c' or (t.typtype <> 'c' and t.typelem = 0)) and ${WROTE('t')})
or exists (select from own, pg_constraint k where (k.contypid <> 0 or k.contype in ('x', 't')) and ${WROTE('k')})
or exists (select from own, pg_class c where (c.relkind in ('p', 'm', 'f') or c.relrowsecurity) and ${WROTE('c')})
or exists (select from own, pg_rewrite w where w.rulename <> '_RETURN' and ${WROTE('w')})
or exists (select from own, pg_trigger g where not g.tgisinternal and ${WROTE('g')})
or exists (select from own, pg_depend d where d.deptype in ('x', 'e') and ${WROTE('d')})`

/** The counts are forced out when the transaction ends, so that the next one on the connection begins with none. */
const CHANGES = `${OWN}
select (select coalesce(json_object_agg(w.relid, w.relkind), '{}') from (${WRITTEN}) w)::text as written,
  (${ELSEWHERE})::text as elsewhere,
  (select coalesce(json_agg(c.oid::int8), '[]') from pg_class c where c.relkind in ('r', 'v', 'S', 'i') and c.oid >= 16384)::text as relations,
  (select coalesce(json_agg(k.oid::int8), '[]') from pg_constraint k where k.oid >= 16384)::text as constraints,
  (select coalesce(json_agg(d.objoid || '.' || d.objsubid), '[]') from pg_description d
    where d.objoid >= 16384 and d.classoid in ('pg_class'::regclass, 'pg_constraint'::regclass))::text as comments,
  (select coalesce(json_agg(t.oid::int8), '[]') from pg_type t where t.typtype in ('e', 'd') and t.oid >= 16384)::text as types,
  (select count(*) from pg_constraint k where k.contypid <> 0 and k.oid >= 16384)::text as domain_constraints,
  (pg_stat_get_xact_tuples_deleted('pg_depend'::regclass) > 0)::text as independent,
  pg_stat_force_next_flush()`

export type RelationKind = 'table' | 'view' | 'sequence'

/** What a transaction has done to the catalogs. */
export interface CatalogChanges {
  /** Relations of which it wrote something, by OID. */
  readonly written: ReadonlyMap<number, RelationKind>
  /** Whether it made or altered anything that is no relation, or may have dropped something of a kind that is not in `left`. */
  readonly isElsewhere: boolean
  readonly left: Left
}

/** What is there after it: OIDs of what clients made. */
export interface Left {
  /** With indexes. */
  readonly relations: ReadonlySet<number>
  readonly constraints: ReadonlySet<number>
  /** `oid.attribute` */
  readonly comments: ReadonlySet<string>
  /** By OID. */
  readonly commentCounts: ReadonlyMap<number, number>
  /** Enums and domains. */
  readonly types: ReadonlySet<number>
  readonly domainConstraints: number
  /** Whether every dependence of one object on another that was there is still there. */
  readonly hasAllDependences: boolean
}

const KINDS: Readonly<Record<string, RelationKind>> = { r: 'table', v: 'view', S: 'sequence' }

/** Asks what the open transaction of the connection has written so far. The search path is to be pg_catalog. */
export async function readChanges(query: CatalogQuery): Promise<CatalogChanges> {
  const [row] = await query(CHANGES, [], { isPrepared: true })
  const list = (name: string): unknown[] => JSON.parse(row?.[name] ?? '[]') as unknown[]
  const numbers = (name: string): ReadonlySet<number> => new Set(list(name).map(Number))
  const comments = list('comments').map(String)
  const commentCounts = new Map<number, number>()
  for (const key of comments) {
    const oid = Number(key.split('.')[0])
    commentCounts.set(oid, (commentCounts.get(oid) ?? 0) + 1)
  }
  const written = JSON.parse(row?.['written'] ?? '{}') as Readonly<Record<string, string>>
  return {
    written: new Map(
      Object.entries(written).map(([oid, relkind]) => [Number(oid), mustKind(relkind)]),
    ),
    isElsewhere: row?.['elsewhere'] !== 'false',
    left: {
      relations: numbers('relations'),
      constraints: numbers('constraints'),
      comments: new Set(comments),
      commentCounts,
      types: numbers('types'),
      domainConstraints: Number(row?.['domain_constraints']),
      hasAllDependences: row?.['independent'] === 'false',
    },
  }
}

function mustKind(relkind: string): RelationKind {
  const kind = KINDS[relkind]
  if (kind === undefined) throw new Bug(`a relation of kind ${relkind}`)
  return kind
}
