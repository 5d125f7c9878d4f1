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

/** What ANALYZE found. */
export interface ActualRun {
  /** Without TIMING: undefined. */
  readonly times: { readonly firstRowMs: number; readonly totalMs: number } | undefined
  /** Rows that came, of RETURNING too. */
  readonly rowCount: number
  /** Rows that INSERT, UPDATE or DELETE wrote. */
  readonly writtenCount: number
}

const ESTIMATES = ['Startup Cost', 'Total Cost', 'Plan Rows', 'Plan Width'] as const

const ACTUALS = ['Actual Startup Time', 'Actual Total Time', 'Actual Rows'] as const

/** PostgreSQL's explanation with everything that Spanner does in one node. */
export function remotePlan(
  explained: Explained,
  { command, sql }: PushdownRoute,
  actual: ActualRun | undefined,
): Explained {
  const top = objectOf(explained['Plan'])
  if (command === 'SELECT') {
    const node = { ...remoteNode(top, 'Select', sql), ...actualOf(actual, actual?.rowCount) }
    return { ...explained, Plan: node }
  }
  const [source = top] = nodesIn(top['Plans'])
  const { Output: _output, ...read } = source
  const relation = pick(top, ['Relation Name', 'Schema', 'Alias'])
  const node = remoteNode({ ...read, ...relation }, String(top['Operation']), sql)
  const below = { ...node, ...relation, ...actualOf(actual, actual?.writtenCount) }
  const plan = {
    ...top,
    ...actualOf(actual, actual?.rowCount),
    Plans: [{ 'Parent Relationship': 'Outer', ...below }],
  }
  return { ...explained, Plan: plan }
}

function actualOf(actual: ActualRun | undefined, rows: number | undefined): Explained {
  if (actual === undefined) return {}
  const { times } = actual
  return {
    ...(times === undefined
      ? {}
      : {
          'Actual Startup Time': times.firstRowMs,
          'Actual Total Time': times.totalMs,
        }),
    'Actual Rows': rows,
    'Actual Loops': 1,
  }
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
  const times = ['Planning Time', 'Execution Time'].flatMap((name) => {
    const time = explained[name]
    return typeof time === 'number' ? [`${name}: ${time.toFixed(3)} ms`] : []
  })
  return [...linesOfNode(objectOf(explained['Plan']), ''), ...times]
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
  const numbers = [estimatesOf(node), actualNumbersOf(node)].filter((text) => text !== '')
  const told = numbers.length === 0 ? '' : ` ${numbers.join(' ')}`
  return [`${indent}${action}${on}${told}`, ...properties, ...below]
}

/** Nothing where COSTS is off. */
function estimatesOf(node: Explained): string {
  const [startup, total, rows, width] = ESTIMATES.map((name) => node[name])
  if (typeof startup !== 'number' || typeof total !== 'number') return ''
  return ` (cost=${startup.toFixed(2)}..${total.toFixed(2)} rows=${String(rows)} width=${String(width)})`
}

/** Nothing without ANALYZE. */
function actualNumbersOf(node: Explained): string {
  const [first, total, rows] = ACTUALS.map((name) => node[name])
  if (typeof rows !== 'number') return ''
  const time =
    typeof first === 'number' && typeof total === 'number'
      ? `time=${first.toFixed(3)}..${total.toFixed(3)} `
      : ''
  return `(actual ${time}rows=${rows} loops=1)`
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
