import { emitPostgresName, quoteIdentifier } from '../schema/postgres-text.ts'
import { type Edit, exprExtent, extentOf, parseAlone, wordAt } from '../sql/edit-statement.ts'
import type { RawBody, RawNode } from '../sql/raw-node.ts'
import type { StatementTokens } from '../sql/statement-tokens.ts'
import {
  ColumnFinder,
  columnOf,
  entriesOf,
  isStarEntry,
  type PartText,
  type SelectEntry,
} from './part-columns.ts'
import type { Load } from './plan.ts'

type Select = RawBody<'SelectStmt'>

/*
 * PostgreSQL:  SELECT g, rank() OVER (ORDER BY count(*)) FROM t WHERE .. GROUP BY g ORDER BY count(*)
 * run:         SELECT r.c1 AS g, rank() OVER (ORDER BY r.c2) FROM pg_spanwire.result AS r ORDER BY r.c2
 */

/** The edits that let a query read its groups; undefined where it is not clear which text means them. */
export function editsOfPart(text: PartText): readonly Edit[] | undefined {
  const entries = entriesOf(text)
  const from = entries && findFrom(text.source, entries)
  if (entries === undefined || from === undefined) return undefined
  const finder = new ColumnFinder(text, entries)
  const pieces = finder.pieces()
  if (pieces === undefined) return undefined
  const columns = pieces.map(({ node, column }) => columnEdit(text, node, column))
  const stars = entries.filter(isStarEntry).map((entry) => starEdit(text, entry))
  const edits = [...columns, ...stars, fromEdit(text, from)]
  if (edits.includes(undefined)) return undefined
  const names = entries.flatMap((_entry, i) => nameEdit(text, { entries, i, from }))
  return [...edits.filter((edit) => edit !== undefined), ...names]
}

/** `t.*` becomes `r.c1 AS a, r.c2 AS b`. */
function starEdit(text: PartText, { node, target, outputs }: SelectEntry): Edit | undefined {
  const extent = target.val && exprExtent(text.source, target.val)
  const list = outputs.map((output) => {
    const column = columnOf(text, output)
    const name = quoteIdentifier(output.name ?? '?column?')
    return column === undefined ? undefined : `${aliasOf(text.load)}.c${column} AS ${name}`
  })
  if (extent === undefined || list.includes(undefined)) return undefined
  const sql = list.join(', ')
  const replacement = selectOf(`SELECT ${sql}`)?.targetList
  return replacement && { target: node, ...extent, sql, replacement }
}

/** The token FROM of a query. */
function findFrom(source: StatementTokens, entries: readonly SelectEntry[]): number | undefined {
  let at = source.indexAt(entries.at(-1)?.target.location ?? 0)
  for (;;) {
    at = source.find('from', at)
    if (at < 0) return undefined
    if (wordAt(source, at - 1) !== 'distinct') return at
    at += 1
  }
}

const BEHIND_GROUPS = new Set([
  ...['window', 'order', 'limit', 'offset', 'fetch', 'for', 'union', 'intersect', 'except', ')'],
])

function fromEdit(text: PartText, from: number): Edit | undefined {
  const { source, select, load } = text
  let depth = 0
  let last = source.tokens.length - 1
  for (let i = from + 1; i < source.tokens.length; i++) {
    const word = wordAt(source, i)
    if (depth === 0 && BEHIND_GROUPS.has(word) && wordAt(source, i - 1) !== '.') {
      last = i - 1
      break
    }
    if (word === '(' || word === '[') depth++
    if (word === ')' || word === ']') depth--
  }
  const sql = `FROM ${emitPostgresName(load.table)} AS ${aliasOf(load)}`
  const parsed = selectOf(`SELECT ${sql}`)
  if (parsed === undefined) return undefined
  const { whereClause: _where, groupClause: _group, havingClause: _having, ...kept } = select
  const replacement = { ...kept, fromClause: parsed.fromClause }
  return { target: select, ...extentOf(source, from, last), sql, replacement }
}

function aliasOf({ table }: Load): string {
  return quoteIdentifier(table.name)
}

function selectOf(sql: string): Select | undefined {
  const [parsed] = parseAlone(sql)
  return parsed !== undefined && 'SelectStmt' in parsed ? parsed.SelectStmt : undefined
}

function columnEdit(text: PartText, node: RawNode, column: number): Edit | undefined {
  const extent = exprExtent(text.source, node)
  const sql = `${aliasOf(text.load)}.c${column}`
  const [parsed] = selectOf(`SELECT ${sql}`)?.targetList ?? []
  const replacement =
    parsed !== undefined && 'ResTarget' in parsed ? parsed.ResTarget.val : undefined
  if (extent === undefined || replacement === undefined) return undefined
  return { target: node, ...extent, sql, replacement }
}

interface NamedEntry {
  readonly entries: readonly SelectEntry[]
  readonly i: number
  readonly from: number
}

/** A column is called after what was written. */
function nameEdit(text: PartText, { entries, i, from }: NamedEntry): readonly Edit[] {
  const entry = entries[i]
  if (entry === undefined || isStarEntry(entry)) return []
  const { target } = entry
  const name = entry.outputs[0]?.name
  if (target.name !== undefined || name === undefined) return []
  const next = entries[i + 1]?.target
  const behind = next === undefined ? from : text.source.indexAt(next.location ?? 0) - 1
  const { endByte } = extentOf(text.source, behind - 1, behind - 1)
  const sql = ` AS ${quoteIdentifier(name)}`
  return [{ target, startByte: endByte, endByte, sql, replacement: { ...target, name } }]
}
