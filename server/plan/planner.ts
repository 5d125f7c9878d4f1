import type { CallOptions } from '../backend/backend.ts'
import { BackendError, type BackendFailure } from '../backend/backend-error.ts'
import type { Capabilities } from '../backend/capabilities.ts'
import { LruCache } from '../base/lru-cache.ts'
import { PgError } from '../base/pg-error.ts'
import { SQL_STATE } from '../base/sql-state.ts'
import type {
  Analysis,
  CompanionDatabase,
  PinnedConnection,
  SessionContext,
} from '../companion/companion-types.ts'
import { sessionViewsOf } from '../companion/session-views-sql.ts'
import type { LogicalSchema } from '../schema/logical-schema.ts'
import type { DatabaseSchema } from '../schema/schema-types.ts'
import { type AddedValues, readTablesNow } from '../schema/transaction-tables.ts'
import { BARE_DIALECT } from '../sql/dialect-lookup.ts'
import type { Query } from '../sql/query-tree.ts'
import { readQueryTree } from '../sql/query-tree-reader.ts'
import { readSessionReads } from '../sql/session-reads.ts'
import { readTreeUses } from '../sql/tree-uses.ts'
import { isRowTypeOid } from '../types/user-type.ts'
import { ChangedTables, tablesNamed } from './changed-tables.ts'
import type { DialectTable, EmitContext } from './emission.ts'
import { emitPushdown } from './emit-pushdown.ts'
import { emulateRoute, type Refused } from './emulate-route.ts'
import { FunctionBodies } from './function-bodies.ts'
import { momentConstants, namesMoment, writeMoments } from './moment-literals.ts'
import { NotPushable } from './not-pushable.ts'
import type { EmulateRoute, Plan, Route } from './plan.ts'
import { touchesSystemRelations, touchesUserRelations } from './relations-touched.ts'

export interface PlanRequest {
  readonly text: string
  /** OIDs as the client declared them; 0 or absent is unspecified. */
  readonly paramTypes: readonly number[]
  readonly session: SessionContext
  /** The connection with the client's uncommitted DDL. */
  readonly pinned: PinnedConnection | undefined
  /** The plans of what is uncommitted, as it stands. */
  readonly plans?: LruCache<string, Plan> | undefined
  /** What Spanner holds or will hold for the client's transaction, where that is not what it holds for everybody. */
  readonly schema?: LogicalSchema | undefined
  /** What rows have in the columns that this DDL added, where the catalogs do not say so any more. */
  readonly added?: AddedValues | undefined
  readonly signal: AbortSignal
  /** The text is of this moment alone: its plan is not for the next with the same text. */
  readonly isMomentary?: boolean
}

export interface PlannerOptions {
  readonly companion: CompanionDatabase
  readonly schema: DatabaseSchema
  readonly capabilities: Capabilities
  readonly dialect: DialectTable
}

/** Plans that one database keeps. */
const MAX_CACHED_PLANS = 4096

/** Errors that a newer schema could cure: somebody else may have run DDL. */
const CURED_BY_SCHEMA: ReadonlySet<string> = new Set([
  SQL_STATE.undefinedTable,
  SQL_STATE.undefinedColumn,
  SQL_STATE.undefinedObject,
  SQL_STATE.undefinedFunction,
  SQL_STATE.invalidSchemaName,
])

const REFRESH_INTERVAL_MS = 1_000
const REFRESH_TIMEOUT_MS = 10_000

/** Settings that change how names and constants are read: part of the key of a plan. */
const KEY_SETTINGS = [
  'search_path',
  'DateStyle',
  'TimeZone',
  'IntervalStyle',
  'standard_conforming_strings',
  'role',
] as const

/** From statement text to plan: PostgreSQL analyses, the tree decides the route, the emitter writes Spanner's SQL. */
export class Planner {
  readonly #options: PlannerOptions
  readonly #cache = new LruCache<string, Plan>(MAX_CACHED_PLANS)
  readonly #bodies: FunctionBodies
  #nextRefresh = 0

  constructor(options: PlannerOptions) {
    this.#options = options
    this.#bodies = new FunctionBodies(options.companion)
  }

