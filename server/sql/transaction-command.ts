import { optionIsOn, optionsOf, optionText, type RawBody, type RawNode } from './raw-node.ts'

/** An isolation level as SET TRANSACTION names it, in lower case. READ UNCOMMITTED is kept apart: SHOW shows it. */
export type IsolationLevel =
  | 'read uncommitted'
  | 'read committed'
  | 'repeatable read'
  | 'serializable'

/** The modes of BEGIN, START TRANSACTION, SET TRANSACTION and SET SESSION CHARACTERISTICS; absent: not said. */
export interface TransactionModes {
  readonly isolation?: IsolationLevel
  readonly readOnly?: boolean
  readonly deferrable?: boolean
}

export interface TransactionCommand {
  readonly kind:
    | 'begin'
    | 'start'
    | 'commit'
    | 'rollback'
    | 'savepoint'
    | 'release'
    | 'rollback-to'
    | 'prepare-transaction'
    | 'commit-prepared'
    | 'rollback-prepared'
  /** AND CHAIN, of COMMIT and ROLLBACK. */
  readonly chain: boolean
  readonly options: TransactionModes
  /** Of SAVEPOINT, RELEASE and ROLLBACK TO. */
  readonly savepointName: string | undefined
  /** Of PREPARE TRANSACTION, COMMIT PREPARED and ROLLBACK PREPARED. */
  readonly globalId: string | undefined
}

const KINDS: Record<NonNullable<RawBody<'TransactionStmt'>['kind']>, TransactionCommand['kind']> = {
  TRANS_STMT_BEGIN: 'begin',
  TRANS_STMT_START: 'start',
  TRANS_STMT_COMMIT: 'commit',
  TRANS_STMT_ROLLBACK: 'rollback',
  TRANS_STMT_SAVEPOINT: 'savepoint',
  TRANS_STMT_RELEASE: 'release',
  TRANS_STMT_ROLLBACK_TO: 'rollback-to',
  TRANS_STMT_PREPARE: 'prepare-transaction',
  TRANS_STMT_COMMIT_PREPARED: 'commit-prepared',
  TRANS_STMT_ROLLBACK_PREPARED: 'rollback-prepared',
}

/** What a statement of category 'transaction' says; undefined for any other. END is 'commit', ABORT is 'rollback'. */
export function transactionCommand(node: RawNode): TransactionCommand | undefined {
  if (!('TransactionStmt' in node)) return undefined
  const body = node.TransactionStmt
  return {
    kind: KINDS[body.kind ?? 'TRANS_STMT_BEGIN'],
    chain: body.chain === true,
    options: transactionModes(body.options),
    savepointName: body.savepoint_name,
    globalId: body.gid,
  }
}

/** Modes as written; where one is said twice the last counts, as in PostgreSQL. */
export function transactionModes(nodes: readonly RawNode[] | undefined): TransactionModes {
  let modes: TransactionModes = {}
  for (const option of optionsOf(nodes)) {
    if (option.defname === 'transaction_isolation')
      modes = { ...modes, isolation: isolationLevel(optionText(option)) }
    else if (option.defname === 'transaction_read_only')
      modes = { ...modes, readOnly: optionIsOn(option) }
    else if (option.defname === 'transaction_deferrable')
      modes = { ...modes, deferrable: optionIsOn(option) }
  }
  return modes
}

/** The grammar writes exactly these four. */
function isolationLevel(text: string | undefined): IsolationLevel {
  switch (text) {
    case 'read uncommitted':
    case 'repeatable read':
    case 'serializable':
      return text
    default:
      return 'read committed'
  }
}
