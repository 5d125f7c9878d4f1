import { type RawBody, type RawNode, rawNodeName, type StatementNodeName } from './raw-node.ts'

/** What kind of thing a statement is, as far as the session must know before anything is analysed. */
export type StatementCategory =
  /** SELECT, VALUES, TABLE, with or without WITH: it reads (functions aside). */
  | 'query'
  /** INSERT, UPDATE, DELETE, MERGE, and a SELECT whose WITH writes (its tag is SELECT). */
  | 'dml'
  /** CREATE, ALTER, DROP, GRANT ... of objects of one database. */
  | 'ddl'
  | 'transaction'
  /** SET, SET LOCAL, RESET, SET TRANSACTION, SET SESSION CHARACTERISTICS. */
  | 'set'
  | 'show'
  | 'prepare'
  | 'execute'
  | 'deallocate'
  | 'discard'
  | 'lock'
  | 'copy'
  /** DECLARE, FETCH, MOVE, CLOSE. */
  | 'cursor'
  /** LISTEN, NOTIFY, UNLISTEN. */
  | 'listen'
  | 'explain'
  /** CREATE, DROP, ALTER DATABASE (RENAME, OWNER TO, SET included). */
  | 'database'
  /** VACUUM, ANALYZE, CLUSTER, REINDEX, CHECKPOINT, REFRESH MATERIALIZED VIEW. */
  | 'maintenance'
  | 'do'
  | 'call'
  /** SET CONSTRAINTS. */
  | 'constraints'
  /** What lives in shared catalogs: roles, tablespaces, settings of the cluster, comments and grants on them and on databases. */
  | 'shared'
  | 'truncate'
  /** CREATE TABLE AS, CREATE MATERIALIZED VIEW and SELECT INTO. */
  | 'create-as'
  /** START BATCH, RUN BATCH, ABORT BATCH: no words of PostgreSQL's. */
  | 'batch'
  | 'other'

type Rules = {
  readonly [K in StatementNodeName]: StatementCategory | ((body: RawBody<K>) => StatementCategory)
}

