import { ANYTHING, BOOLEAN, COUNT, type OwnSetting, oneOf } from './setting-kinds.ts'

/**
 * Settings of PGAdapter (its page on session management, and those of its connections) that change nothing here: they say what is
 * always so, and other values are refused where they would mean something else (`only`), or they tune what Spanwire does not have.
 */
export const PGADAPTER_SETTINGS: readonly OwnSetting[] = [
  {
    name: 'spanner.savepoint_support',
    defaultValue: 'ENABLED',
    ...oneOf('ENABLED', 'FAIL_AFTER_ROLLBACK', 'DISABLED'),
    only: 'ENABLED',
    help: 'Savepoints always work, and so does what follows ROLLBACK TO.',
  },
  {
    name: 'spanner.force_autocommit',
    defaultValue: 'off',
    ...BOOLEAN,
    only: 'off',
    help: 'BEGIN, COMMIT and ROLLBACK are never ignored.',
  },
  {
    name: 'spanner.delay_transaction_start_until_first_write',
    defaultValue: 'off',
    ...BOOLEAN,
    only: 'off',
    help: 'A read-write transaction begins at Spanner with its first statement; spanner.read_lock_mode = OPTIMISTIC reads without locks.',
  },
  {
    name: 'spanner.ddl_transaction_mode',
    defaultValue: 'Batch',
    ...oneOf('Single', 'Batch', 'AutocommitImplicitTransaction', 'AutocommitExplicitTransaction'),
    help: 'DDL takes part in transactions, in every mode; what stands together goes to Spanner in one request.',
  },
  {
    name: 'spanner.support_drop_cascade',
    defaultValue: 'on',
    ...BOOLEAN,
    only: 'on',
    help: 'DROP .. CASCADE works as in PostgreSQL.',
  },
  {
    name: 'spanner.auto_batch_dml',
    defaultValue: 'off',
    ...BOOLEAN,
    only: 'off',
    help: 'DML of one query string or pipeline goes to Spanner together by itself; START BATCH DML says it for statements that come one by one.',
  },
  {
    name: 'spanner.auto_batch_dml_update_count',
    defaultValue: '1',
    ...COUNT,
    help: 'Nothing, without spanner.auto_batch_dml.',
  },
  {
    name: 'spanner.auto_batch_dml_update_count_verification',
    defaultValue: 'on',
    ...BOOLEAN,
    help: 'Nothing, without spanner.auto_batch_dml.',
  },
  {
    name: 'spanner.auto_partition_mode',
    defaultValue: 'off',
    ...BOOLEAN,
    only: 'off',
    help: 'Queries are not cut into partitions.',
  },
  {
    name: 'spanner.data_boost_enabled',
    defaultValue: 'off',
    ...BOOLEAN,
    only: 'off',
    help: 'Data Boost is for queries that are cut into partitions.',
  },
  {
    name: 'spanner.max_partitions',
    defaultValue: '0',
    ...COUNT,
    help: 'Nothing, without spanner.auto_partition_mode.',
  },
  {
    name: 'spanner.max_partitioned_parallelism',
    defaultValue: '1',
    ...COUNT,
    help: 'Nothing, without spanner.auto_partition_mode.',
  },
  {
    name: 'spanner.copy_upsert',
    defaultValue: 'off',
    ...BOOLEAN,
    only: 'off',
    help: 'COPY inserts: a key that is there is 23505, as in PostgreSQL.',
  },
  ...['spanner.copy_batch_size', 'spanner.copy_max_parallelism'].map((name) => ({
    name,
    defaultValue: '0',
    ...COUNT,
    help: 'Nothing: COPY is one transaction, whose rows go to Spanner in batches by their size.',
  })),
  ...[
    'spanner.copy_commit_timeout',
    'spanner.copy_commit_priority',
    'spanner.copy_max_non_atomic_commit_size',
    'spanner.copy_commit_size_multiplier_factor',
  ].map((name) => ({
    name,
    defaultValue: '',
    ...ANYTHING,
    help: 'Nothing: COPY is one transaction, with the settings of any other.',
  })),
  {
    name: 'spanner.copy_partition_query',
    defaultValue: 'off',
    ...BOOLEAN,
    help: 'Nothing: COPY TO reads as the same SELECT does.',
  },
  {
    name: 'spanner.guess_types',
    defaultValue: '',
    ...ANYTHING,
    help: 'Nothing: parameters have the types that PostgreSQL finds for them.',
  },
  {
    name: 'spanner.well_known_client',
    defaultValue: 'UNSPECIFIED',
    ...ANYTHING,
    help: 'Nothing: all clients get what PostgreSQL would answer.',
  },
  ...['spanner.replace_pg_catalog_tables', 'spanner.emulate_pg_class_tables'].map((name) => ({
    name,
    defaultValue: 'off',
    ...BOOLEAN,
    help: 'Nothing: PostgreSQL itself answers queries of the catalogs.',
  })),
  {
    name: 'spanner.replace_for_update',
    defaultValue: 'on',
    ...BOOLEAN,
    help: 'Nothing: FOR UPDATE is written as the backend takes it.',
  },
  {
    name: 'spanner.auto_add_limit_clause',
    defaultValue: 'on',
    ...BOOLEAN,
    help: 'Nothing: OFFSET works without LIMIT.',
  },
  ...['spanner.binary_conversion_buffer_size', 'spanner.string_conversion_buffer_size'].map(
    (name) => ({ name, defaultValue: '0', ...COUNT, help: 'Nothing: values are not copied.' }),
  ),
  {
    name: 'spanner.log_slow_statement_threshold',
    defaultValue: '',
    ...ANYTHING,
    help: 'Nothing: slow statements have no log of their own.',
  },
]
