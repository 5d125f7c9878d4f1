import { INTERLEAVE_PREFIX, MANAGED_INDEX } from './ddl-names.ts'
import type { Profile } from './profile.ts'

/*
 * Spanner's information_schema of the PostgreSQL dialect in place of PostgreSQL's, as far as Spanwire reads it: tables, columns, constraints,
 * indexes, sequences, views, options. All text is varchar as in Spanner, catalogs are the database's name (the emulator's are empty). Columns that
 * Spanner never fills are NULL, or empty where the emulator has them so.
 */

/** Schemas of users; everything that Spanwire and PostgreSQL keep is hidden. */
const VISIBLE = `n.nspname !~ '^(pg_|_spanner|spanner$|information_schema$)'`
/** What a profile decides, in the texts below: replaced by {@link informationSchemaScript}. */
const CATALOG = '%CATALOG%'
const SECURITY = '%SECURITY%'
const ON_UPDATE = '%ON_UPDATE%'
const HAS_COLUMN_OPTIONS = '%HAS_COLUMN_OPTIONS%'
const PROFILE_TEXTS: Readonly<Record<Profile, Readonly<Record<string, string>>>> = {
  production: {
    [CATALOG]: 'substr(current_database(), 4)::varchar',
    [SECURITY]: `'INVOKER'::varchar`,
    [ON_UPDATE]: ', NULL::varchar AS on_update_expression',
    [HAS_COLUMN_OPTIONS]: 'true',
  },
  'emulator-1.5.28': {
    [CATALOG]: `''::varchar`,
    [SECURITY]: `''::varchar`,
    [ON_UPDATE]: '',
    [HAS_COLUMN_OPTIONS]: 'false',
  },
}

/** Columns that are NULL, or an empty text, in every row. */
function nulls(names: string): string {
  return names.replace(/\w+/g, 'NULL::varchar AS $&').replaceAll(' NULL', ', NULL')
}

function empty(names: string): string {
  return names.replace(/\w+/g, "''::varchar AS $&").replaceAll(" ''", ", ''")
}

/** Text of a column's type as Spanner writes it. */
const SPANNER_TYPE = `replace(replace(format_type(a.atttypid, a.atttypmod), 'text', 'character varying'), 'interval', 'interval')`

