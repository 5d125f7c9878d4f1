/**
 * The catalog query behind a snapshot: one row an object, its declaration as JSON in the form of declared-object.ts, its OIDs
 * beside it. It is written for PostgreSQL 15 and later, and runs under the settings of SNAPSHOT_SETTINGS.
 */

/** What the pg_get_*def functions print depends on these; pg_dump sets the same. */
export const SNAPSHOT_SETTINGS: Readonly<Record<string, string>> = {
  search_path: 'pg_catalog',
  DateStyle: 'ISO, YMD',
  IntervalStyle: 'postgres',
  TimeZone: 'UTC',
  extra_float_digits: '3',
  bytea_output: 'hex',
  quote_all_identifiers: 'off',
}

const COLUMN_NAMES = (relation: string, attributes: string): string => `(
  select json_agg(a.attname order by keys.n) from unnest(${attributes}) with ordinality keys(attnum, n)
  join pg_attribute a on a.attrelid = ${relation} and a.attnum = keys.attnum)`

/** Not regnamespace: it prints quotes. */
const SCHEMA_NAME = (relation: string): string =>
  `(select nspname from pg_namespace where oid = ${relation}.relnamespace)`

const QUALIFIED = (
  relation: string,
): string => `json_build_object('schema', ${SCHEMA_NAME(relation)},
  'name', ${relation}.relname)`

const ACTION = (
  code: string,
): string => `case ${code} when 'a' then 'no-action' when 'r' then 'restrict'
  when 'c' then 'cascade' when 'n' then 'set-null' else 'set-default' end`

/** An access control list; NULL where it is NULL. */
const GRANTS = (acl: string): string => `case when ${acl} is not null then coalesce((
  select json_agg(json_strip_nulls(json_build_object('grantee', case when g.grantee <> 0 then pg_get_userbyid(g.grantee) end,
    'grantor', pg_get_userbyid(g.grantor), 'privileges', g.privileges, 'grantable', g.grantable)) order by i.n)
  from unnest(${acl}) with ordinality i(item, n), lateral (
    select e.grantee, e.grantor, json_agg(e.privilege_type) filter (where not e.is_grantable) as privileges,
      json_agg(e.privilege_type) filter (where e.is_grantable) as grantable
    from aclexplode(array[i.item]) e group by e.grantee, e.grantor) g), '[]'::json) end`

/** The enums and domains among the types that a condition tells of `t`. */
const USER_TYPES = (condition: string): string => `(
  select json_agg(json_build_object('schema', tn.nspname, 'name', t.typname) order by tn.nspname, t.typname)
  from pg_type t join ns tn on tn.oid = t.typnamespace where t.typtype in ('e', 'd') and (${condition}))`

/** The functions of clients that something uses, of which a condition tells in pg_depend `u`. */
const USED_FUNCTIONS = (condition: string): string => `(
  select json_agg(f.called order by f.place) from functions f where f.oid in (select u.refobjid from uses u where ${condition}))`

/** The relations of $1, or all of them. */
const IS_ASKED_FOR = '($1::oid[] is null or c.oid = any($1::oid[]))'

const SCHEMAS = `
select 'schema', n.oid::text, json_build_object('declared', json_strip_nulls(json_build_object(
    'kind', 'schema', 'name', n.nspname, 'owner', pg_get_userbyid(n.nspowner),
    'comment', obj_description(n.oid, 'pg_namespace'), 'grants', ${GRANTS('n.nspacl')})))::text
from ns n`

/** Of a function `p`: those that a call gives. */
const ARGUMENT_TYPES = `coalesce((
  select json_agg(format_type(a.type, null) order by a.n) from unnest(p.proargtypes::oid[]) with ordinality a(type, n)), '[]'::json)`

/** What of a catalog `x` an extension `e` brought. */
const MEMBERS = (catalog: string, list: string): string => `coalesce((
  select json_agg(${list} order by x.oid) from pg_depend d join ${catalog} x on x.oid = d.objid
  where d.classid = '${catalog}'::regclass and d.refclassid = 'pg_extension'::regclass and d.refobjid = e.oid and d.deptype = 'e'), '[]'::json)`

