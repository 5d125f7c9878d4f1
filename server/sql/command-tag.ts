import { type RawBody, type RawNode, rawNodeName, type StatementNodeName } from './raw-node.ts'

type Rules = { readonly [K in StatementNodeName]: string | ((body: RawBody<K>) => string) }

type ObjectKind = NonNullable<RawBody<'DropStmt'>['removeType']>

/** The words for an object in the tags CREATE, ALTER and DROP (src/include/tcop/cmdtaglist.h; AlterObjectTypeCommandTag in src/backend/tcop/utility.c). */
const OBJECT: { readonly [K in ObjectKind]?: string } = {
  OBJECT_ACCESS_METHOD: 'ACCESS METHOD',
  OBJECT_AGGREGATE: 'AGGREGATE',
  OBJECT_ATTRIBUTE: 'TYPE',
  OBJECT_CAST: 'CAST',
  OBJECT_COLLATION: 'COLLATION',
  OBJECT_COLUMN: 'TABLE',
  OBJECT_CONVERSION: 'CONVERSION',
  OBJECT_DATABASE: 'DATABASE',
  OBJECT_DOMAIN: 'DOMAIN',
  OBJECT_DOMCONSTRAINT: 'DOMAIN',
  OBJECT_EVENT_TRIGGER: 'EVENT TRIGGER',
  OBJECT_EXTENSION: 'EXTENSION',
  OBJECT_FDW: 'FOREIGN DATA WRAPPER',
  OBJECT_FOREIGN_SERVER: 'SERVER',
  OBJECT_FOREIGN_TABLE: 'FOREIGN TABLE',
  OBJECT_FUNCTION: 'FUNCTION',
  OBJECT_INDEX: 'INDEX',
  OBJECT_LANGUAGE: 'LANGUAGE',
  OBJECT_LARGEOBJECT: 'LARGE OBJECT',
  OBJECT_MATVIEW: 'MATERIALIZED VIEW',
  OBJECT_OPCLASS: 'OPERATOR CLASS',
  OBJECT_OPERATOR: 'OPERATOR',
  OBJECT_OPFAMILY: 'OPERATOR FAMILY',
  OBJECT_POLICY: 'POLICY',
  OBJECT_PROCEDURE: 'PROCEDURE',
  OBJECT_PUBLICATION: 'PUBLICATION',
  OBJECT_ROLE: 'ROLE',
  OBJECT_ROUTINE: 'ROUTINE',
  OBJECT_RULE: 'RULE',
  OBJECT_SCHEMA: 'SCHEMA',
  OBJECT_SEQUENCE: 'SEQUENCE',
  OBJECT_STATISTIC_EXT: 'STATISTICS',
  OBJECT_SUBSCRIPTION: 'SUBSCRIPTION',
  OBJECT_TABCONSTRAINT: 'TABLE',
  OBJECT_TABLE: 'TABLE',
  OBJECT_TABLESPACE: 'TABLESPACE',
  OBJECT_TRANSFORM: 'TRANSFORM',
  OBJECT_TRIGGER: 'TRIGGER',
  OBJECT_TSCONFIGURATION: 'TEXT SEARCH CONFIGURATION',
  OBJECT_TSDICTIONARY: 'TEXT SEARCH DICTIONARY',
  OBJECT_TSPARSER: 'TEXT SEARCH PARSER',
  OBJECT_TSTEMPLATE: 'TEXT SEARCH TEMPLATE',
  OBJECT_TYPE: 'TYPE',
  OBJECT_USER_MAPPING: 'USER MAPPING',
  OBJECT_VIEW: 'VIEW',
}

const TRANSACTION: Record<NonNullable<RawBody<'TransactionStmt'>['kind']>, string> = {
  TRANS_STMT_BEGIN: 'BEGIN',
  TRANS_STMT_START: 'START TRANSACTION',
  TRANS_STMT_COMMIT: 'COMMIT',
  TRANS_STMT_ROLLBACK: 'ROLLBACK',
  TRANS_STMT_SAVEPOINT: 'SAVEPOINT',
  TRANS_STMT_RELEASE: 'RELEASE',
  TRANS_STMT_ROLLBACK_TO: 'ROLLBACK',
  TRANS_STMT_PREPARE: 'PREPARE TRANSACTION',
  TRANS_STMT_COMMIT_PREPARED: 'COMMIT PREPARED',
  TRANS_STMT_ROLLBACK_PREPARED: 'ROLLBACK PREPARED',
}

