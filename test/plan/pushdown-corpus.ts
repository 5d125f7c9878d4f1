import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { EmitContext } from '../../server/plan/emission.ts'
import { emitPushdown } from '../../server/plan/emit-pushdown.ts'
import { emulateRoute } from '../../server/plan/emulate-route.ts'
import { NotPushable } from '../../server/plan/not-pushable.ts'
import {
  touchesSystemRelations,
  touchesUserRelations,
} from '../../server/plan/relations-touched.ts'
import { emitTypeOid } from '../../server/schema/emit-type-oid.ts'
import type { UserTypes } from '../../server/schema/logical-schema.ts'
import { doesSomething } from '../../server/session/session-functions.ts'
import { DIALECT } from '../../server/sql/dialect-lookup.ts'
import { readQueryTree } from '../../server/sql/query-tree-reader.ts'
import { type ParsedStatement, parseStatements, SyntaxProblem } from '../../server/sql/statement.ts'
import { referencedFunctionsInTargetList } from '../../server/sql/target-list-functions.ts'
import { enumOidOf, isEnumOid } from '../../server/types/user-type.ts'
import { contextOf } from './emit-fixture.ts'
import { SCHEMA_QUERY, type SchemaRows, toLogicalSchema } from './schema-fixture.ts'
import type { ThrowawayPostgres } from './throwaway-postgres.ts'

/** What becomes of a SELECT. */
export type Fate =
  /** PostgreSQL itself does not take it: its table was not made by a statement of the run, or it is one that must fail. */
  | { readonly kind: 'left out' }
  /** No table of the client's: the companion answers. */
  | { readonly kind: 'catalog' }
  /** Spanner gets the same clauses, operators and functions, or others in their place. */
  | { readonly kind: 'pushed down' | 'rewritten' }
  | { readonly kind: 'emulated' | 'refused'; readonly reason: string }

export interface ClientSelect {
  readonly client: string
  readonly text: string
  readonly fate: Fate
}

/** One statement of a recorded run. */
interface Recorded {
  readonly text: string
  readonly types: readonly number[]
}

/**
 * The distinct SELECTs of recorded client runs, one file a client: statements between lines `-- #`, each under a header with
 * `oids=`. DDL is run as it comes, so that each SELECT finds the tables that its client had made by then.
 */
export async function selectsOf(
  server: ThrowawayPostgres,
  directory: string,
): Promise<readonly ClientSelect[]> {
  const found: ClientSelect[] = []
  for (const file of readdirSync(directory).sort()) {
    if (!file.endsWith('.sql')) continue
    const client = file.slice(0, -'.sql'.length)
    await server.rows('DROP SCHEMA IF EXISTS public CASCADE')
    await server.rows('CREATE SCHEMA public')
    found.push(...(await selectsIn(server, client, readRecorded(join(directory, file)))))
  }
  return found
}