/** That a row `x` of a catalog came with no extension. */
const IS_NO_MEMBER = (catalog: string, x: string): string =>
  `not exists (select from pg_depend m where m.classid = '${catalog}'::regclass and m.objid = ${x}.oid and m.deptype = 'e')`

const VOLATILITY = (f: string): string =>
  `case ${f}.provolatile when 'i' then 'immutable' when 's' then 'stable' else 'volatile' end`

const EXTENSIONS = `
select 'extension', e.oid::text, json_build_object('declared', json_strip_nulls(json_build_object(
    'kind', 'extension', 'schema', n.nspname, 'name', e.extname, 'owner', pg_get_userbyid(e.extowner),
    'comment', obj_description(e.oid, 'pg_extension'))),
  'version', e.extversion,
  'isDefaultVersion', e.extversion = (select a.default_version from pg_available_extensions() a where a.name = e.extname),
  'types', ${MEMBERS('pg_type', "json_build_object('oid', x.oid::int8, 'arrayOid', x.typarray::int8, 'name', x.typname)")},
  'functions', ${MEMBERS(
    'pg_proc',
    `json_build_object('oid', x.oid::int8, 'name', x.proname,
    'volatility', ${VOLATILITY('x')})`,
  )},
  'operators', ${MEMBERS('pg_operator', "json_build_object('oid', x.oid::int8, 'name', x.oprname)")})::text
from pg_extension e join pg_namespace n on n.oid = e.extnamespace where e.extname <> 'plpgsql'`

const ENUMS = `
select 'enum', t.oid::text, json_build_object('declared', json_strip_nulls(json_build_object(
    'kind', 'enum', 'schema', n.nspname, 'name', t.typname, 'owner', pg_get_userbyid(t.typowner),
    'comment', obj_description(t.oid, 'pg_type'), 'grants', ${GRANTS('t.typacl')}, 'oid', t.oid::int8,
    'labels', coalesce((select json_agg(e.enumlabel order by e.enumsortorder) from pg_enum e where e.enumtypid = t.oid), '[]'::json))),
  'arrayOid', t.typarray::int8,
  'labelOids', coalesce((select json_agg(e.oid::int8 order by e.enumsortorder) from pg_enum e where e.enumtypid = t.oid), '[]'::json))::text
from pg_type t join ns n on n.oid = t.typnamespace where t.typtype = 'e'`

/** The sequences that a default draws from, of which a condition tells who in pg_depend `d` depends on them. */
const DEFAULT_SEQUENCES = (condition: string): string => `(
        select json_agg(${QUALIFIED('s')} order by ${SCHEMA_NAME('s')}, s.relname) from pg_depend d
        join pg_class s on s.oid = d.refobjid and s.relkind = 'S'
        where ${condition} and d.refclassid = 'pg_class'::regclass)`

const COLLATION = (
  collation: string,
  ofType: string,
): string => `case when ${collation} <> ${ofType} then (
        select quote_ident(cn.nspname) || '.' || quote_ident(co.collname) from pg_collation co
        join pg_namespace cn on cn.oid = co.collnamespace where co.oid = ${collation}) end`

const DOMAIN_CHECKS = `(
  select json_agg(json_strip_nulls(json_build_object('name', k.conname, 'definition', pg_get_constraintdef(k.oid),
    'expression', pg_get_expr(k.conbin, 0), 'comment', obj_description(k.oid, 'pg_constraint'))) order by k.conname)
  from pg_constraint k where k.contypid = t.oid and k.contype = 'c')`

