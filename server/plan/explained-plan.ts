import { shownIdentifier } from '../sql/shown-identifier.ts'
import type { PushdownRoute } from './plan.ts'

/*
 * What EXPLAIN says of a statement that Spanner runs, in the words of PostgreSQL's foreign tables:
 *
 *   Foreign Scan on t  (cost=0.00..22.70 rows=6 width=36)
 *     Output: id, g
 *     Remote SQL: SELECT t1."id", t1."g" FROM "t" AS t1 WHERE t1."g" = 'a'
 *
 * Costs, rows and widths are those that PostgreSQL expects of tables that it knows nothing of: the companion's have no rows.
 */

/** A value of EXPLAIN (FORMAT JSON): a statement's, or that of a node, by PostgreSQL's names of properties. */
export type Explained = Readonly<Record<string, unknown>>

const ESTIMATES = ['Startup Cost', 'Total Cost', 'Plan Rows', 'Plan Width'] as const

/** PostgreSQL's explanation with everything that Spanner does in one node. */
export function remotePlan(explained: Explained, { command, sql }: PushdownRoute): Explained {
  const top = objectOf(explained['Plan'])
  if (command === 'SELECT') return { ...explained, Plan: remoteNode(top, 'Select', sql) }
  const [source = top] = nodesIn(top['Plans'])
  const { Output: _output, ...below } = source
  const relation = pick(top, ['Relation Name', 'Schema', 'Alias'])
  const node = remoteNode({ ...below, ...relation }, String(top['Operation']), sql)
  const plan = { ...top, Plans: [{ ...node, 'Parent Relationship': 'Outer', ...relation }] }
  return { ...explained, Plan: plan }
}

function remoteNode(top: Explained, operation: string, sql: string): Explained {
  const relations = relationsIn(top)
  const [only, another] = relations
  const isVerbose = 'Output' in top || relations.some((relation) => 'Schema' in relation)
  return {
    'Node Type': 'Foreign Scan',
    Operation: operation,
    'Parallel Aware': false,
    'Async Capable': false,
    ...(only !== undefined && another === undefined ? only : {}),
    ...pick(top, [...ESTIMATES, 'Output']),
    ...(another === undefined ? {} : { Relations: relations.map(nameOf).join(', ') }),
    ...(isVerbose ? { 'Remote SQL': sql } : {}),
  }
}

/** The tables that a plan reads, each under each of its aliases once. */
function relationsIn(node: Explained): readonly Explained[] {
  const own = 'Relation Name' in node ? [pick(node, ['Relation Name', 'Schema', 'Alias'])] : []
  const below = nodesIn(node['Plans']).flatMap(relationsIn)
  const byName = new Map([...own, ...below].map((relation) => [nameOf(relation), relation]))
  return [...byName.values()]
}

/** `public.t b`: the schema where it is told, an alias where it is another name. */
function nameOf(relation: Explained): string {
  const { 'Relation Name': name, Schema: schema, Alias: alias } = relation
  const parts = [schema, name].flatMap((part) =>
    typeof part === 'string' ? [shownIdentifier(part)] : [],
  )
  const isRenamed = typeof alias === 'string' && alias !== name
  return `${parts.join('.')}${isRenamed ? ` ${shownIdentifier(alias)}` : ''}`
}

/** The lines of FORMAT TEXT for a plan of {@link remotePlan}. */
export function linesOf(explained: Explained): readonly string[] {
  const time = explained['Planning Time']
  return [
    ...linesOfNode(objectOf(explained['Plan']), ''),
    ...(typeof time === 'number' ? [`Planning Time: ${time.toFixed(3)} ms`] : []),
  ]
}

function linesOfNode(node: Explained, indent: string): readonly string[] {
  const isRemote = node['Node Type'] === 'Foreign Scan'
  const operation = String(node['Operation'])
  const action = isRemote ? `Foreign ${operation === 'Select' ? 'Scan' : operation}` : operation
  const on = 'Relation Name' in node ? ` on ${nameOf(node)}` : ''
  const inner = indent === '' ? '  ' : `${indent.replace('->', '  ')}  `
  const properties = ['Output', 'Relations', 'Remote SQL'].flatMap((name) => {
    const value = node[name]
    const text = Array.isArray(value) ? value.join(', ') : value
    return text === undefined ? [] : [`${inner}${name}: ${String(text)}`]
  })
  const below = nodesIn(node['Plans']).flatMap((child) => linesOfNode(child, `${inner}->  `))
  return [`${indent}${action}${on}${estimatesOf(node)}`, ...properties, ...below]
}

/** Nothing where COSTS is off. */
function estimatesOf(node: Explained): string {
  const [startup, total, rows, width] = ESTIMATES.map((name) => node[name])
  if (typeof startup !== 'number' || typeof total !== 'number') return ''
  return `  (cost=${startup.toFixed(2)}..${total.toFixed(2)} rows=${String(rows)} width=${String(width)})`
}

function pick(node: Explained, names: readonly string[]): Explained {
  return Object.fromEntries(names.flatMap((name) => (name in node ? [[name, node[name]]] : [])))
}

function nodesIn(value: unknown): readonly Explained[] {
  return Array.isArray(value) ? value.map(objectOf) : []
}

function objectOf(value: unknown): Explained {
  return typeof value === 'object' && value !== null ? (value as Explained) : {}
}