function readRecorded(path: string): readonly Recorded[] {
  return readFileSync(path, 'utf8')
    .split(/^-- #\n/m)
    .map((part) => {
      const [header = '', ...lines] = part.split('\n')
      const oids = /oids=\[?([\d,]+)/.exec(header)?.[1] ?? ''
      return { text: lines.join('\n'), types: oids === '' ? [] : oids.split(',').map(Number) }
    })
}

async function selectsIn(
  server: ThrowawayPostgres,
  client: string,
  recorded: readonly Recorded[],
): Promise<readonly ClientSelect[]> {
  const found = new Map<string, ClientSelect>()
  let context: EmitContext | undefined
  for (const { text, types } of recorded) {
    for (const statement of statementsOf(text)) {
      if (statement.category === 'ddl') {
        await server.rows(statement.text).catch(() => undefined)
        await renumberEnums(server)
        context = undefined
      }
      if (statement.category !== 'query' || found.has(statement.text)) continue
      context ??= await currentContext(server)
      const fate = await fateOf(server, { statement, types, context })
      found.set(statement.text, { client, text: statement.text, fate })
    }
  }
  return [...found.values()]
}

function statementsOf(text: string): readonly ParsedStatement[] {
  try {
    return parseStatements(text)
  } catch (error) {
    if (error instanceof SyntaxProblem) return []
    throw error
  }
}

async function currentContext(server: ThrowawayPostgres): Promise<EmitContext> {
  const [row] = await server.rows(SCHEMA_QUERY)
  const schema = toLogicalSchema(JSON.parse(row?.[0] ?? '') as SchemaRows)
  return contextOf({ ...schema, userTypes: await enumTypes(server) }, 'production', DIALECT)
}

/** An enum that was made just now gets the OID that it has in every proxy. */
async function renumberEnums(server: ThrowawayPostgres): Promise<void> {
  const enums = await server.rows(
    `SELECT n.nspname, t.typname, t.oid::regtype::text, t.oid::int8::text FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace WHERE t.typtype = 'e'`,
  )
  for (const [schema, type, name, oid] of enums) {
    if (isEnumOid(Number(oid))) continue
    await server.rows('BEGIN')
    const statements = emitTypeOid(name ?? '', enumOidOf(schema ?? '', type ?? ''))
    for (const statement of statements) await server.rows(statement)
    await server.rows('COMMIT')
  }
}

async function enumTypes(server: ThrowawayPostgres): Promise<UserTypes> {
  const labels = await server.rows('SELECT oid::int8::text, enumlabel FROM pg_enum')
  const names = await server.rows(
    `SELECT oid::int8::text, oid::regtype::text FROM pg_type WHERE typtype = 'e' OR typelem IN (SELECT enumtypid FROM pg_enum)`,
  )
  const byOid = (rows: typeof labels) =>
    new Map(rows.map(([oid, text]) => [Number(oid), text ?? ''] as const))
  return { labels: byOid(labels), names: byOid(names), domains: new Map() }
}

interface Examined {
  readonly statement: ParsedStatement
  readonly types: readonly number[]
  readonly context: EmitContext
}

async function fateOf(
  server: ThrowawayPostgres,
  { statement, types, context }: Examined,
): Promise<Fate> {
  const analysed = await server.analyse(statement.text, types).catch(() => undefined)
  if (analysed === undefined) return { kind: 'left out' }
  const queries = readQueryTree(analysed.tree)
  const [query] = queries
  if (query === undefined || !touchesUserRelations(queries)) return { kind: 'catalog' }
  const calls = referencedFunctionsInTargetList(statement.text, statement.node, (name) =>
    doesSomething(name.at(-1) ?? ''),
  )
  // Their arguments are read for each row, and the proxy calls them.
  if (calls.length > 0) return { kind: 'rewritten' }
  try {
    if (touchesSystemRelations(queries))
      throw new NotPushable('a join of system catalogs with tables')
    const { sql, computed } = emitPushdown(query, context)
    const isSame = computed === undefined && clauses(statement.text) === clauses(sql)
    return { kind: isSame ? 'pushed down' : 'rewritten' }
  } catch (error) {
    if (!(error instanceof NotPushable)) return { kind: 'refused', reason: String(error) }
    const route = emulateRoute({ tree: analysed.tree, query, reason: error }, context)
    return { kind: route === undefined ? 'refused' : 'emulated', reason: error.reason }
  }
}

/** Nodes that say how things are called or which value it is, not what is done. */
const NAMING = new Set(['ColumnRef', 'ResTarget', 'RangeVar', 'ParamRef', 'A_Const', 'String'])

/** The clauses, operators, functions and casts of a statement, sorted; names, aliases and constants left out. */
function clauses(sql: string): string {
  const found: string[] = []
  const visit = (value: unknown): void => {
    if (Array.isArray(value)) value.forEach(visit)
    else if (typeof value === 'object' && value !== null) {
      for (const [key, inner] of Object.entries(value)) {
        if (/^[A-Z]/.test(key) && !NAMING.has(key)) found.push(`${key}${namesIn(inner)}`)
        visit(inner)
      }
    }
  }
  visit(parseStatements(sql).map(({ node }) => node))
  return found.sort().join(' ')
}

/** What tells one operator, function, join or sort order from another. */
function namesIn(body: unknown): string {
  const { name, funcname, jointype, sortby_dir, sortby_nulls, boolop } = body as Record<
    string,
    unknown
  >
  return JSON.stringify([name, funcname, jointype, sortby_dir, sortby_nulls, boolop])
}