const DOMAINS = `
select 'domain', t.oid::text, json_build_object('declared', json_strip_nulls(json_build_object(
    'kind', 'domain', 'schema', n.nspname, 'name', t.typname, 'owner', pg_get_userbyid(t.typowner),
    'comment', obj_description(t.oid, 'pg_type'), 'grants', ${GRANTS('t.typacl')}, 'oid', t.oid::int8,
    'type', format_type(t.typbasetype, t.typtypmod), 'typeOid', t.typbasetype::int8, 'typmod', t.typtypmod,
    'userType', ${USER_TYPES('t.oid = b.oid or t.typarray = b.oid')} -> 0,
    'notNull', t.typnotnull, 'default', pg_get_expr(t.typdefaultbin, 0),
    'defaultSequences', ${DEFAULT_SEQUENCES("d.classid = 'pg_type'::regclass and d.objid = t.oid")},
    'collation', ${COLLATION('t.typcollation', 'b.typcollation')},
    'constraints', coalesce(${DOMAIN_CHECKS}, '[]'::json),
    'functions', ${USED_FUNCTIONS(`(u.classid = 'pg_type'::regclass and u.objid = t.oid)
      or (u.classid = 'pg_constraint'::regclass and u.objid in (select k.oid from pg_constraint k where k.contypid = t.oid))`)})),
  'arrayOid', t.typarray::int8)::text
from pg_type t join ns n on n.oid = t.typnamespace join pg_type b on b.oid = t.typbasetype where t.typtype = 'd'`

const DEPENDS = "pg_depend d where d.classid = 'pg_proc'::regclass and d.objid = p.oid"

const FUNCTIONS = `
select 'function', p.oid::text, json_build_object('declared', json_strip_nulls(json_build_object(
    'kind', 'function', 'schema', n.nspname, 'name', p.proname, 'argumentTypes', ${ARGUMENT_TYPES},
    'owner', pg_get_userbyid(p.proowner), 'comment', obj_description(p.oid, 'pg_proc'), 'grants', ${GRANTS('p.proacl')},
    'arguments', pg_get_function_arguments(p.oid), 'result', pg_get_function_result(p.oid),
    'definition', pg_get_functiondef(p.oid),
    'userTypes', ${USER_TYPES(`exists (select from ${DEPENDS} and d.refclassid = 'pg_type'::regclass and d.refobjid in (t.oid, t.typarray))`)},
    'functions', ${USED_FUNCTIONS("u.classid = 'pg_proc'::regclass and u.objid = p.oid")})),
  'argumentTypes', to_json(p.proargtypes::int8[]), 'resultType', p.prorettype::int8,
  'volatility', ${VOLATILITY('p')}, 'language', l.lanname,
  'isSecurityDefiner', p.prosecdef, 'settings', coalesce(to_json(p.proconfig), '[]'::json),
  'relations', coalesce((
    select json_agg(distinct c.relname) from (
      select case when d.refclassid = 'pg_class'::regclass then d.refobjid
        else coalesce(nullif(y.typrelid, 0), e.typrelid) end as relid
      from pg_depend d left join pg_type y on d.refclassid = 'pg_type'::regclass and y.oid = d.refobjid
      left join pg_type e on e.oid = y.typelem where d.classid = 'pg_proc'::regclass and d.objid = p.oid) r
    join pg_class c on c.oid = r.relid and c.oid >= 16384), '[]'::json))::text
from pg_proc p join functions f on f.oid = p.oid join pg_namespace n on n.oid = p.pronamespace join pg_language l on l.oid = p.prolang`
/** Nodes of casts, which pg_get_expr does not print around a whole expression where nobody wrote them (CoercionForm 2). */
const UNWRITTEN_CASTS =
  '^(\\{FUNCEXPR :funcid \\d+ :funcresulttype \\d+ :funcretset \\w+ :funcvariadic \\w+ :funcformat 2 [^{]*\\(|\\{(RELABELTYPE|COERCEVIAIO|COERCETODOMAIN) :arg )+'

/** The beginning of a node with its result type: `{OPEXPR :opno 1 :opfuncid 2 :opresulttype 3`. */
const RESULT_TYPE = '^\\{\\w+( :\\w+(no|id) -?\\d+)* :\\w+type (\\d+)'

/** The type that an expression has before it is cast to its column's; 0 where the node does not say, NULL where nothing casts it. */
const TYPE_BEFORE_CASTS = (
  expression: string,
): string => `case when ${expression}::text ~ '${UNWRITTEN_CASTS}' then
        coalesce((regexp_match(regexp_replace(${expression}::text, '${UNWRITTEN_CASTS}', ''), '${RESULT_TYPE}'))[3]::int8, 0) end`

