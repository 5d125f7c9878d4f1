import { MANAGED_INDEX } from './ddl-names.ts'

/*
 * Spanner's pg_catalog in place of PostgreSQL's ("pg_catalog in PostgreSQL-dialect databases"): fewer relations, fewer columns of them, and
 * rows for what users made. The views lie in a schema of their own; `pg_catalog.pg_class` in a statement is written `_spanner_catalog.pg_class`
 * (sql-translation.ts). What Spanner leaves empty is NULL here, too.
 */

/** The schema that the views lie in. */
export const PG_CATALOG_SCHEMA = '_spanner_catalog'

/** Columns of a relation as `name=expression` with its type, or `name:type` for one that is NULL; and where the rows come from. */
interface CatalogView {
  readonly columns: string
  readonly from: string
}

/** Schemas of users. `n` is pg_namespace. */
const VISIBLE = `n.nspname !~ '^(pg_|_|spanner$|information_schema$)'`
const RELATIONS = `pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace`
const NOWHERE = `(SELECT) AS r WHERE false`
/** A sequence of an identity column has a name that tells of the column. */
const RELATION_NAME = `COALESCE((SELECT '_identity_seq_' || t.relname || '__' || a.attname FROM _spanner_meta.sequences s
  JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = s.relid AND d.deptype = 'a' JOIN pg_class t ON t.oid = d.refobjid
  JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid WHERE s.relid = c.oid AND s.is_identity), c.relname)`
/** Texts are one type. */
const typeOf = (column: string) =>
  `CASE ${column} WHEN 1043 THEN 25 WHEN 1015 THEN 1009 ELSE ${column} END`
/** Types of the dialect (pg_type.dat), their arrays, and those of polymorphic arguments. */
const TYPES = `'bool','bytea','int8','text','oid','float4','float8','varchar','date','timestamptz','numeric','jsonb','_bool','_bytea','_int8','_text','_oid','_float4',
  '_float8','_varchar','_date','_timestamptz','_numeric','_jsonb','any','anyelement','anyarray','anynonarray','anycompatiblearray'`

