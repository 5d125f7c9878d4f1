/** Relations of Spanner's pg_catalog ("pg_catalog in PostgreSQL-dialect databases"); the rest of PostgreSQL's are not there. */
const PG_CATALOG = new Set(
  (
    'pg_am pg_attrdef pg_attribute pg_class pg_collation pg_constraint pg_description pg_enum pg_extension pg_index pg_language pg_namespace ' +
    'pg_proc pg_range pg_sequence pg_type pg_available_extension_versions pg_available_extensions pg_backend_memory_contexts pg_config ' +
    'pg_cursors pg_file_settings pg_hba_file_rules pg_indexes pg_matviews pg_policies pg_prepared_xacts pg_publication_tables pg_roles ' +
    'pg_rules pg_sequences pg_settings pg_shmem_allocations pg_tables pg_views'
  ).split(' '),
)

const NOT_IN_INFORMATION_SCHEMA = new Set(
  (
    'information_schema_catalog_name administrable_role_authorizations applicable_roles attributes character_sets check_constraint_routine_usage ' +
    'collations collation_character_set_applicability column_domain_usage column_privileges column_udt_usage data_type_privileges ' +
    'domain_constraints domain_udt_usage domains element_types enabled_roles foreign_data_wrappers foreign_servers foreign_tables parameters ' +
    'role_column_grants role_routine_grants role_table_grants role_udt_grants role_usage_grants routine_column_usage routine_privileges ' +
    'routine_routine_usage routine_sequence_usage routine_table_usage routines sql_features sql_implementation_info sql_parts sql_sizing ' +
    'table_privileges transforms triggered_update_columns triggers udt_privileges usage_privileges user_defined_types view_column_usage ' +
    'view_routine_usage view_table_usage'
  ).split(' '),
)

/** Whether Spanner has a relation of one of PostgreSQL's own schemas. */
export function isRelationOfSpanner(schema: string, name: string): boolean {
  if (schema === 'pg_catalog') return PG_CATALOG.has(name)
  return schema !== 'information_schema' || !NOT_IN_INFORMATION_SCHEMA.has(name)
}