const COLUMNS = `(
  select json_agg(json_build_object('attribute', a.attnum, 'declared', json_strip_nulls(json_build_object(
      'name', a.attname, 'type', format_type(a.atttypid, a.atttypmod), 'typeOid', a.atttypid::int8,
      'userType', ${USER_TYPES('t.oid = a.atttypid or t.typarray = a.atttypid')} -> 0,
      'typmod', a.atttypmod, 'notNull', a.attnotnull,
      'default', case when a.attgenerated = '' then pg_get_expr(ad.adbin, ad.adrelid) end,
      'defaultSequences', ${DEFAULT_SEQUENCES("d.classid = 'pg_attrdef'::regclass and d.objid = ad.oid")},
      'identity', case a.attidentity when 'a' then 'always' when 'd' then 'by-default' end,
      'generated', case when a.attgenerated <> '' then pg_get_expr(ad.adbin, ad.adrelid) end,
      'generatedFrom', case when a.attgenerated <> '' then ${TYPE_BEFORE_CASTS('ad.adbin')} end,
      'collation', ${COLLATION('a.attcollation', 't.typcollation')},
      'comment', col_description(c.oid, a.attnum), 'grants', ${GRANTS('a.attacl')},
      'statistics', case when a.attstattarget >= 0 then a.attstattarget end,
      'storage', case when a.attstorage <> t.typstorage then
        case a.attstorage when 'p' then 'plain' when 'e' then 'external' when 'x' then 'extended' else 'main' end end,
      'compression', case a.attcompression when 'p' then 'pglz' when 'l' then 'lz4' end,
      'options', to_json(a.attoptions)))) order by a.attnum)
  from pg_attribute a join pg_type t on t.oid = a.atttypid
  left join pg_attrdef ad on ad.adrelid = a.attrelid and ad.adnum = a.attnum
  where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped)`

const CONSTRAINTS = `(
  select json_agg(json_build_object('oid', k.oid::int8, 'declared', json_strip_nulls(json_build_object(
      'name', k.conname,
      'type', case k.contype when 'p' then 'primary-key' when 'u' then 'unique' when 'f' then 'foreign-key' else 'check' end,
      'columns', coalesce(${COLUMN_NAMES('k.conrelid', 'k.conkey')}, '[]'::json),
      'definition', pg_get_constraintdef(k.oid),
      'expression', case k.contype when 'c' then pg_get_expr(k.conbin, k.conrelid) end,
      'references', case k.contype when 'f' then (
        select json_build_object('schema', ${SCHEMA_NAME('r')}, 'name', r.relname,
          'columns', ${COLUMN_NAMES('k.confrelid', 'k.confkey')},
          'onUpdate', ${ACTION('k.confupdtype')}, 'onDelete', ${ACTION('k.confdeltype')})
        from pg_class r where r.oid = k.confrelid) end,
      'deferrable', case when k.condeferrable then true end,
      'comment', obj_description(k.oid, 'pg_constraint')))) order by k.conname)
  from pg_constraint k where k.conrelid = c.oid and k.contype in ('p', 'u', 'f', 'c'))`

const INDEXES = `(
  select json_agg(json_build_object('oid', i.indexrelid::int8, 'declared', json_strip_nulls(json_build_object(
      'name', ic.relname, 'unique', i.indisunique, 'method', am.amname,
      'columns', (
        select json_agg(json_strip_nulls(json_build_object('column', a.attname, 'descending', (o.option & 1) <> 0,
          'nullsFirst', (o.option & 2) <> 0)) order by o.n)
        from unnest(i.indoption::int2[]) with ordinality o(option, n)
        left join pg_attribute a on a.attrelid = i.indrelid and a.attnum = i.indkey[o.n - 1] and a.attnum > 0),
      'include', (
        select json_agg(a.attname order by k.n) from unnest(i.indkey::int2[]) with ordinality k(attnum, n)
        join pg_attribute a on a.attrelid = i.indrelid and a.attnum = k.attnum where k.n > i.indnkeyatts),
      'predicate', pg_get_expr(i.indpred, i.indrelid),
      'nullsNotDistinct', case when i.indnullsnotdistinct then true end,
      'definition', pg_get_indexdef(i.indexrelid),
      'comment', obj_description(i.indexrelid, 'pg_class')))) order by ic.relname)
  from pg_index i join pg_class ic on ic.oid = i.indexrelid join pg_am am on am.oid = ic.relam
  where i.indrelid = c.oid
    and not exists (select from pg_constraint k where k.conindid = i.indexrelid and k.contype in ('p', 'u', 'x')))`