  /** Rejects with PostgreSQL's own error where the statement is wrong; what Spanner cannot run is a plan that says so. */
  async plan(request: PlanRequest): Promise<Plan> {
    const plans = this.#plansFor(request)
    if (plans === undefined || request.isMomentary === true) return this.#make(request)
    const key = this.#key(request)
    const cached = plans.get(key)
    if (cached !== undefined) return cached
    const plan = await this.#make(request)
    plans.set(this.#key(request), plan)
    return plan
  }

  /**
   * The text with 'now', 'today', 'tomorrow' and 'yesterday', where they are constants of dates and times, as what they mean in a transaction that began then.
   * Rejects as {@link plan}.
   */
  async writeMoments(request: PlanRequest, startMicros: bigint): Promise<string> {
    if (!namesMoment(request.text)) return request.text
    const { tree } = await this.#analyse(request)
    const timeZone = request.session.settings.get('TimeZone') ?? 'UTC'
    const places = tree === undefined ? [] : momentConstants(tree)
    return writeMoments(request.text, places, { startMicros, timeZone })
  }

  /**
   * For a SELECT that Spanner refused although it was pushed down: the plan that emulates it, which from now on stands in the other's
   * place. It loads whole tables, as nobody knows which expression was refused. `message` is Spanner's. undefined where it cannot be emulated.
   */
  async planEmulation(request: PlanRequest, message: string): Promise<Plan | undefined> {
    const plan = await this.#planWholeTables(request, new NotPushable(`refused: ${message}`))
    if (plan === undefined) return undefined
    this.#plansFor(request)?.set(this.#key(request), plan)
    return plan
  }

  /** The same for one execution, with a value that Spanner does not have: other values may still be pushed down. */
  planBeyondSpanner(request: PlanRequest): Promise<Plan | undefined> {
    return this.#planWholeTables(request, new NotPushable('a value that Spanner does not have'))
  }

  async #planWholeTables(request: PlanRequest, reason: NotPushable): Promise<Plan | undefined> {
    const { tree, ...analysis } = await this.#analyse(request)
    if (tree === undefined) return undefined
    const { changes, context: changed } = await this.#contextOf(tree, request)
    const bodied = await this.#withBodies(changed, tree, request)
    const context = { ...bodied, dialect: BARE_DIALECT }
    const route = this.#emulation({ tree, reason, changes }, request, context)
    return route && { ...analysis, route }
  }

  /**
   * For a SELECT that names temporary tables, on their session's own connection: `emulate` (or `unsupported`) where it reads tables of
   * Spanner's as well, `catalog` where it does not.
   */
  async planBesideTemporary(
    request: PlanRequest & { readonly pinned: PinnedConnection },
  ): Promise<Plan> {
    const { tree, ...analysis } = await this.#analyse(request)
    return { ...analysis, route: this.#besideTemporary(tree, request) }
  }

  /** After an error that Spanner gave for a statement: where it contradicts the schema, somebody else may have changed that. */
  async noteRefusal(error: unknown, signal: AbortSignal): Promise<void> {
    if (error instanceof BackendError && contradictsSchema(error.failure))
      await this.#refresh(signal)
  }

  /** What is uncommitted is seen by its transaction alone. */
  #plansFor({ pinned, plans }: PlanRequest): LruCache<string, Plan> | undefined {
    return pinned === undefined ? this.#cache : plans
  }

