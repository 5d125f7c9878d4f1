import { namedRelations, type RelationName } from './named-relations.ts'
import { optionIsOn, optionsOf, optionText, type RawNode } from './raw-node.ts'
import { StatementTokens } from './statement-tokens.ts'

/** SHOW; `name` in lower case, `all` for SHOW ALL. SHOW TRANSACTION ISOLATION LEVEL is `transaction_isolation`. */
export interface ShowCommand {
  readonly name: string
}

/** What a SHOW says; undefined for any other statement. */
export function showCommand(node: RawNode): ShowCommand | undefined {
  if (!('VariableShowStmt' in node)) return undefined
  return { name: (node.VariableShowStmt.name ?? '').toLowerCase() }
}

export interface DiscardCommand {
  readonly target: 'all' | 'plans' | 'sequences' | 'temp'
}

const DISCARD_TARGETS = {
  DISCARD_ALL: 'all',
  DISCARD_PLANS: 'plans',
  DISCARD_SEQUENCES: 'sequences',
  DISCARD_TEMP: 'temp',
} as const

/** What a DISCARD says; undefined for any other statement. */
export function discardCommand(node: RawNode): DiscardCommand | undefined {
  if (!('DiscardStmt' in node)) return undefined
  return { target: DISCARD_TARGETS[node.DiscardStmt.target ?? 'DISCARD_ALL'] }
}

export interface LockCommand {
  readonly relations: readonly RelationName[]
  /** As LOCK names it. */
  readonly mode: LockMode
  readonly noWait: boolean
}

export type LockMode = (typeof LOCK_MODES)[number]

/** In the order of their numbers (src/include/storage/lockdefs.h), from 1. */
const LOCK_MODES = [
  'ACCESS SHARE',
  'ROW SHARE',
  'ROW EXCLUSIVE',
  'SHARE UPDATE EXCLUSIVE',
  'SHARE',
  'SHARE ROW EXCLUSIVE',
  'EXCLUSIVE',
  'ACCESS EXCLUSIVE',
] as const

/** What a LOCK says; undefined for any other statement. */
export function lockCommand(node: RawNode): LockCommand | undefined {
  if (!('LockStmt' in node)) return undefined
  const { mode = 8, nowait } = node.LockStmt
  return {
    relations: namedRelations(node),
    mode: LOCK_MODES[mode - 1] ?? 'ACCESS EXCLUSIVE',
    noWait: nowait === true,
  }
}

export interface ExplainCommand {
  /** Names in lower case; a value as written, undefined where none was given. */
  readonly options: ReadonlyMap<string, string | undefined>
  /** ANALYZE is on: the statement is executed. */
  readonly analyze: boolean
  readonly verbose: boolean
  readonly costs: boolean
  readonly timing: boolean
  readonly summary: boolean
  readonly format: string
  /** The explained statement, as written. */
  readonly text: string
  /** EXPLAIN with its options, without the statement. */
  readonly head: string
  /** Its raw tree; its locations are byte offsets into the whole EXPLAIN. */
  readonly query: RawNode
}

/** What an EXPLAIN says; undefined for any other statement. */
export function explainCommand(text: string, node: RawNode): ExplainCommand | undefined {
  if (!('ExplainStmt' in node) || node.ExplainStmt.query === undefined) return undefined
  const options = new Map<string, string | undefined>()
  const on = new Map<string, boolean>()
  for (const option of optionsOf(node.ExplainStmt.options)) {
    const name = option.defname ?? ''
    options.set(name, optionText(option))
    on.set(name, optionIsOn(option))
  }
  const analyze = on.get('analyze') ?? false
  return {
    options,
    analyze,
    verbose: on.get('verbose') ?? false,
    costs: on.get('costs') ?? true,
    timing: on.get('timing') ?? analyze,
    summary: on.get('summary') ?? analyze,
    format: options.get('format')?.toLowerCase() ?? 'text',
    ...explainTexts(text, options),
    query: node.ExplainStmt.query,
  }
}

/** EXPLAIN ( options ) statement, or EXPLAIN [ANALYZE | ANALYSE] [VERBOSE] statement. */
function explainTexts(
  text: string,
  options: ReadonlyMap<string, unknown>,
): Pick<ExplainCommand, 'text' | 'head'> {
  const source = new StatementTokens(text)
  const word = (at: number) => source.tokens[at]?.text.toLowerCase()
  let index = 1
  if (word(1) === '(' && options.size > 0) index = source.closing(1) + 1
  while (['analyze', 'analyse', 'verbose'].includes(word(index) ?? '')) index++
  const start = source.tokens[index]?.start ?? source.endByte
  return { text: source.slice(start, source.endByte), head: source.slice(0, start) }
}

/** LISTEN, NOTIFY, UNLISTEN; `channel` undefined: UNLISTEN *. */
export interface ListenCommand {
  readonly kind: 'listen' | 'notify' | 'unlisten'
  readonly channel: string | undefined
  /** Of NOTIFY, '' where none was given. */
  readonly payload: string
}

/** What a statement of category 'listen' says; undefined for any other. */
export function listenCommand(node: RawNode): ListenCommand | undefined {
  if ('ListenStmt' in node)
    return { kind: 'listen', channel: node.ListenStmt.conditionname ?? '', payload: '' }
  if ('UnlistenStmt' in node)
    return { kind: 'unlisten', channel: node.UnlistenStmt.conditionname, payload: '' }
  if (!('NotifyStmt' in node)) return undefined
  const { conditionname = '', payload = '' } = node.NotifyStmt
  return { kind: 'notify', channel: conditionname, payload }
}