const TABLE_OPTIONS = `(
  select json_agg(o.option order by o.place, o.n) from (
    select 1 as place, n, option from unnest(c.reloptions) with ordinality r(option, n)
    union all
    select 2, n, 'toast.' || option from pg_class tc, unnest(tc.reloptions) with ordinality r(option, n) where tc.oid = c.reltoastrelid
  ) o)`

const TABLES = `
select 'table', c.oid::text, json_build_object('declared', json_strip_nulls(json_build_object(
    'kind', 'table', 'schema', n.nspname, 'name', c.relname, 'owner', pg_get_userbyid(c.relowner),
    'comment', obj_description(c.oid, 'pg_class'), 'unlogged', case c.relpersistence when 'u' then true end,
    'grants', ${GRANTS('c.relacl')}, 'options', ${TABLE_OPTIONS},
    'clusterOn', (select x.relname from pg_index i join pg_class x on x.oid = i.indexrelid where i.indrelid = c.oid and i.indisclustered),
    'replicaIdentity', case c.relreplident when 'n' then to_json('nothing'::text) when 'f' then to_json('full'::text) when 'i' then (
      select json_build_object('index', x.relname) from pg_index i join pg_class x on x.oid = i.indexrelid
      where i.indrelid = c.oid and i.indisreplident) end,
    'functions', ${USED_FUNCTIONS(`(u.classid = 'pg_attrdef'::regclass and u.objid in (select ad.oid from pg_attrdef ad where ad.adrelid = c.oid))
      or (u.classid = 'pg_constraint'::regclass and u.objid in (select k.oid from pg_constraint k where k.conrelid = c.oid))
      or (u.classid = 'pg_class'::regclass and u.objid in (select i.indexrelid from pg_index i where i.indrelid = c.oid))`)})),
  'columns', coalesce(${COLUMNS}, '[]'::json),
  'constraints', coalesce(${CONSTRAINTS}, '[]'::json),
  'indexes', coalesce(${INDEXES}, '[]'::json))::text
from pg_class c join ns n on n.oid = c.relnamespace where c.relkind = 'r' and ${IS_ASKED_FOR}`

const VIEWS = `
select 'view', c.oid::text, json_build_object('declared', json_strip_nulls(json_build_object(
    'kind', 'view', 'schema', n.nspname, 'name', c.relname, 'owner', pg_get_userbyid(c.relowner),
    'comment', obj_description(c.oid, 'pg_class'),
    'columns', coalesce((
      select json_agg(json_build_object('name', a.attname, 'comment', col_description(c.oid, a.attnum),
        'default', pg_get_expr(ad.adbin, ad.adrelid), 'grants', ${GRANTS('a.attacl')}) order by a.attnum)
      from pg_attribute a left join pg_attrdef ad on ad.adrelid = a.attrelid and ad.adnum = a.attnum where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped), '[]'::json),
    'definition', pg_get_viewdef(c.oid), 'options', to_json(c.reloptions), 'grants', ${GRANTS('c.relacl')},
    'dependsOn', (
      select json_agg(${QUALIFIED('r')} order by ${SCHEMA_NAME('r')}, r.relname) from pg_class r
      where r.relkind in ('r', 'v', 'S') and r.oid <> c.oid and r.oid in (
        select d.refobjid from pg_rewrite w join pg_depend d on d.classid = 'pg_rewrite'::regclass and d.objid = w.oid
        where w.ev_class = c.oid and d.refclassid = 'pg_class'::regclass)
      and r.relnamespace in (select oid from ns)),
    'userTypes', ${USER_TYPES(`exists (
      select from pg_rewrite w join pg_depend d on d.classid = 'pg_rewrite'::regclass and d.objid = w.oid
      where w.ev_class = c.oid and d.refclassid = 'pg_type'::regclass and d.refobjid in (t.oid, t.typarray))`)},
    'functions', ${USED_FUNCTIONS(`(u.classid = 'pg_rewrite'::regclass and u.objid in (select w.oid from pg_rewrite w where w.ev_class = c.oid))
      or (u.classid = 'pg_attrdef'::regclass and u.objid in (select ad.oid from pg_attrdef ad where ad.adrelid = c.oid))`)})))::text
from pg_class c join ns n on n.oid = c.relnamespace where c.relkind = 'v' and ${IS_ASKED_FOR}`