const TABLES = `
CREATE VIEW information_schema.tables AS SELECT ${CATALOG} AS table_catalog, n.nspname::varchar AS table_schema, c.relname::varchar AS table_name,
  (CASE c.relkind WHEN 'v' THEN 'VIEW' ELSE 'BASE TABLE' END)::varchar AS table_type,
  ${nulls('self_referencing_column_name reference_generation user_defined_type_catalog user_defined_type_schema user_defined_type_name')},
  ${nulls('is_insertable_into is_typed commit_action')}, (SELECT p.relname::varchar FROM pg_class p WHERE p.oid = m.parent) AS parent_table_name,
  m.on_delete::varchar AS on_delete_action, (CASE c.relkind WHEN 'r' THEN 'COMMITTED' END)::varchar AS spanner_state,
  m.interleave::varchar AS interleave_type, m.ttl::varchar AS row_deletion_policy_expression
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace LEFT JOIN _spanner_meta.tables m ON m.relid = c.oid
  WHERE c.relkind IN ('r', 'v') AND ${VISIBLE};
CREATE VIEW information_schema.columns AS SELECT ${CATALOG} AS table_catalog, n.nspname::varchar AS table_schema, c.relname::varchar AS table_name,
  a.attname::varchar AS column_name, row_number() OVER (PARTITION BY c.oid ORDER BY a.attnum) AS ordinal_position,
  (CASE WHEN a.attgenerated = '' AND s.relid IS NULL THEN _spanner.default_text(c.oid, a.attnum, pg_get_expr(d.adbin, d.adrelid)) END)::varchar AS column_default,
  (CASE WHEN a.attnotnull THEN 'NO' ELSE 'YES' END)::varchar AS is_nullable,
  (CASE WHEN t.typcategory = 'A' THEN 'ARRAY' ELSE replace(format_type(a.atttypid, NULL), 'text', 'character varying') END)::varchar AS data_type,
  (CASE WHEN a.atttypid IN (1043, 1015) AND a.atttypmod > 0 THEN a.atttypmod - 4 END)::bigint AS character_maximum_length, NULL::bigint AS character_octet_length,
  (CASE a.atttypid WHEN 20 THEN 64 WHEN 701 THEN 53 WHEN 700 THEN 24 END)::bigint AS numeric_precision,
  (CASE a.atttypid WHEN 20 THEN 2 WHEN 701 THEN 2 WHEN 700 THEN 2 WHEN 1700 THEN 10 END)::bigint AS numeric_precision_radix,
  (CASE a.atttypid WHEN 20 THEN 0 END)::bigint AS numeric_scale, NULL::bigint AS datetime_precision, NULL::varchar AS interval_type,
  NULL::bigint AS interval_precision, ${empty('character_set_catalog character_set_schema character_set_name collation_catalog collation_schema collation_name')},
  ${empty('domain_catalog domain_schema domain_name udt_catalog udt_schema udt_name scope_catalog scope_schema scope_name')},
  NULL::bigint AS maximum_cardinality, ${nulls('dtd_identifier is_self_referencing')}, 'NO'::varchar AS is_identity,
  ${nulls('identity_generation identity_start identity_increment identity_maximum identity_minimum identity_cycle identity_kind')},
  ${nulls('identity_start_with_counter identity_skip_range_min identity_skip_range_max')},
  (CASE a.attgenerated WHEN 's' THEN 'ALWAYS' ELSE 'NEVER' END)::varchar AS is_generated,
  (CASE a.attgenerated WHEN 's' THEN _spanner.default_text(c.oid, a.attnum, pg_get_expr(d.adbin, d.adrelid)) END)::varchar AS generation_expression,
  (CASE WHEN c.relkind = 'v' OR a.attgenerated = 's' THEN 'NO' ELSE 'YES' END)::varchar AS is_updatable,
  (${SPANNER_TYPE})::varchar AS spanner_type, (CASE a.attgenerated WHEN 's' THEN 'YES' END)::varchar AS is_stored,
  'COMMITTED'::varchar AS spanner_state${ON_UPDATE}
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_attribute a ON a.attrelid = c.oid JOIN pg_type t ON t.oid = a.atttypid
  LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
  LEFT JOIN pg_depend own ON own.refclassid = 'pg_class'::regclass AND own.refobjid = c.oid AND own.refobjsubid = a.attnum AND own.deptype = 'a'
    AND own.classid = 'pg_class'::regclass AND EXISTS (SELECT FROM _spanner_meta.sequences q WHERE q.relid = own.objid AND q.is_identity)
  LEFT JOIN _spanner_meta.sequences s ON s.relid = own.objid AND s.is_identity
  WHERE c.relkind IN ('r', 'v') AND a.attnum > 0 AND NOT a.attisdropped AND ${VISIBLE};
CREATE VIEW information_schema.views AS SELECT ${CATALOG} AS table_catalog, n.nspname::varchar AS table_schema, c.relname::varchar AS table_name,
  _spanner.view_text(c.oid)::varchar AS view_definition,
  ${empty('check_option is_updatable is_insertable_into is_trigger_updatable is_trigger_deletable is_trigger_insertable_into')}, ${SECURITY} AS security_type
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind = 'v' AND ${VISIBLE};
CREATE VIEW information_schema.schemata AS SELECT ${CATALOG} AS catalog_name, n.nspname::varchar AS schema_name, ''::varchar AS schema_owner,
  ${empty('default_character_set_catalog default_character_set_schema default_character_set_name sql_path')}, 0::bigint AS effective_timestamp
  FROM (SELECT n.nspname FROM pg_namespace n WHERE ${VISIBLE} OR n.nspname IN ('information_schema', 'pg_catalog') UNION ALL SELECT 'spanner_sys') n;
CREATE VIEW information_schema.database_options AS
  SELECT ${CATALOG} AS catalog_name, 'public'::varchar AS schema_name, o.name::varchar AS option_name, 'character varying'::varchar AS option_type, o.value::varchar AS option_value
  FROM (SELECT name, value FROM _spanner_meta.options UNION ALL SELECT 'database_dialect', 'POSTGRESQL') o;
CREATE VIEW information_schema.information_schema_catalog_name AS SELECT ${CATALOG} AS catalog_name;
CREATE VIEW information_schema.sequences AS SELECT ${CATALOG} AS sequence_catalog, n.nspname::varchar AS sequence_schema, c.relname::varchar AS sequence_name,
  'INT64'::varchar AS data_type, NULL::bigint AS numeric_precision, NULL::bigint AS numeric_precision_radix, NULL::bigint AS numeric_scale,
  NULL::bigint AS start_value, NULL::bigint AS minimum_value, NULL::bigint AS maximum_value, NULL::bigint AS increment, 'NO'::varchar AS cycle_option, 'bit_reversed_positive'::varchar AS sequence_kind,
  s.start_with AS counter_start_value, s.skip_min AS skip_range_min, s.skip_max AS skip_range_max
  FROM _spanner_meta.sequences s JOIN pg_class c ON c.oid = s.relid JOIN pg_namespace n ON n.oid = c.relnamespace WHERE NOT s.is_identity;
`

