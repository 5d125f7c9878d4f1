import type { RawNode } from './raw-node.ts'
import { StatementTokens } from './statement-tokens.ts'

export interface PrepareCommand {
  readonly name: string
  /** The declared types, as written. */
  readonly argumentTypes: readonly string[]
  /** The statement behind AS, as written. */
  readonly text: string
  /** Where `text` begins in the PREPARE, in characters (UTF-16 units). */
  readonly textOffset: number
  /** The raw tree of `text`; its locations are byte offsets into the whole PREPARE. */
  readonly query: RawNode
}

/** What a PREPARE says; undefined for any other statement. `text` is that of the ParsedStatement. */
export function prepareCommand(text: string, node: RawNode): PrepareCommand | undefined {
  if (!('PrepareStmt' in node)) return undefined
  const { name = '', argtypes = [], query } = node.PrepareStmt
  if (query === undefined) return undefined
  const source = new StatementTokens(text)
  const open = argtypes.length > 0 ? source.find('(', 0) : -1
  const as = source.find('as', open < 0 ? 0 : source.closing(open) + 1)
  const start = source.tokens[as + 1]?.start ?? source.endByte
  return {
    name,
    argumentTypes: open < 0 ? [] : source.listIn(open),
    text: source.slice(start, source.endByte),
    textOffset: source.slice(0, start).length,
    query,
  }
}

export interface ExecuteCommand {
  readonly name: string
  /** The argument expressions, as written: the caller has them evaluated. */
  readonly args: readonly ExecuteArgument[]
}

export interface ExecuteArgument {
  readonly text: string
  /** Characters before it in the EXECUTE, as PostgreSQL counts them. */
  readonly offset: number
}

/** What an EXECUTE says; undefined for any other statement. */
export function executeCommand(text: string, node: RawNode): ExecuteCommand | undefined {
  if (!('ExecuteStmt' in node)) return undefined
  const { name = '', params = [] } = node.ExecuteStmt
  const source = new StatementTokens(text)
  const items = params.length > 0 ? source.itemsIn(source.find('(', 0)) : []
  const args = items.map((item) => ({
    text: item.text,
    offset: [...source.slice(0, item.startByte)].length,
  }))
  return { name, args }
}

/** DEALLOCATE; `name` undefined: ALL. */
export interface DeallocateCommand {
  readonly name: string | undefined
}

/** What a DEALLOCATE says; undefined for any other statement. */
export function deallocateCommand(node: RawNode): DeallocateCommand | undefined {
  if (!('DeallocateStmt' in node)) return undefined
  const { name, isall } = node.DeallocateStmt
  return { name: isall === true ? undefined : (name ?? '') }
}