const SEQUENCES = `
select 'sequence', c.oid::text, json_build_object('declared', json_strip_nulls(json_build_object(
    'kind', 'sequence', 'schema', n.nspname, 'name', c.relname, 'owner', pg_get_userbyid(c.relowner),
    'comment', obj_description(c.oid, 'pg_class'), 'grants', ${GRANTS('c.relacl')}, 'type', format_type(s.seqtypid, null),
    'start', s.seqstart::text, 'increment', s.seqincrement::text, 'min', s.seqmin::text, 'max', s.seqmax::text,
    'cache', s.seqcache::text, 'cycle', s.seqcycle,
    'ownedBy', (
      select json_build_object('schema', ${SCHEMA_NAME('t')}, 'name', t.relname, 'column', a.attname,
        'identity', d.deptype = 'i')
      from pg_depend d join pg_class t on t.oid = d.refobjid
      join pg_attribute a on a.attrelid = t.oid and a.attnum = d.refobjsubid
      where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.refclassid = 'pg_class'::regclass
        and d.refobjsubid > 0 and d.deptype in ('a', 'i')))),
  'typeOid', s.seqtypid::int8, 'file', pg_relation_filenode(c.oid)::text)::text
from pg_class c join ns n on n.oid = c.relnamespace join pg_sequence s on s.seqrelid = c.oid where c.relkind = 'S' and ${IS_ASKED_FOR}`

/** What this version stores no form of: kind in PostgreSQL's words, and the name. */
const OTHERS = `
select 'other', x.key, json_build_object('what', x.what, 'name', x.name)::text from (
  select 'c' || c.oid as key, case c.relkind when 'p' then 'partitioned table' when 'm' then 'materialized view'
      else 'foreign table' end as what, c.relname::text as name
    from pg_class c join ns n on n.oid = c.relnamespace where c.relkind in ('p', 'm', 'f')
  union all
  select 'i' || h.inhrelid || '.' || h.inhparent, 'table inheritance', h.inhrelid::regclass::text
    from pg_inherits h join pg_class c on c.oid = h.inhrelid join ns n on n.oid = c.relnamespace where c.relkind in ('r', 'p')
  union all
  select 't' || t.oid, case t.typtype when 'r' then 'range type'
      when 'c' then 'composite type' else 'base type' end, t.typname::text
    from pg_type t join ns n on n.oid = t.typnamespace left join pg_class c on c.oid = t.typrelid
    where (t.typtype = 'r' or (t.typtype = 'c' and c.relkind = 'c') or (t.typtype in ('b', 'p') and t.typelem = 0))
      and ${IS_NO_MEMBER('pg_type', 't')}
  union all
  select 'p' || p.oid, case p.prokind when 'p' then 'procedure' when 'a' then 'aggregate' when 'w' then 'window function' else 'temporary function' end, p.proname::text
    from pg_proc p where ${IS_NO_MEMBER('pg_proc', 'p')} and (p.pronamespace = pg_my_temp_schema()
      or (p.prokind <> 'f' and p.pronamespace in (select oid from ns)))
  union all
  select 'h' || h.oid, 'cast', format_type(h.castsource, null) || ' as ' || format_type(h.casttarget, null)
    from pg_cast h where h.oid >= 16384 and ${IS_NO_MEMBER('pg_cast', 'h')}
  union all
  select 'q' || d.classid || '.' || d.objid || '.' || d.refobjid, 'dependence on an extension', pg_describe_object(d.classid, d.objid, d.objsubid)
    from pg_depend d where d.deptype = 'x'
  union all
  select 'g' || g.oid, 'trigger', g.tgname::text from pg_trigger g where not g.tgisinternal
  union all
  select 'w' || w.oid, 'rule', w.rulename::text from pg_rewrite w join pg_class c on c.oid = w.ev_class
    join ns n on n.oid = c.relnamespace where w.rulename <> '_RETURN'
  union all
  select 'y' || y.oid, 'row security policy', y.polname::text from pg_policy y
  union all
  select 'l' || c.oid, 'row-level security', c.relname::text
    from pg_class c join ns n on n.oid = c.relnamespace where c.relrowsecurity
  union all
  select 'x' || k.oid, case k.contype when 'x' then 'exclusion constraint' else 'constraint trigger' end, k.conname::text
    from pg_constraint k join ns n on n.oid = k.connamespace where k.contype in ('x', 't') and k.conrelid <> 0
  union all
  select 'o' || o.oid, 'operator', o.oprname::text from pg_operator o join ns n on n.oid = o.oprnamespace where ${IS_NO_MEMBER('pg_operator', 'o')}
  union all
  select 'k' || o.oid, 'collation', o.collname::text from pg_collation o join ns n on n.oid = o.collnamespace
  union all
  select 'n' || v.oid, 'conversion', v.conname::text from pg_conversion v join ns n on n.oid = v.connamespace
  union all
  select 'd' || t.oid, 'text search dictionary', t.dictname::text
    from pg_ts_dict t join ns n on n.oid = t.dictnamespace where ${IS_NO_MEMBER('pg_ts_dict', 't')}
  union all
  select 'e' || t.oid, 'text search configuration', t.cfgname::text from pg_ts_config t join ns n on n.oid = t.cfgnamespace
  union all
  select 'v' || v.oid, 'event trigger', v.evtname::text from pg_event_trigger v
  union all
  select 'b' || b.oid, 'publication', b.pubname::text from pg_publication b
  union all
  select 'a' || d.oid, 'default privileges', pg_get_userbyid(d.defaclrole)::text from pg_default_acl d
  union all
  select 's' || s.oid, 'extended statistics object', s.stxname::text from pg_statistic_ext s join ns n on n.oid = s.stxnamespace
  union all
  select 'f' || f.oid, 'foreign server', f.srvname::text from pg_foreign_server f
) x`