/** Total over PostgreSQL's statement nodes: a new one in the grammar does not compile until it has a row. */
const RULES: Rules = {
  SelectStmt: (body) => {
    if (leftmost(body).intoClause !== undefined) return 'create-as'
    return (body.withClause?.ctes ?? []).some(isModifyingCte) ? 'dml' : 'query'
  },
  InsertStmt: 'dml',
  UpdateStmt: 'dml',
  DeleteStmt: 'dml',
  MergeStmt: 'dml',
  TruncateStmt: 'truncate',
  CopyStmt: 'copy',
  CreateTableAsStmt: 'create-as',

  TransactionStmt: 'transaction',
  ConstraintsSetStmt: 'constraints',
  VariableSetStmt: 'set',
  VariableShowStmt: 'show',
  PrepareStmt: 'prepare',
  ExecuteStmt: 'execute',
  DeallocateStmt: 'deallocate',
  DiscardStmt: 'discard',
  LockStmt: 'lock',
  DeclareCursorStmt: 'cursor',
  FetchStmt: 'cursor',
  ClosePortalStmt: 'cursor',
  ListenStmt: 'listen',
  NotifyStmt: 'listen',
  UnlistenStmt: 'listen',
  ExplainStmt: 'explain',
  DoStmt: 'do',
  CallStmt: 'call',
  LoadStmt: 'other',

  VacuumStmt: 'maintenance',
  ClusterStmt: 'maintenance',
  ReindexStmt: 'maintenance',
  CheckPointStmt: 'maintenance',
  RefreshMatViewStmt: 'maintenance',

  CreatedbStmt: 'database',
  DropdbStmt: 'database',
  AlterDatabaseStmt: 'database',
  AlterDatabaseRefreshCollStmt: 'database',
  AlterDatabaseSetStmt: 'database',

  CreateRoleStmt: 'shared',
  AlterRoleStmt: 'shared',
  AlterRoleSetStmt: 'shared',
  DropRoleStmt: 'shared',
  GrantRoleStmt: 'shared',
  CreateTableSpaceStmt: 'shared',
  DropTableSpaceStmt: 'shared',
  AlterTableSpaceOptionsStmt: 'shared',
  AlterSystemStmt: 'shared',

  CommentStmt: (body) => ofObject(body.objtype, 'shared'),
  SecLabelStmt: (body) => ofObject(body.objtype, 'shared'),
  GrantStmt: (body) => ofObject(body.objtype, 'shared'),
  RenameStmt: (body) => ofObject(body.renameType, 'database'),
  AlterOwnerStmt: (body) => ofObject(body.objectType, 'database'),

  AlterCollationStmt: 'ddl',
  AlterDefaultPrivilegesStmt: 'ddl',
  AlterDomainStmt: 'ddl',
  AlterEnumStmt: 'ddl',
  AlterEventTrigStmt: 'ddl',
  AlterExtensionContentsStmt: 'other',
  AlterExtensionStmt: 'ddl',
  AlterFdwStmt: 'ddl',
  AlterForeignServerStmt: 'ddl',
  AlterFunctionStmt: 'ddl',
  AlterObjectDependsStmt: 'ddl',
  AlterObjectSchemaStmt: 'ddl',
  AlterOpFamilyStmt: 'ddl',
  AlterOperatorStmt: 'ddl',
  AlterPolicyStmt: 'ddl',
  AlterPublicationStmt: 'ddl',
  AlterSeqStmt: 'ddl',
  AlterStatsStmt: 'ddl',
  AlterSubscriptionStmt: 'ddl',
  AlterTableMoveAllStmt: 'ddl',
  AlterTableStmt: 'ddl',
  AlterTSConfigurationStmt: 'ddl',
  AlterTSDictionaryStmt: 'ddl',
  AlterTypeStmt: 'ddl',
  AlterUserMappingStmt: 'ddl',
  CompositeTypeStmt: 'ddl',
  CreateAmStmt: 'ddl',
  CreateCastStmt: 'ddl',
  CreateConversionStmt: 'ddl',
  CreateDomainStmt: 'ddl',
  CreateEnumStmt: 'ddl',
  CreateEventTrigStmt: 'ddl',
  CreateExtensionStmt: 'ddl',
  CreateFdwStmt: 'ddl',
  CreateForeignServerStmt: 'ddl',
  CreateForeignTableStmt: 'ddl',
  CreateFunctionStmt: 'ddl',
  CreateOpClassStmt: 'ddl',
  CreateOpFamilyStmt: 'ddl',
  CreatePLangStmt: 'ddl',
  CreatePolicyStmt: 'ddl',
  CreatePublicationStmt: 'ddl',
  CreateRangeStmt: 'ddl',
  CreateSchemaStmt: 'ddl',
  CreateSeqStmt: 'ddl',
  CreateStatsStmt: 'ddl',
  CreateStmt: 'ddl',
  CreateSubscriptionStmt: 'ddl',
  CreateTransformStmt: 'ddl',
  CreateTrigStmt: 'ddl',
  CreateUserMappingStmt: 'ddl',
  DefineStmt: 'ddl',
  DropOwnedStmt: 'ddl',
  DropStmt: 'ddl',
  DropSubscriptionStmt: 'ddl',
  DropUserMappingStmt: 'ddl',
  ImportForeignSchemaStmt: 'ddl',
  IndexStmt: 'ddl',
  ReassignOwnedStmt: 'ddl',
  RuleStmt: 'ddl',
  ViewStmt: 'ddl',

  // Parts of other statements, and of PL/pgSQL: no client sends them alone.
  PLAssignStmt: 'other',
  RawStmt: 'other',
  ReplicaIdentityStmt: 'other',
  ReturnStmt: 'other',
  SetOperationStmt: 'other',
}

/** The category of a statement; 'other' for a node that is no statement. */
export function classify(node: RawNode): StatementCategory {
  const name = rawNodeName(node)
  if (!(name in RULES)) return 'other'
  const rule = RULES[name as StatementNodeName]
  if (typeof rule !== 'function') return rule
  return (rule as (body: unknown) => StatementCategory)(Object.values(node)[0])
}

/** In `a UNION b` the INTO belongs to the leftmost SELECT; the grammar takes it anywhere, PostgreSQL's analysis refuses it elsewhere. */
function leftmost(body: RawBody<'SelectStmt'>): RawBody<'SelectStmt'> {
  let select = body
  while (select.larg !== undefined) select = select.larg
  return select
}

function isModifyingCte(node: RawNode): boolean {
  if (!('CommonTableExpr' in node)) return false
  const query = node.CommonTableExpr.ctequery
  return query !== undefined && !('SelectStmt' in query)
}

function ofObject(type: string | undefined, ofDatabase: 'shared' | 'database'): StatementCategory {
  if (type === 'OBJECT_DATABASE') return ofDatabase
  const isShared =
    type === 'OBJECT_ROLE' || type === 'OBJECT_TABLESPACE' || type === 'OBJECT_PARAMETER_ACL'
  return isShared ? 'shared' : 'ddl'
}
