import type { RawBody, RawNode } from './raw-node.ts'
import { type StatementToken, StatementTokens } from './statement-tokens.ts'

/** A relation's name as an item of FROM. */
export interface NamedRelation {
  /** As the statement reads it: `schema.name` or `name`, each part quoted. */
  readonly name: string
  /** Unqualified and unquoted: what a CTE of that name would hide. */
  readonly plainName: string | undefined
  readonly alias: string | undefined
  /** Byte offset of the first token of the name. */
  readonly start: number
}

/** The items of FROM that are relations' names, anywhere in a query; those that are the names of CTEs are among them. ONLY is left out. */
export function relationsInFrom(node: RawNode): readonly NamedRelation[] {
  const found: NamedRelation[] = []
  walk(node, (name, body) => {
    if (name === 'RangeVar') add(body as RawBody<'RangeVar'>, found)
  })
  return found
}

/** The names of all CTEs, wherever they hold. */
export function namesOfCtes(node: RawNode): ReadonlySet<string> {
  const names = new Set<string>()
  walk(node, (name, body) => {
    if (name === 'CommonTableExpr') names.add((body as RawBody<'CommonTableExpr'>).ctename ?? '')
  })
  return names
}

/** The statement with queries in the place of relations: `FROM v` becomes `FROM (query) AS v`, `TABLE v` a SELECT. */
export function replaceRelations(
  text: string,
  replacements: readonly { readonly relation: NamedRelation; readonly query: string }[],
): string {
  const source = new StatementTokens(text)
  let result = ''
  let done = 0
  const inOrder = [...replacements].sort((a, b) => a.relation.start - b.relation.start)
  for (const { relation, query } of inOrder) {
    const first = source.indexAt(relation.start)
    const last = relation.plainName === undefined ? first + 2 : first
    const table = commandBefore(source.tokens[first - 1])
    const alias = relation.alias ?? lastPart(relation.name)
    result += source.slice(done, table?.start ?? relation.start)
    result += `${table === undefined ? '' : 'SELECT * FROM '}(${query})`
    if (relation.alias === undefined) result += ` AS ${alias}`
    done = source.tokens[last]?.end ?? source.endByte
  }
  return result + source.slice(done, source.endByte)
}

/** TABLE v. */
function commandBefore(token: StatementToken | undefined): StatementToken | undefined {
  return token?.text.toLowerCase() === 'table' ? token : undefined
}

function lastPart(name: string): string {
  return /"(?:[^"]|"")*"$/.exec(name)?.[0] ?? name
}

function add(range: RawBody<'RangeVar'>, found: NamedRelation[]): void {
  const { schemaname, relname = '', catalogname, inh, location = 0, alias } = range
  if (catalogname !== undefined || inh !== true) return
  const parts = schemaname === undefined ? [relname] : [schemaname, relname]
  found.push({
    name: parts.map((part) => `"${part.replaceAll('"', '""')}"`).join('.'),
    plainName: schemaname === undefined ? relname : undefined,
    alias: alias?.aliasname,
    start: location,
  })
}

function walk(value: unknown, visit: (name: string, body: unknown) => void): void {
  if (typeof value !== 'object' || value === null) return
  for (const [name, child] of Object.entries(value)) {
    visit(name, child)
    walk(child, visit)
  }
}