/** Index names as Spanner shows them, and what hides. `x` pg_index, `i` the index's pg_class, `c` the table's. */
const INDEX_SOURCE = `FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_class c ON c.oid = x.indrelid
  JOIN pg_namespace n ON n.oid = c.relnamespace`
const INDEX_COLUMNS = `${CATALOG} AS table_catalog, n.nspname::varchar AS table_schema, c.relname::varchar AS table_name,
  (CASE WHEN x.indisprimary THEN 'PRIMARY_KEY' ELSE i.relname END)::varchar AS index_name,
  (CASE WHEN x.indisprimary THEN 'PRIMARY_KEY' WHEN i.relam = (SELECT am.oid FROM pg_am am WHERE am.amname = 'gin') THEN 'SEARCH' ELSE 'INDEX' END)::varchar AS index_type`
/** Unique indexes are exclusion constraints, but for some (install-unique-indexes.ts). */
const IS_UNIQUE = '(x.indisunique OR x.indisexclusion)'
/** An index that Spanner made for the referencing side of a foreign key leaves NULLs out. */
const BACKS_KEY = `(i.relname ~ '${MANAGED_INDEX}' AND NOT x.indisunique)`

const INDEXES = `
CREATE VIEW information_schema.indexes AS SELECT ${INDEX_COLUMNS}, ''::varchar AS parent_table_name,
  (CASE WHEN ${IS_UNIQUE} THEN 'YES' ELSE 'NO' END)::varchar AS is_unique,
  (CASE WHEN x.indpred IS NULL AND NOT ${BACKS_KEY} THEN 'NO' ELSE 'YES' END)::varchar AS is_null_filtered,
  (CASE WHEN NOT x.indisprimary THEN 'READ_WRITE' END)::varchar AS index_state,
  (CASE WHEN i.relname ~ '${MANAGED_INDEX}' THEN 'YES' ELSE 'NO' END)::varchar AS spanner_is_managed,
  pg_get_expr(x.indpred, x.indrelid)::varchar AS filter
  ${INDEX_SOURCE} WHERE ${VISIBLE};
CREATE VIEW information_schema.index_columns AS SELECT ${INDEX_COLUMNS}, a.attname::varchar AS column_name,
  (CASE WHEN k.position <= x.indnkeyatts THEN k.position END)::bigint AS ordinal_position,
  (CASE WHEN k.position <= x.indnkeyatts THEN CASE WHEN ${BACKS_KEY} THEN 'ASC NULLS FIRST' ELSE CASE (x.indoption::int2[])[k.position - 1] WHEN 0 THEN 'ASC' WHEN 3 THEN 'DESC'
    WHEN 2 THEN 'ASC NULLS FIRST' ELSE 'DESC NULLS LAST' END END END)::varchar AS column_ordering,
  (CASE WHEN a.attnotnull OR ((x.indpred IS NOT NULL OR ${IS_UNIQUE} OR ${BACKS_KEY}) AND k.position <= x.indnkeyatts) THEN 'NO' ELSE 'YES' END)::varchar AS is_nullable,
  (${SPANNER_TYPE})::varchar AS spanner_type
  ${INDEX_SOURCE}, unnest(x.indkey::int2[]) WITH ORDINALITY k(attnum, position), pg_attribute a
  WHERE a.attrelid = c.oid AND a.attnum = k.attnum AND ${VISIBLE};
`