const VIEWS: Readonly<Record<string, CatalogView>> = {
  pg_am: {
    columns: 'oid=oid::oid, amname=name::text, amtype=kind::text',
    from: `(VALUES (75001, 'spanner_default', 't'), (75002, 'spanner_default', 'i')) v(oid, name, kind)`,
  },
  pg_attrdef: {
    columns: `oid=d.oid, adrelid=d.adrelid, adnum=d.adnum::bigint,
      adbin=_spanner.default_text(d.adrelid, d.adnum, pg_get_expr(d.adbin, d.adrelid))`,
    from: `pg_attrdef d JOIN pg_class c ON c.oid = d.adrelid JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE ${VISIBLE} AND pg_get_serial_sequence(quote_ident(n.nspname) || '.' || quote_ident(c.relname), (SELECT attname FROM pg_attribute WHERE attrelid = d.adrelid AND attnum = d.adnum)) IS NULL`,
  },
  pg_attribute: {
    columns: `attrelid=a.attrelid, attname=a.attname::text, atttypid=(${typeOf('a.atttypid::int')})::oid, attstattarget:bigint, attlen:bigint, attnum=a.attnum::bigint,
      attndims=0::bigint, attcacheoff=(-1)::bigint, atttypmod:bigint, attbyval:boolean, attalign:text, attstorage:text, attcompression=''::text, attnotnull=a.attnotnull,
      atthasdef=a.atthasdef, atthasmissing=false, attidentity=''::text, attgenerated=a.attgenerated::text, attisdropped=false, attislocal=true,
      attinhcount=0::bigint, attcollation:oid, attoptions:text, attfdwoptions:text`,
    from: `pg_attribute a JOIN ${RELATIONS} ON c.oid = a.attrelid WHERE ${VISIBLE} AND c.relkind IN ('r', 'v', 'i') AND a.attnum > 0 AND NOT a.attisdropped`,
  },
  pg_class: {
    columns: `oid=c.oid, relname=${RELATION_NAME}::text, relnamespace=c.relnamespace, reltype:oid, reloftype:oid, relowner:oid,
      relam=(CASE c.relkind WHEN 'r' THEN 75001 WHEN 'i' THEN 75002 ELSE 0 END)::oid, relfilenode:oid, reltablespace:oid, relpages:bigint, reltuples:double precision,
      relallvisible:bigint, reltoastrelid:oid, relhasindex=EXISTS (SELECT FROM pg_index x WHERE x.indrelid = c.oid AND NOT x.indisprimary), relisshared:boolean,
      relpersistence='p'::text, relkind=c.relkind::text, relnatts=c.relnatts::bigint, relchecks=c.relchecks::bigint, relhasrules:boolean, relhastriggers:boolean,
      relhassubclass:boolean, relrowsecurity:boolean, relforcerowsecurity:boolean, relispopulated=true, relreplident:text, relispartition:boolean, relrewrite:oid,
      relfrozenxid:bigint, relminmxid:bigint, reloptions:text, relpartbound:text`,
    from: `${RELATIONS} WHERE ${VISIBLE} AND c.relkind IN ('r', 'v', 'i', 'S')`,
  },
  pg_collation: {
    columns: `oid=l.oid, collname=l.collname::text, collnamespace=l.collnamespace, collowner:oid, collprovider=l.collprovider::text, collisdeterministic=true,
      collencoding=(-1)::bigint, collcollate:text, collctype:text, colliculocale:text, collversion:text`,
    from: `pg_collation l WHERE l.oid IN (100, 950)`,
  },
  pg_constraint: {
    columns: `oid=k.oid, conname=k.conname::text, connamespace=k.connamespace, contype=k.contype::text, condeferrable:boolean, condeferred:boolean,
      convalidated=true, conrelid=k.conrelid, contypid:oid, conindid:oid, conparentid:oid, confrelid=k.confrelid, confupdtype=k.confupdtype::text, confdeltype=k.confdeltype::text,
      confmatchtype:text, conislocal:boolean, coninhcount:bigint, connoinherit:boolean, conkey=k.conkey::bigint[], confkey=k.confkey::bigint[], conpfeqop:oid[],
      conppeqop:oid[], conffeqop:oid[], conexclop:oid[], conbin=_spanner.expression_text(pg_get_expr(k.conbin, k.conrelid), k.conrelid)`,
    from: `pg_constraint k JOIN pg_namespace n ON n.oid = k.connamespace WHERE ${VISIBLE} AND k.contype IN ('p', 'f', 'c')`,
  },
  pg_description: {
    columns: 'objoid:oid, classoid:oid, objsubid:bigint, description:text',
    from: NOWHERE,
  },
  pg_enum: {
    columns: 'oid:oid, enumtypid:oid, enumsortorder:double precision, enumlabel:text',
    from: NOWHERE,
  },
  pg_extension: {
    columns: `oid:oid, extname:text, extowner:oid, extnamespace:oid, extrelocatable:boolean, extversion:text, extconfig:oid[], extcondition:text[]`,
    from: NOWHERE,
  },
  pg_index: {
    columns: `indexrelid=x.indexrelid, indrelid=x.indrelid, indnatts=x.indnatts::bigint, indnkeyatts=x.indnkeyatts::bigint, indisunique=(x.indisunique OR x.indisexclusion),
      indisprimary=x.indisprimary, indisexclusion=false, indimmediate:boolean, indisclustered=false, indisvalid=true, indcheckxmin=false, indisready=true,
      indislive=true, indisreplident=false, indkey=x.indkey::int2[]::bigint[], indcollation:bigint[], indclass:bigint[], indoption:bigint[], indexprs:text, indpred:text`,
    from: `pg_index x JOIN ${RELATIONS} ON c.oid = x.indrelid WHERE ${VISIBLE} AND NOT x.indisprimary`,
  },
  pg_language: {
    columns: `oid:oid, lanname:text, lanowner:oid, lanispl:boolean, lanpltrusted:boolean, lanplcallfoid:oid, laninline:oid, lanvalidator:oid, lanacl:text`,
    from: NOWHERE,
  },
  pg_namespace: {
    columns: 'oid=n.oid, nspname=n.name::text, nspowner:oid',
    from: `(SELECT n.oid, n.nspname AS name FROM pg_namespace n WHERE ${VISIBLE} OR n.nspname IN ('pg_catalog', 'information_schema', 'spanner')
      UNION ALL SELECT 75004, 'spanner_sys') n`,
  },
  pg_proc: {
    columns: `oid=p.oid, proname=p.proname::text, pronamespace=p.pronamespace, proowner:oid, prolang:oid, procost:double precision, prorows:double precision,
      provariadic=p.provariadic, prokind=p.prokind::text, prosecdef:boolean, proleakproof:boolean, proisstrict:boolean, proretset=p.proretset, provolatile:text,
      proparallel:text, pronargs=p.pronargs::bigint, pronargdefaults=p.pronargdefaults::bigint, prorettype=p.prorettype, proargtypes=p.proargtypes::oid[],
      proallargtypes:oid[], proargmodes:text[], proargnames:text[], proargdefaults:text, protrftypes:oid[], prosrc:text, probin:text, prosqlbody=''::text, proconfig:text[]`,
    from: `pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE n.nspname = 'spanner'`,
  },
  pg_range: {
    columns: `rngtypid:oid, rngsubtype:oid, rngmultitypid:oid, rngcollation:oid, rngsubopc:oid, rngcanonical:bigint, rngsubdiff:bigint`,
    from: NOWHERE,
  },
  pg_sequence: {
    columns: `seqrelid=s.relid, seqtypid=20::oid, seqstart=s.start_with, seqincrement:bigint, seqmax:bigint, seqmin:bigint, seqcache=1000::bigint, seqcycle=false`,
    from: `_spanner_meta.sequences s WHERE NOT s.is_identity`,
  },
  pg_type: {
    columns: `oid=t.oid, typname=t.typname::text, typnamespace=t.typnamespace, typowner:oid, typlen=t.typlen::bigint, typbyval=t.typbyval, typtype=t.typtype::text,
      typcategory=t.typcategory::text, typispreferred=t.typispreferred, typisdefined=true, typdelim=','::text, typrelid=0::oid, typelem=t.typelem, typarray=t.typarray,
      typalign:text, typstorage:text, typnotnull:boolean, typbasetype:oid, typtypmod:bigint, typndims:bigint, typcollation:oid, typdefaultbin:text, typdefault:text`,
    from: `pg_type t WHERE t.typnamespace = 'pg_catalog'::regnamespace AND t.typname IN (${TYPES})`,
  },
  pg_available_extension_versions: {
    columns: `name:text, version:text, installed:boolean, superuser:boolean, trusted:boolean, relocatable:boolean, schema:text, requires:text[], comment:text`,
    from: NOWHERE,
  },
  pg_available_extensions: {
    columns: 'name:text, default_version:text, installed_version:text, comment:text',
    from: NOWHERE,
  },
  pg_backend_memory_contexts: {
    columns: `name:text, ident:text, parent:text, level:bigint, total_bytes:bigint, total_nblocks:bigint, free_bytes:bigint, free_chunks:bigint, used_bytes:bigint`,
    from: NOWHERE,
  },
  pg_config: { columns: 'name:text, setting:text', from: NOWHERE },
  pg_cursors: {
    columns: `name:text, statement:text, is_holdable:boolean, is_binary:boolean, is_scrollable:boolean, creation_time:timestamptz`,
    from: NOWHERE,
  },
  pg_file_settings: {
    columns: `sourcefile:text, sourceline:bigint, seqno:bigint, name:text, setting:text, applied:boolean, error:text`,
    from: NOWHERE,
  },
  pg_hba_file_rules: {
    columns: `line_number:bigint, type:text, database:text[], user_name:text[], address:text, netmask:text, auth_method:text, options:text[], error:text`,
    from: NOWHERE,
  },
  pg_indexes: {
    columns: `schemaname=n.nspname::text, tablename=c.relname::text, indexname=i.relname::text, tablespace:text, indexdef:text`,
    from: `pg_index x JOIN pg_class i ON i.oid = x.indexrelid JOIN ${RELATIONS} ON c.oid = x.indrelid WHERE ${VISIBLE}`,
  },
  pg_publication_tables: {
    columns: 'pubname:text, schemaname:text, tablename:text',
    from: NOWHERE,
  },
  pg_roles: {
    columns: `rolname:text, rolsuper:boolean, rolinherit:boolean, rolcreaterole:boolean, rolcreatedb:boolean, rolcanlogin:boolean, rolreplication:boolean,
      rolconnlimit:bigint, rolpassword:text, rolvaliduntil:timestamptz, rolbypassrls:boolean, rolconfig:text[], oid:oid`,
    from: NOWHERE,
  },
  pg_rules: {
    columns: 'schemaname:text, tablename:text, rulename:text, definition:text',
    from: NOWHERE,
  },
  pg_sequences: {
    columns: `schemaname=n.nspname::text, sequencename=c.relname::text, sequenceowner:text, start_value=s.start_with, min_value:bigint, max_value:bigint,
      increment_by:bigint, cycle=false, cache_size=1000::bigint, last_value:bigint`,
    from: `_spanner_meta.sequences s JOIN ${RELATIONS} ON c.oid = s.relid WHERE NOT s.is_identity`,
  },
  pg_settings: {
    columns: `name='max_index_keys'::text, setting='16'::text, unit:text, category='Preset Options'::text,
      short_desc='Shows the maximum number of index keys.'::text, extra_desc:text, context='internal'::text, vartype='integer'::text, source='default'::text,
      min_val='16'::text, max_val='16'::text, enumvals=ARRAY[]::text[], boot_val='16'::text, reset_val='16'::text, sourcefile:text, sourceline:bigint, pending_restart=false`,
    from: '(SELECT) AS r',
  },
  pg_shmem_allocations: {
    columns: 'name:text, off:bigint, size:bigint, allocated_size:bigint',
    from: NOWHERE,
  },
  pg_tables: {
    columns: `schemaname=n.nspname::text, tablename=c.relname::text, tableowner:text, tablespace:text,
      hasindexes=EXISTS (SELECT FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid WHERE x.indrelid = c.oid AND NOT x.indisprimary AND i.relname !~ '${MANAGED_INDEX}'),
      hasrules:boolean, hastriggers:boolean, rowsecurity:boolean`,
    from: `${RELATIONS} WHERE ${VISIBLE} AND c.relkind = 'r'`,
  },
  pg_views: {
    columns:
      'schemaname=n.nspname::text, viewname=c.relname::text, viewowner:text, definition=_spanner.view_text(c.oid)',
    from: `${RELATIONS} WHERE ${VISIBLE} AND c.relkind = 'v'`,
  },
}

