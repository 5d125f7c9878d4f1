import type { RawBody, RawNode } from './raw-node.ts'
import { StatementTokens } from './statement-tokens.ts'

/** pg_class.relpersistence. */
const KINDS: ReadonlyMap<string, string> = new Map([
  ['t', 'TEMPORARY '],
  ['u', 'UNLOGGED '],
])

/** CREATE TABLE AS, or SELECT INTO, as the two statements that it amounts to. */
export interface CreateAsCommand {
  readonly schema: string | undefined
  readonly name: string
  readonly ifNotExists: boolean
  /** WITH DATA, which is the default. */
  readonly hasData: boolean
  /** What makes the table, up to AS. */
  readonly head: string
  /** The query, as written. */
  readonly query: string
}

/**
 * What a CREATE TABLE AS or SELECT INTO says; undefined for CREATE MATERIALIZED VIEW, for CREATE TABLE AS EXECUTE, and for every other statement.
 * `text` is that of the ParsedStatement.
 */
export function createAsCommand(text: string, node: RawNode): CreateAsCommand | undefined {
  if ('CreateTableAsStmt' in node) return createTableAs(text, node.CreateTableAsStmt)
  return 'SelectStmt' in node ? selectInto(text, node.SelectStmt) : undefined
}

function createTableAs(
  text: string,
  body: RawBody<'CreateTableAsStmt'>,
): CreateAsCommand | undefined {
  const { into, query, objtype } = body
  const { rel } = into ?? {}
  if (rel === undefined || objtype !== 'OBJECT_TABLE') return undefined
  if (query === undefined || 'ExecuteStmt' in query) return undefined
  const source = new StatementTokens(text)
  const as = source.tokens[source.find('as', source.indexAt(rel.location ?? 0))]
  const start = as?.end ?? 0
  const end = endOfQuery(source)
  return {
    schema: rel.schemaname,
    name: rel.relname ?? '',
    ifNotExists: body.if_not_exists === true,
    hasData: into?.skipData !== true,
    head: source.slice(0, start),
    query: source.slice(start, end),
  }
}

/** Before WITH DATA and WITH NO DATA. */
function endOfQuery(source: StatementTokens): number {
  const { tokens } = source
  const words = tokens.slice(-3).map((token) => token.text.toLowerCase())
  const count = /\bwith no data$/.test(words.join(' ')) ? 3 : 2
  const isSaid = count === 3 || /\bwith data$/.test(words.join(' '))
  return tokens.at(isSaid ? -count - 1 : -1)?.end ?? source.endByte
}

function selectInto(text: string, body: RawBody<'SelectStmt'>): CreateAsCommand | undefined {
  let leftmost = body
  while (leftmost.larg !== undefined) leftmost = leftmost.larg
  const { rel } = leftmost.intoClause ?? {}
  if (rel === undefined) return undefined
  const source = new StatementTokens(text)
  const { tokens } = source
  let into = source.indexAt(rel.location ?? 0)
  let last = into
  while (into > 0 && tokens[into]?.text.toLowerCase() !== 'into') into--
  while (tokens[last + 1]?.text === '.') last += 2
  const name = source.slice(rel.location ?? 0, tokens[last]?.end ?? 0)
  const query =
    source.slice(0, tokens[into]?.start ?? 0) + source.slice(tokens[last]?.end ?? 0, source.endByte)
  const kind = KINDS.get(rel.relpersistence ?? '') ?? ''
  return {
    schema: rel.schemaname,
    name: rel.relname ?? '',
    ifNotExists: false,
    hasData: true,
    head: `CREATE ${kind}TABLE ${name} AS`,
    query,
  }
}

/** CREATE TABLE .. AS .. WITH NO DATA. */
export function emptyTable({ head, query }: Pick<CreateAsCommand, 'head' | 'query'>): string {
  return `${head} ${query} WITH NO DATA`
}