/** Constraints that users see: not the foreign key that stands for interleaving. `k` pg_constraint, `c` the table. */
const CONSTRAINTS = `pg_constraint k JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE k.contype IN ('p', 'f', 'c') AND k.conname !~ '^${INTERLEAVE_PREFIX}' AND ${VISIBLE}`
const CONSTRAINT_NAME = `${CATALOG} AS constraint_catalog, n.nspname::varchar AS constraint_schema`
const NOT_NULL_NAME = `('CK_IS_NOT_NULL_' || c.relname || '_' || a.attname)::varchar`
const NOT_NULLS = `pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind = 'r' AND a.attnum > 0 AND a.attnotnull AND NOT a.attisdropped AND ${VISIBLE}`
const MANAGED_UNIQUES = `pg_index x JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_class c ON c.oid = x.indrelid JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE x.indisunique AND i.relname ~ '${MANAGED_INDEX}' AND ${VISIBLE}`
const OF_TABLE = `${CATALOG} AS table_catalog, n.nspname::varchar AS table_schema, c.relname::varchar AS table_name`
const CONSTRAINT_FLAGS = `'NO'::varchar AS is_deferrable, 'NO'::varchar AS initially_deferred, 'YES'::varchar AS enforced`

const CONSTRAINT_VIEWS = `
CREATE VIEW information_schema.table_constraints AS
  SELECT ${CONSTRAINT_NAME}, k.conname::varchar AS constraint_name, ${OF_TABLE},
    (CASE k.contype WHEN 'p' THEN 'PRIMARY KEY' WHEN 'f' THEN 'FOREIGN KEY' ELSE 'CHECK' END)::varchar AS constraint_type, ${CONSTRAINT_FLAGS} FROM ${CONSTRAINTS}
  UNION ALL SELECT ${CONSTRAINT_NAME}, ${NOT_NULL_NAME}, ${OF_TABLE}, 'CHECK'::varchar, ${CONSTRAINT_FLAGS} FROM ${NOT_NULLS}
  UNION ALL SELECT ${CONSTRAINT_NAME}, i.relname::varchar, ${OF_TABLE}, 'UNIQUE'::varchar, ${CONSTRAINT_FLAGS} FROM ${MANAGED_UNIQUES};
CREATE VIEW information_schema.check_constraints AS
  SELECT ${CONSTRAINT_NAME}, k.conname::varchar AS constraint_name, _spanner.expression_text(pg_get_expr(k.conbin, k.conrelid), k.conrelid)::varchar AS check_clause, 'COMMITTED'::varchar AS spanner_state
    FROM ${CONSTRAINTS} AND k.contype = 'c'
  UNION ALL SELECT ${CONSTRAINT_NAME}, ${NOT_NULL_NAME}, (a.attname || ' IS NOT NULL')::varchar, 'COMMITTED'::varchar FROM ${NOT_NULLS};
CREATE VIEW information_schema.referential_constraints AS
  SELECT ${CONSTRAINT_NAME}, k.conname::varchar AS constraint_name, ${CATALOG} AS unique_constraint_catalog,
    (SELECT u.nspname::varchar FROM pg_class r JOIN pg_namespace u ON u.oid = r.relnamespace WHERE r.oid = k.confrelid) AS unique_constraint_schema,
    (SELECT i.relname::varchar FROM pg_class i WHERE i.oid = k.conindid) AS unique_constraint_name, 'NONE'::varchar AS match_option,
    'NO ACTION'::varchar AS update_rule, (CASE k.confdeltype WHEN 'c' THEN 'CASCADE' ELSE 'NO ACTION' END)::varchar AS delete_rule, 'COMMITTED'::varchar AS spanner_state
  FROM ${CONSTRAINTS} AND k.contype = 'f';
CREATE VIEW information_schema.key_column_usage AS
  SELECT o.constraint_catalog, o.constraint_schema, o.constraint_name, o.table_catalog, o.table_schema, o.table_name, a.attname::varchar AS column_name,
    p.position AS ordinal_position, (CASE o.contype WHEN 'f' THEN array_position(x.indkey::int2[], o.confkey[p.position]) + 1 - array_lower(x.indkey::int2[], 1) END)::bigint AS position_in_unique_constraint
  FROM (SELECT ${CONSTRAINT_NAME}, k.conname::varchar AS constraint_name, ${OF_TABLE}, k.conrelid, k.conkey, k.confkey, k.contype, k.conindid FROM ${CONSTRAINTS} AND k.contype IN ('p', 'f')) o
  CROSS JOIN unnest(o.conkey) WITH ORDINALITY p(attnum, position) JOIN pg_attribute a ON a.attrelid = o.conrelid AND a.attnum = p.attnum
  LEFT JOIN pg_index x ON x.indexrelid = o.conindid
  UNION ALL SELECT ${CONSTRAINT_NAME}, i.relname::varchar, ${OF_TABLE}, a.attname::varchar, p.position, NULL::bigint
  FROM (pg_index x JOIN pg_class i ON i.oid = x.indexrelid AND x.indisunique AND i.relname ~ '${MANAGED_INDEX}' JOIN pg_class c ON c.oid = x.indrelid
    JOIN pg_namespace n ON n.oid = c.relnamespace) CROSS JOIN unnest(x.indkey::int2[]) WITH ORDINALITY p(attnum, position)
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = p.attnum WHERE ${VISIBLE};
CREATE VIEW information_schema.constraint_column_usage AS
  SELECT ${CATALOG} AS table_catalog, tn.nspname::varchar AS table_schema, tc.relname::varchar AS table_name, a.attname::varchar AS column_name,
    o.constraint_catalog, o.constraint_schema, o.constraint_name
  FROM (SELECT ${CONSTRAINT_NAME}, k.conname::varchar AS constraint_name, CASE k.contype WHEN 'f' THEN k.confrelid ELSE k.conrelid END AS relid,
      CASE k.contype WHEN 'f' THEN k.confkey ELSE k.conkey END AS keys FROM ${CONSTRAINTS}) o
  JOIN pg_attribute a ON a.attrelid = o.relid AND a.attnum = ANY (o.keys) JOIN pg_class tc ON tc.oid = o.relid JOIN pg_namespace tn ON tn.oid = tc.relnamespace
  UNION ALL SELECT ${OF_TABLE}, a.attname::varchar, ${CONSTRAINT_NAME}, ${NOT_NULL_NAME} FROM ${NOT_NULLS};
CREATE VIEW information_schema.constraint_table_usage AS
  SELECT ${CATALOG} AS table_catalog, tn.nspname::varchar AS table_schema, tc.relname::varchar AS table_name, o.constraint_catalog, o.constraint_schema, o.constraint_name
  FROM (SELECT ${CONSTRAINT_NAME}, k.conname::varchar AS constraint_name, CASE k.contype WHEN 'f' THEN k.confrelid ELSE k.conrelid END AS relid
    FROM ${CONSTRAINTS} AND k.contype IN ('p', 'f')) o JOIN pg_class tc ON tc.oid = o.relid JOIN pg_namespace tn ON tn.oid = tc.relnamespace;
CREATE VIEW information_schema.column_column_usage AS
  SELECT DISTINCT ${OF_TABLE}, a.attname::varchar AS column_name, g.attname::varchar AS dependent_column
  FROM pg_attrdef d JOIN pg_attribute g ON g.attrelid = d.adrelid AND g.attnum = d.adnum AND g.attgenerated = 's'
  JOIN pg_depend p ON p.classid = 'pg_attrdef'::regclass AND p.objid = d.oid AND p.refobjid = d.adrelid AND p.refobjsubid > 0 AND p.refobjsubid <> d.adnum
  JOIN pg_attribute a ON a.attrelid = d.adrelid AND a.attnum = p.refobjsubid JOIN pg_class c ON c.oid = d.adrelid JOIN pg_namespace n ON n.oid = c.relnamespace WHERE ${VISIBLE};
CREATE VIEW information_schema.column_options AS SELECT ${OF_TABLE}, a.attname::varchar AS column_name, 'allow_commit_timestamp'::varchar AS option_name,
  'TRUE'::varchar AS option_value, 'boolean'::varchar AS option_type
  FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind = 'r' AND a.attnum > 0 AND a.atttypid = 'spanner.commit_timestamp'::regtype AND NOT a.attisdropped AND ${HAS_COLUMN_OPTIONS} AND ${VISIBLE};
`