/** Total over PostgreSQL's statement nodes (CreateCommandTag, src/backend/tcop/utility.c). */
const RULES: Rules = {
  // CREATE TABLE AS and SELECT INTO count rows under SELECT, unless nothing was selected.
  SelectStmt: 'SELECT',
  CreateTableAsStmt: (body) => {
    if (body.into?.skipData !== true) return 'SELECT'
    return body.objtype === 'OBJECT_MATVIEW' ? 'CREATE MATERIALIZED VIEW' : 'CREATE TABLE AS'
  },
  InsertStmt: 'INSERT',
  UpdateStmt: 'UPDATE',
  DeleteStmt: 'DELETE',
  MergeStmt: 'MERGE',
  TruncateStmt: 'TRUNCATE TABLE',
  CopyStmt: 'COPY',

  TransactionStmt: (body) => TRANSACTION[body.kind ?? 'TRANS_STMT_BEGIN'],
  ConstraintsSetStmt: 'SET CONSTRAINTS',
  VariableSetStmt: (body) =>
    body.kind === 'VAR_RESET' || body.kind === 'VAR_RESET_ALL' ? 'RESET' : 'SET',
  VariableShowStmt: 'SHOW',
  PrepareStmt: 'PREPARE',
  ExecuteStmt: 'EXECUTE',
  DeallocateStmt: (body) => (body.isall === true ? 'DEALLOCATE ALL' : 'DEALLOCATE'),
  DiscardStmt: (body) => (body.target ?? 'DISCARD_ALL').replace('_', ' '),
  LockStmt: 'LOCK TABLE',
  DeclareCursorStmt: 'DECLARE CURSOR',
  FetchStmt: (body) => (body.ismove === true ? 'MOVE' : 'FETCH'),
  ClosePortalStmt: (body) => (body.portalname === undefined ? 'CLOSE CURSOR ALL' : 'CLOSE CURSOR'),
  ListenStmt: 'LISTEN',
  NotifyStmt: 'NOTIFY',
  UnlistenStmt: 'UNLISTEN',
  ExplainStmt: 'EXPLAIN',
  DoStmt: 'DO',
  CallStmt: 'CALL',
  LoadStmt: 'LOAD',

  VacuumStmt: (body) => (body.is_vacuumcmd === true ? 'VACUUM' : 'ANALYZE'),
  ClusterStmt: 'CLUSTER',
  ReindexStmt: 'REINDEX',
  CheckPointStmt: 'CHECKPOINT',
  RefreshMatViewStmt: 'REFRESH MATERIALIZED VIEW',

  CreatedbStmt: 'CREATE DATABASE',
  DropdbStmt: 'DROP DATABASE',
  AlterDatabaseStmt: 'ALTER DATABASE',
  AlterDatabaseRefreshCollStmt: 'ALTER DATABASE',
  AlterDatabaseSetStmt: 'ALTER DATABASE',

  CreateRoleStmt: 'CREATE ROLE',
  AlterRoleStmt: 'ALTER ROLE',
  AlterRoleSetStmt: 'ALTER ROLE',
  DropRoleStmt: 'DROP ROLE',
  GrantRoleStmt: (body) => (body.is_grant === true ? 'GRANT ROLE' : 'REVOKE ROLE'),
  CreateTableSpaceStmt: 'CREATE TABLESPACE',
  DropTableSpaceStmt: 'DROP TABLESPACE',
  AlterTableSpaceOptionsStmt: 'ALTER TABLESPACE',
  AlterSystemStmt: 'ALTER SYSTEM',
  CommentStmt: 'COMMENT',
  SecLabelStmt: 'SECURITY LABEL',
  GrantStmt: (body) => (body.is_grant === true ? 'GRANT' : 'REVOKE'),

  // ALTER ... RENAME COLUMN is named after what the column belongs to.
  RenameStmt: (body) =>
    alter(body.renameType === 'OBJECT_COLUMN' ? body.relationType : body.renameType),
  AlterOwnerStmt: (body) => alter(body.objectType),
  AlterObjectSchemaStmt: (body) => alter(body.objectType),
  AlterObjectDependsStmt: (body) => alter(body.objectType),
  AlterTableStmt: (body) => alter(body.objtype),
  AlterTableMoveAllStmt: (body) => alter(body.objtype),
  AlterFunctionStmt: (body) => alter(body.objtype),
  AlterCollationStmt: 'ALTER COLLATION',
  AlterDefaultPrivilegesStmt: 'ALTER DEFAULT PRIVILEGES',
  AlterDomainStmt: 'ALTER DOMAIN',
  AlterEnumStmt: 'ALTER TYPE',
  AlterEventTrigStmt: 'ALTER EVENT TRIGGER',
  AlterExtensionContentsStmt: 'ALTER EXTENSION',
  AlterExtensionStmt: 'ALTER EXTENSION',
  AlterFdwStmt: 'ALTER FOREIGN DATA WRAPPER',
  AlterForeignServerStmt: 'ALTER SERVER',
  AlterOpFamilyStmt: 'ALTER OPERATOR FAMILY',
  AlterOperatorStmt: 'ALTER OPERATOR',
  AlterPolicyStmt: 'ALTER POLICY',
  AlterPublicationStmt: 'ALTER PUBLICATION',
  AlterSeqStmt: 'ALTER SEQUENCE',
  AlterStatsStmt: 'ALTER STATISTICS',
  AlterSubscriptionStmt: 'ALTER SUBSCRIPTION',
  AlterTSConfigurationStmt: 'ALTER TEXT SEARCH CONFIGURATION',
  AlterTSDictionaryStmt: 'ALTER TEXT SEARCH DICTIONARY',
  AlterTypeStmt: 'ALTER TYPE',
  AlterUserMappingStmt: 'ALTER USER MAPPING',
  CompositeTypeStmt: 'CREATE TYPE',
  CreateAmStmt: 'CREATE ACCESS METHOD',
  CreateCastStmt: 'CREATE CAST',
  CreateConversionStmt: 'CREATE CONVERSION',
  CreateDomainStmt: 'CREATE DOMAIN',
  CreateEnumStmt: 'CREATE TYPE',
  CreateEventTrigStmt: 'CREATE EVENT TRIGGER',
  CreateExtensionStmt: 'CREATE EXTENSION',
  CreateFdwStmt: 'CREATE FOREIGN DATA WRAPPER',
  CreateForeignServerStmt: 'CREATE SERVER',
  CreateForeignTableStmt: 'CREATE FOREIGN TABLE',
  CreateFunctionStmt: (body) =>
    body.is_procedure === true ? 'CREATE PROCEDURE' : 'CREATE FUNCTION',
  CreateOpClassStmt: 'CREATE OPERATOR CLASS',
  CreateOpFamilyStmt: 'CREATE OPERATOR FAMILY',
  CreatePLangStmt: 'CREATE LANGUAGE',
  CreatePolicyStmt: 'CREATE POLICY',
  CreatePublicationStmt: 'CREATE PUBLICATION',
  CreateRangeStmt: 'CREATE TYPE',
  CreateSchemaStmt: 'CREATE SCHEMA',
  CreateSeqStmt: 'CREATE SEQUENCE',
  CreateStatsStmt: 'CREATE STATISTICS',
  CreateStmt: 'CREATE TABLE',
  CreateSubscriptionStmt: 'CREATE SUBSCRIPTION',
  CreateTransformStmt: 'CREATE TRANSFORM',
  CreateTrigStmt: 'CREATE TRIGGER',
  CreateUserMappingStmt: 'CREATE USER MAPPING',
  DefineStmt: (body) => `CREATE ${objectWords(body.kind)}`,
  DropOwnedStmt: 'DROP OWNED',
  DropStmt: (body) => `DROP ${objectWords(body.removeType)}`,
  DropSubscriptionStmt: 'DROP SUBSCRIPTION',
  DropUserMappingStmt: 'DROP USER MAPPING',
  ImportForeignSchemaStmt: 'IMPORT FOREIGN SCHEMA',
  IndexStmt: 'CREATE INDEX',
  ReassignOwnedStmt: 'REASSIGN OWNED',
  RuleStmt: 'CREATE RULE',
  ViewStmt: 'CREATE VIEW',

  PLAssignStmt: 'SELECT',
  RawStmt: '???',
  ReplicaIdentityStmt: '???',
  ReturnStmt: '???',
  SetOperationStmt: '???',
}

/** The command tag of a statement; `???` (CMDTAG_UNKNOWN) for a node that is no statement. */
export function commandTag(node: RawNode): string {
  const name = rawNodeName(node)
  if (!(name in RULES)) return '???'
  const rule = RULES[name as StatementNodeName]
  if (typeof rule !== 'function') return rule
  return (rule as (body: unknown) => string)(Object.values(node)[0])
}

function objectWords(kind: ObjectKind | undefined): string {
  return (kind === undefined ? undefined : OBJECT[kind]) ?? '???'
}

function alter(kind: ObjectKind | undefined): string {
  return `ALTER ${objectWords(kind)}`
}
