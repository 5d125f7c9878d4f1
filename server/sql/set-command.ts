import { constText, type RawBody, type RawNode, stringOf } from './raw-node.ts'
import { shownIdentifier } from './shown-identifier.ts'
import { type TransactionModes, transactionModes } from './transaction-command.ts'

/**
 * SET and RESET in all their forms. `name` is the setting's name in lower case (`timezone` for TIME ZONE, `client_encoding` for NAMES,
 * `search_path` for SCHEMA, `role`, `session_authorization`, `xmloption`); a name in quotes is folded too, because settings are compared without case.
 */
export type SetCommand =
  | {
      readonly kind: 'set' | 'set-local'
      readonly name: string
      /** What PostgreSQL hands to the setting (flatten_set_variable_args): members joined by `, `, as quoted identifiers where the setting is a list of names. */
      readonly value: string
      /** The members of the list, unquoted. */
      readonly values: readonly string[]
    }
  /** TO DEFAULT, TIME ZONE LOCAL or DEFAULT, SESSION AUTHORIZATION DEFAULT ... */
  | { readonly kind: 'set-default' | 'set-local-default'; readonly name: string }
  /** FROM CURRENT: only inside CREATE FUNCTION does it mean something; as a statement it sets what is. */
  | { readonly kind: 'set-current'; readonly name: string; readonly isLocal: boolean }
  | { readonly kind: 'reset'; readonly name: string }
  | { readonly kind: 'reset-all' }
  | { readonly kind: 'set-transaction'; readonly modes: TransactionModes }
  | { readonly kind: 'set-transaction-snapshot'; readonly snapshot: string }
  | { readonly kind: 'set-session-characteristics'; readonly modes: TransactionModes }

/** What a statement of category 'set' says; undefined for any other. */
export function setCommand(node: RawNode): SetCommand | undefined {
  return 'VariableSetStmt' in node ? variableSet(node.VariableSetStmt) : undefined
}

function variableSet(body: RawBody<'VariableSetStmt'>): SetCommand {
  const name = (body.name ?? '').toLowerCase()
  const isLocal = body.is_local === true
  switch (body.kind) {
    case 'VAR_RESET_ALL':
      return { kind: 'reset-all' }
    case 'VAR_RESET':
      return { kind: 'reset', name }
    case 'VAR_SET_DEFAULT':
      return { kind: isLocal ? 'set-local-default' : 'set-default', name }
    case 'VAR_SET_CURRENT':
      return { kind: 'set-current', name, isLocal }
    case 'VAR_SET_MULTI':
      return multiple(name, body.args ?? [])
    default: {
      const values = (body.args ?? []).map((arg) => argumentText(arg))
      const isList = QUOTED_LISTS.has(name)
      const value = isList ? values.map(shownIdentifier).join(', ') : values.join(', ')
      return { kind: isLocal ? 'set-local' : 'set', name, value, values }
    }
  }
}

function multiple(name: string, args: readonly RawNode[]): SetCommand {
  const [first] = args
  if (name === 'transaction snapshot') {
    const snapshot = first !== undefined && 'A_Const' in first ? constText(first.A_Const) : ''
    return { kind: 'set-transaction-snapshot', snapshot }
  }
  const modes = transactionModes(args)
  return name === 'transaction'
    ? { kind: 'set-transaction', modes }
    : { kind: 'set-session-characteristics', modes }
}

/** The settings with GUC_LIST_QUOTE (src/backend/utils/misc/guc.c): their members are kept as quoted identifiers. */
const QUOTED_LISTS = new Set([
  'local_preload_libraries',
  'search_path',
  'session_preload_libraries',
  'shared_preload_libraries',
  'temp_tablespaces',
  'unix_socket_directories',
])

/** One argument as flatten_set_variable_args (guc.c) takes it. */
function argumentText(arg: RawNode): string {
  if ('A_Const' in arg) return constText(arg.A_Const)
  if ('TypeCast' in arg) return intervalText(arg.TypeCast)
  return stringOf(arg)
}

/** Bits of INTERVAL_MASK (src/include/utils/timestamp.h): the only fields that SET TIME ZONE INTERVAL takes. */
const HOUR = 1 << 10
const HOUR_TO_MINUTE = (1 << 10) | (1 << 11)

/**
 * `SET TIME ZONE INTERVAL '+00:00' HOUR TO MINUTE` is stored as `INTERVAL '...'`, which the setting TimeZone reads. There are no fields in
 * that form, so the literal is cut to what the fields would have kept of it.
 */
function intervalText(cast: RawBody<'TypeCast'>): string {
  const literal = cast.arg !== undefined && 'A_Const' in cast.arg ? constText(cast.arg.A_Const) : ''
  const [first] = cast.typeName?.typmods ?? []
  const fields = first !== undefined && 'A_Const' in first ? (first.A_Const.ival?.ival ?? 0) : 0
  const parts = literal.trim().split(':')
  if (fields === HOUR) return `INTERVAL '${parts[0]}:00'`
  if (fields === HOUR_TO_MINUTE && parts.length > 1) return `INTERVAL '${parts[0]}:${parts[1]}'`
  if (fields === HOUR_TO_MINUTE) return `INTERVAL '00:${parts[0]}'`
  return `INTERVAL '${literal.replaceAll("'", "''")}'`
}