/** Names of the relations that have a view; the others of Spanner's are PostgreSQL's, and empty. */
export const PG_CATALOG_VIEWS: ReadonlySet<string> = new Set(Object.keys(VIEWS))

/** SQL that makes the views. Run by a superuser, after the other scripts. */
export function pgCatalogScript(): string {
  return [
    `DROP SCHEMA IF EXISTS ${PG_CATALOG_SCHEMA} CASCADE; CREATE SCHEMA ${PG_CATALOG_SCHEMA};`,
    ...Object.entries(VIEWS).map(
      ([name, view]) =>
        `CREATE VIEW ${PG_CATALOG_SCHEMA}.${name} AS SELECT ${columnsOf(view)} FROM ${view.from};`,
    ),
    `GRANT USAGE ON SCHEMA ${PG_CATALOG_SCHEMA} TO PUBLIC; GRANT SELECT ON ALL TABLES IN SCHEMA ${PG_CATALOG_SCHEMA} TO PUBLIC;`,
  ].join('\n')
}

function columnsOf({ columns }: CatalogView): string {
  return columns
    .split(/,\s+(?=\w+[=:](?!:))/)
    .map((column) => {
      const [, name = '', sign, rest = ''] = /^\s*(\w+)([=:])([\s\S]*)$/.exec(column) ?? []
      return `${sign === ':' ? `NULL::${rest}` : rest} AS "${name}"`
    })
    .join(', ')
}