const STREAM_NAME = `${CATALOG} AS change_stream_catalog, 'public'::varchar AS change_stream_schema`
const STREAM_TABLE = `FROM _spanner_meta.change_stream_tables s JOIN pg_class c ON c.oid = s.relid JOIN pg_namespace n ON n.oid = c.relnamespace`

const CHANGE_STREAMS = `
CREATE VIEW information_schema.change_streams AS SELECT ${STREAM_NAME}, name::varchar AS change_stream_name,
  (CASE WHEN tracks_all THEN 'YES' ELSE 'NO' END)::varchar AS "all" FROM _spanner_meta.change_streams;
CREATE VIEW information_schema.change_stream_tables AS SELECT ${STREAM_NAME}, s.stream::varchar AS change_stream_name, ${OF_TABLE},
  (CASE WHEN s.columns IS NULL THEN 'YES' ELSE 'NO' END)::varchar AS all_columns ${STREAM_TABLE};
CREATE VIEW information_schema.change_stream_columns AS SELECT ${STREAM_NAME}, s.stream::varchar AS change_stream_name, ${OF_TABLE}, col::varchar AS column_name
  ${STREAM_TABLE} CROSS JOIN unnest(s.columns) col;
CREATE VIEW information_schema.change_stream_options AS SELECT ${STREAM_NAME}, stream::varchar AS change_stream_name, name::varchar AS option_name,
  'character varying'::varchar AS option_type, value::varchar AS option_value FROM _spanner_meta.change_stream_options;
`

/** Kinds of objects that this server does not make: nothing is in them. */
const EMPTY_VIEWS = `
CREATE VIEW information_schema.spanner_statistics AS SELECT ${CATALOG} AS catalog_name, ''::varchar AS schema_name, ''::varchar AS package_name,
  ''::varchar AS allow_gc WHERE false;
`

/** SQL that replaces PostgreSQL's information_schema. Run by a superuser, after the other scripts. */
export function informationSchemaScript(profile: Profile): string {
  const script = [
    'SET search_path = pg_catalog;',
    'DROP SCHEMA IF EXISTS information_schema CASCADE; CREATE SCHEMA information_schema;',
    TABLES,
    INDEXES,
    CONSTRAINT_VIEWS,
    CHANGE_STREAMS,
    EMPTY_VIEWS,
    'GRANT USAGE ON SCHEMA information_schema TO PUBLIC; GRANT SELECT ON ALL TABLES IN SCHEMA information_schema TO PUBLIC;',
  ].join('\n')
  const texts = PROFILE_TEXTS[profile]
  return script.replace(/%[A-Z_]+%/g, (name) => texts[name] ?? name)
}