/** What can be read of a schema by itself; `rest` is everything but tables, views and sequences. */
export type SnapshotPart = 'table' | 'view' | 'sequence' | 'rest'

export const ALL_PARTS: ReadonlySet<SnapshotPart> = new Set(['rest', 'sequence', 'table', 'view'])

const BRANCHES: Readonly<Record<SnapshotPart, readonly string[]>> = {
  rest: [SCHEMAS, EXTENSIONS, ENUMS, DOMAINS, FUNCTIONS, OTHERS],
  sequence: [SEQUENCES],
  table: [TABLES],
  view: [VIEWS],
}

/**
 * Parts of the schema of the connection's database: rows of (kind, oid, body), in no order. $1: OIDs of the tables, views and
 * sequences that are wanted, NULL for all. PostgreSQL needs longer to plan it than to run it, the longer the more parts there are.
 */
export function snapshotQuery(parts: ReadonlySet<SnapshotPart>): string {
  return `with ns as materialized (
  select oid, nspname, nspowner, nspacl from pg_namespace where nspname <> 'information_schema' and nspname !~ '^pg_'),
functions as materialized (
  select p.oid, json_build_object('schema', n.nspname, 'name', p.proname, 'argumentTypes', ${ARGUMENT_TYPES}) as called,
    row_number() over (order by n.nspname, p.proname, pg_get_function_identity_arguments(p.oid)) as place
  from pg_proc p join ns n on n.oid = p.pronamespace where p.prokind = 'f' and ${IS_NO_MEMBER('pg_proc', 'p')}),
uses as materialized (
  select d.classid, d.objid, d.refobjid from functions f join pg_depend d on d.refclassid = 'pg_proc'::regclass and d.refobjid = f.oid),
wanted as (select $1::oid[] as oids)
select o.kind, o.oid, o.body from (${[...parts].flatMap((part) => BRANCHES[part]).join('\nunion all')}) o(kind, oid, body)`
}
