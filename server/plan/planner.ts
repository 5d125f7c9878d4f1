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
import type { DatabaseSchema } from '../schema/schema-types.ts'
import { BARE_DIALECT } from '../sql/dialect-lookup.ts'
import type { Query } from '../sql/query-tree.ts'
import { readQueryTree } from '../sql/query-tree-reader.ts'
import { readSessionReads } from '../sql/session-reads.ts'
import type { DialectTable, EmitContext } from './emission.ts'
import { emitPushdown } from './emit-pushdown.ts'
import { emulateRoute } from './emulate-route.ts'
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
  readonly signal: AbortSignal
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
  #nextRefresh = 0

  constructor(options: PlannerOptions) {
    this.#options = options
  }

  /** Rejects with PostgreSQL's own error where the statement is wrong; what Spanner cannot run is a plan that says so. */
  async plan(request: PlanRequest): Promise<Plan> {
    // What is uncommitted is seen by its transaction alone.
    if (request.pinned !== undefined) return this.#make(request)
    const key = this.#key(request)
    const cached = this.#cache.get(key)
    if (cached !== undefined) return cached
    const plan = await this.#make(request)
    this.#cache.set(this.#key(request), plan)
    return plan
  }

  /**
   * For a SELECT that Spanner refused although it was pushed down: the plan that emulates it, which from now on stands in the other's
   * place. It loads whole tables, as nobody knows which expression was refused. `message` is Spanner's. undefined where it cannot be emulated.
   */
  async planEmulation(request: PlanRequest, message: string): Promise<Plan | undefined> {
    const { tree, ...analysis } = await this.#analyse(request)
    const reason = new NotPushable(`refused: ${message}`)
    const context = { ...this.#context(request.session), dialect: BARE_DIALECT }
    const route =
      tree === undefined ? undefined : this.#emulation({ tree, reason }, request, context)
    if (route === undefined) return undefined
    const plan = { ...analysis, route }
    if (request.pinned === undefined) this.#cache.set(this.#key(request), plan)
    return plan
  }

  /** After an error that Spanner gave for a statement: where it contradicts the schema, somebody else may have changed that. */
  async noteRefusal(error: unknown, signal: AbortSignal): Promise<void> {
    if (error instanceof BackendError && contradictsSchema(error.failure))
      await this.#refresh(signal)
  }

  #key({ text, paramTypes, session }: PlanRequest): string {
    const settings = KEY_SETTINGS.map((name) => session.settings.get(name) ?? '')
    const { version } = this.#options.schema.current
    return [version, session.user, paramTypes.join(), ...settings, text].join('\0')
  }

  async #make(request: PlanRequest): Promise<Plan> {
    const analysis = await this.#analyse(request)
    return {
      paramTypes: analysis.paramTypes,
      fields: analysis.fields,
      notices: analysis.notices,
      route: this.#route(analysis, request),
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

  #route({ tree }: Analysis, request: PlanRequest): Route {
    if (tree === undefined) return catalogRoute('')
    const context = this.#context(request.session)
    const queries = readTree(tree, context)
    if (!touchesUserRelations(queries)) return catalogRoute(tree)
    try {
      return this.#pushdown(queries, context)
    } catch (error) {
      if (error instanceof PgError) return { kind: 'unsupported', error }
      if (!(error instanceof NotPushable)) throw error
      const emulation = this.#emulation({ tree, reason: error }, request, context)
      return emulation ?? { kind: 'unsupported', error: unsupported(error) }
    }
  }

  /** The scratch database knows nothing of what is uncommitted: with open DDL nothing is emulated. */
  #emulation(
    { tree, reason }: { readonly tree: string; readonly reason: NotPushable },
    { pinned }: PlanRequest,
    context: EmitContext,
  ): EmulateRoute | undefined {
    const [query, ...others] = readTree(tree, context)
    if (query === undefined || others.length > 0 || pinned !== undefined) return undefined
    const route = emulateRoute({ tree, query, reason }, context)
    return route && { ...route, refusal: unsupported(reason) }
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

  #context({ settings }: SessionContext): EmitContext {
    const { schema, capabilities, dialect } = this.#options
    return {
      schema: schema.current,
      capabilities,
      dialect,
      settings: {
        timeZone: settings.get('TimeZone') ?? 'UTC',
        dateStyle: settings.get('DateStyle') ?? 'ISO, MDY',
      },
    }
  }
}

function contradictsSchema(failure: BackendFailure): boolean {
  return (
    failure.kind === 'object-not-found' ||
    (failure.kind === 'sql' && CURED_BY_SCHEMA.has(failure.sqlState))
  )
}

function readTree(tree: string, { schema }: EmitContext): readonly Query[] {
  const { labels, domains, names } = schema.userTypes
  const { functions, operators } = schema.extensions
  if (names.size === 0 && functions.size === 0) return readQueryTree(tree)
  return readQueryTree(tree, {
    findFunction: (oid) => functions.get(oid),
    findOperator: (oid) => operators.get(oid),
    findLabel: (oid) => labels.get(oid),
    findDomain: (oid) => domains.get(oid),
  })
}

function catalogRoute(tree: string): Route {
  const { settings, ...reads } = readSessionReads(tree)
  const returnsSets = /:hasTargetSRFs true\b/.test(tree)
  return { kind: 'catalog', views: sessionViewsOf(settings), ...reads, returnsSets }
}

function unsupported(reason: NotPushable): PgError {
  return new PgError(SQL_STATE.featureNotSupported, `Spanner cannot run this: ${reason.reason}`, {
    hint: reason.hint ?? 'See docs/limitations.md.',
  })
}