  #key({ text, paramTypes, session }: PlanRequest): string {
    const { version } = this.#options.schema.current
    return [keyOfSession(session, version), paramTypes.join(), text].join('\0')
  }

  async #make(request: PlanRequest): Promise<Plan> {
    const analysis = await this.#analyse(request)
    return {
      paramTypes: analysis.paramTypes,
      fields: analysis.fields,
      notices: analysis.notices,
      route: await this.#route(analysis, request),
    }
  }

  async #analyse(request: PlanRequest): Promise<Analysis> {
    const source = request.pinned ?? this.#options.companion
    try {
      return await source.analyse(request)
    } catch (error) {
      if (!(error instanceof PgError) || !CURED_BY_SCHEMA.has(error.code)) throw error
      if (request.pinned !== undefined || !(await this.#refresh(request.signal))) throw error
      return await source.analyse(request)
    }
  }

  /** At most once in {@link REFRESH_INTERVAL_MS}; true where the schema has changed. */
  async #refresh(signal: AbortSignal): Promise<boolean> {
    const now = performance.now()
    if (now < this.#nextRefresh) return false
    this.#nextRefresh = now + REFRESH_INTERVAL_MS
    const options: CallOptions = { timeoutMs: REFRESH_TIMEOUT_MS, signal }
    return this.#options.schema.refresh(options)
  }

  async #route({ tree, paramTypes }: Analysis, request: PlanRequest): Promise<Route> {
    if (tree === undefined) return catalogRoute('')
    if (!NAMES_RELATION.test(tree)) return catalogRoute(tree)
    const plain = this.#context(request)
    const calls = readTree(tree, plain)
    if (!touchesUserRelations(calls)) return catalogRoute(tree)
    const { changes, context: changed } = await this.#contextOf(tree, request)
    const context = await this.#withBodies(changed, tree, request)
    const isPlain = context.bodies === undefined && context.schema === plain.schema
    const queries = isPlain ? calls : readTree(tree, context)
    try {
      return this.#pushdown(queries, context)
    } catch (error) {
      if (error instanceof PgError) return { kind: 'unsupported', error }
      if (!(error instanceof NotPushable)) throw error
      const { text } = request
      const hasRowParams = paramTypes.some(isRowTypeOid)
      const refused = { text, tree, reason: error, changes, hasRowParams }
      const emulation = this.#emulation(refused, request, context)
      return emulation ?? { kind: 'unsupported', error: unsupported(error) }
    }
  }

  /** The context for a tree that calls functions of clients. What is uncommitted may have given them other bodies. */
  async #withBodies(
    context: EmitContext,
    tree: string,
    { session, signal, pinned }: PlanRequest,
  ): Promise<EmitContext> {
    if (pinned !== undefined) return context
    const { schema } = context
    const sessionKey = keyOfSession(session, schema.version)
    const bodies = await this.#bodies.find(tree, schema, { session, signal, sessionKey })
    return bodies.size === 0 ? context : { ...context, bodies }
  }

  #besideTemporary(tree: string | undefined, request: PlanRequest): Route {
    if (tree === undefined) return catalogRoute('')
    const context = this.#context(request)
    const queries = readTree(tree, context)
    const { relations } = context.schema
    if (!queries.some(({ relids }) => relids.some((relid) => relations.has(relid))))
      return catalogRoute(tree)
    const reason = new NotPushable('temporary tables together with other tables', {
      hint: 'Read the other tables in a statement of their own.',
    })
    const [query] = queries
    const beside = 'temporary tables'
    const route = query && emulateRoute({ tree, query, reason, beside }, context)
    const refusal = unsupported(reason)
    return route ? { ...route, refusal } : { kind: 'unsupported', error: refusal }
  }

  #emulation(
    refused: Omit<Refused, 'query' | 'beside'>,
    { pinned }: PlanRequest,
    context: EmitContext,
  ): EmulateRoute | undefined {
    const [query, ...others] = readTree(refused.tree, context)
    if (query === undefined || others.length > 0) return undefined
    const beside = pinned && 'uncommitted DDL'
    const route = emulateRoute({ ...refused, query, beside }, context)
    return route && { ...route, refusal: unsupported(refused.reason) }
  }

  /** With open DDL, over the tables as it left them. */
  async #contextOf(
    tree: string,
    request: PlanRequest,
  ): Promise<{ readonly context: EmitContext; readonly changes?: ChangedTables }> {
    const { pinned, added = new Map() } = request
    const context = this.#context(request)
    if (pinned === undefined) return { context }
    const tables = tablesNamed(readTreeUses(tree), context.schema)
    const now = await readTablesNow((text, params) => pinned.query(text, params), tables)
    const changes = new ChangedTables(context.schema, now, added)
    return { context: { ...context, schema: changes.schema }, changes }
  }

  #pushdown(queries: readonly Query[], context: EmitContext): Route {
    if (touchesSystemRelations(queries)) {
      throw new NotPushable('a query that joins system catalogs with tables', {
        hint: 'Read the catalogs in a statement of their own.',
      })
    }
    const [query, ...others] = queries
    if (query === undefined || others.length > 0)
      throw new NotPushable('a rule that adds statements')
    return emitPushdown(query, context)
  }

  #context({ session: { settings }, schema }: PlanRequest): EmitContext {
    const { schema: everybodys, capabilities, dialect } = this.#options
    return {
      schema: schema ?? everybodys.current,
      capabilities,
      dialect,
      settings: {
        timeZone: settings.get('TimeZone') ?? 'UTC',
        dateStyle: settings.get('DateStyle') ?? 'ISO, MDY',
      },
    }
  }
}

function keyOfSession({ user, settings }: SessionContext, version: bigint): string {
  return [version, user, ...KEY_SETTINGS.map((name) => settings.get(name) ?? '')].join('\0')
}

/** A tree without a relation is not worth reading: it may hold megabytes of constants. */
const NAMES_RELATION = /:relid\b/

function contradictsSchema(failure: BackendFailure): boolean {
  return (
    failure.kind === 'object-not-found' ||
    (failure.kind === 'sql' && CURED_BY_SCHEMA.has(failure.sqlState))
  )
}

function readTree(tree: string, { schema, bodies }: EmitContext): readonly Query[] {
  const { labels, domains, names } = schema.userTypes
  const { functions, operators } = schema.userFunctions
  if (names.size === 0 && functions.size === 0) return readQueryTree(tree)
  return readQueryTree(tree, {
    findFunction: (oid) => functions.get(oid),
    ...(bodies === undefined ? {} : { findBody: (oid: number) => bodies.get(oid) }),
    findOperator: (oid) => operators.get(oid),
    findLabel: (oid) => labels.get(oid),
    findDomain: (oid) => domains.get(oid),
  })
}

function catalogRoute(tree: string): Route {
  const { settings, ...reads } = readSessionReads(tree)
  const returnsSets = /:hasTargetSRFs\s+true\b/.test(tree)
  const locksRows = /:hasForUpdate\s+true\b/.test(tree)
  return { kind: 'catalog', views: sessionViewsOf(settings), ...reads, returnsSets, locksRows }
}

function unsupported(reason: NotPushable): PgError {
  return new PgError(SQL_STATE.featureNotSupported, `Spanner cannot run this: ${reason.reason}`, {
    hint: reason.hint ?? 'See docs/limitations.md.',
  })
}
