import { type RawBody, type RawNode, stringOf } from './raw-node.ts'
import { StatementTokens } from './statement-tokens.ts'

/** A call current_setting('name' ...) in a statement. */
interface Found {
  /** Byte offset of its first token. */
  readonly start: number
  readonly value: string
}

/**
 * The statement with every call of current_setting() for a constant name that `findValue` knows replaced by its value, as a scalar subquery that lends
 * the function's name to the column. A call that is itself an item of FROM is left alone.
 */
export function replaceSettings(
  text: string,
  node: RawNode,
  findValue: (name: string) => string | undefined,
): string {
  const found: Found[] = []
  collect(node, findValue, found)
  if (found.length === 0) return text
  const source = new StatementTokens(text)
  let result = ''
  let done = 0
  for (const { start, value } of found.sort((a, b) => a.start - b.start)) {
    const open = source.find('(', source.indexAt(start))
    const end = source.tokens[source.closing(open)]?.end ?? source.endByte
    result += `${source.slice(done, start)}(SELECT CAST('${value.replaceAll("'", "''")}' AS pg_catalog.text) AS "current_setting")`
    done = end
  }
  return result + source.slice(done, source.endByte)
}

function collect(
  value: unknown,
  findValue: (name: string) => string | undefined,
  found: Found[],
): void {
  if (typeof value !== 'object' || value === null) return
  for (const [name, child] of Object.entries(value)) {
    if (name === 'RangeFunction') continue
    const known =
      name === 'FuncCall' ? ownSetting(child as RawBody<'FuncCall'>, findValue) : undefined
    if (known === undefined) collect(child, findValue, found)
    else found.push({ start: (child as RawBody<'FuncCall'>).location ?? 0, value: known })
  }
}

function ownSetting(
  call: RawBody<'FuncCall'>,
  findValue: (name: string) => string | undefined,
): string | undefined {
  const parts = (call.funcname ?? []).map(stringOf)
  const isBuiltIn = parts.length === 1 || (parts.length === 2 && parts[0] === 'pg_catalog')
  if (!isBuiltIn || parts.at(-1) !== 'current_setting') return undefined
  const [name] = call.args ?? []
  const bare = name !== undefined && 'TypeCast' in name ? name.TypeCast.arg : name
  const constant = bare !== undefined && 'A_Const' in bare ? bare.A_Const.sval?.sval : undefined
  return constant === undefined ? undefined : findValue(constant)
}
