import type { PgError, PgNotice } from '../base/pg-error.ts'
import type { SessionView } from '../companion/companion-types.ts'
import type { QualifiedName } from '../schema/declared-object.ts'
import type { SpannerType } from '../types/spanner-type.ts'
import type { FieldDescription } from '../wire/field-description.ts'

/**
 * What to do with one SELECT, VALUES, INSERT, UPDATE or DELETE: shared by every connection whose text, types, search path and
 * schema version agree, so nothing in it belongs to a client.
 */
export interface Plan {
  /** Types of $1, $2 ... as PostgreSQL resolved them. */
  readonly paramTypes: readonly number[]
  /** RowDescription without formats; undefined: NoData. */
  readonly fields: readonly FieldDescription[] | undefined
  readonly notices: readonly PgNotice[]
  readonly route: Route
}

export type Route = CatalogRoute | PushdownRoute | EmulateRoute | UnsupportedRoute

/** System relations only, or none: the companion runs it, its bytes go to the client as they come. */
export interface CatalogRoute {
  readonly kind: 'catalog'
  /** The session views among those catalogs: their rows are the proxy's. */
  readonly views: readonly SessionView[]
  /** A view of a client's holds now() or its like, which stands for the client's transaction. */
  readonly hasMomentInView: boolean
  /** How often it calls set_config(): the session's settings are not the companion's to change. */
  readonly setConfigCalls: number
  /** A set-returning function in a select list makes rows. */
  readonly returnsSets: boolean
}

export interface UnsupportedRoute {
  readonly kind: 'unsupported'
  /** 0A000, with a hint that says what to do. */
  readonly error: PgError
}

/** A SELECT that Spanner cannot run: a scratch database runs it over the rows that it needs. */
export interface EmulateRoute {
  readonly kind: 'emulate'
  /** What Spanner lacks, in kebab case: `window-function`. */
  readonly name: string
  /** One a table; each is read in the client's transaction. */
  readonly loads: readonly Load[]
  /** Tables and views that the statement names. */
  readonly relations: readonly QualifiedName[]
  /** A view among them holds now() or its like. */
  readonly hasMomentInView: boolean
  /** 0A000, for a session that wants no emulation. */
  readonly refusal: PgError
}

/** A column of a table whose rows are loaded. */
export interface LoadedColumn {
  /** As the client declared it. */
  readonly name: string
  readonly typeOid: number
  /** What Spanner stores. */
  readonly type: SpannerType
}

/** The rows of a table that an emulated statement needs. */
export interface Load {
  readonly table: QualifiedName
  /** In the order of the columns of `read`. */
  readonly columns: readonly LoadedColumn[]
  readonly read: PushdownRoute
}

/** Spanner runs it. */
export interface PushdownRoute {
  readonly kind: 'pushdown'
  readonly command: 'SELECT' | 'INSERT' | 'UPDATE' | 'DELETE'
  /** Spanner's PostgreSQL dialect; parameters $1, $2 ... are `params`, not the client's. */
  readonly sql: string
  readonly params: readonly ParamSource[]
  /** Expressions that do not depend on rows and that the companion evaluates once per execution, in one SELECT. */
  readonly computed: ComputedExpressions | undefined
  /** One entry a result column of `sql`, in the order of `Plan.fields`. Empty without RETURNING. */
  readonly columns: readonly OutputColumn[]
  /** Where Spanner draws values that the client is told: what is sent when the transaction is run again. */
  readonly again?: DrawnValues | undefined
  /** Undefined where it draws from no sequence. */
  readonly draws?: SequenceDraws | undefined
  /** What INSERT, UPDATE and DELETE write to: PostgreSQL's errors name it. */
  readonly written?: WrittenRelation | undefined
  /** FOR UPDATE, FOR SHARE ...: needs a read-write transaction although it is a SELECT. */
  readonly locksRows: boolean
  /** Whether rows come in a fixed order (ORDER BY at the top): a replay compares them in order. */
  readonly isOrdered: boolean
}

/** The table that a statement writes, for the words of its errors. */
export interface WrittenRelation {
  /** Spanner's name of the table. */
  readonly table: string
  /** The row of an INSERT of one row, a column of the table each, where it is known before it is sent. */
  readonly row: ComputedExpressions | undefined
}

/** The sequences that a statement draws from: currval() and lastval() of the session follow them. */
export interface SequenceDraws {
  /** The statement as it is sent by itself: what is drawn comes behind the columns that RETURNING asks for. In a batch nothing comes. */
  readonly sql: string
  /** In the order in which PostgreSQL draws. */
  readonly sequences: readonly SequenceDraw[]
}

/** One sequence that a statement draws from. */
export interface SequenceDraw {
  /** OID of the sequence. */
  readonly sequence: number
  /** The column of the result (from 0) that holds its values; undefined where none does. */
  readonly column: number | undefined
  /** The row (from 0) with the last of them where `rowCount` rows come; undefined: the last row that comes. */
  readonly row?: { readonly index: number; readonly rowCount: number } | undefined
}

/** The values that an INSERT of several rows leaves to Spanner and returns to the client. */
export interface DrawnValues {
  /** The same INSERT with parameters after those of the first, in their place. */
  readonly sql: string
  /** Where each further parameter's value stood: which row of RETURNING (from 0), which column of it. */
  readonly params: readonly {
    readonly row: number
    readonly column: number
    readonly type: SpannerType
  }[]
  /** Rows that RETURNING gave where none was passed over. */
  readonly rowCount: number
}

export type ParamSource =
  /** The client's parameter `number` (from 1), converted from PostgreSQL's type to Spanner's. */
  | {
      readonly kind: 'client'
      readonly number: number
      readonly typeOid: number
      readonly type: SpannerType
    }
  /** now(): the start of the client's transaction. */
  | { readonly kind: 'transaction-start'; readonly type: SpannerType }
  /** Column `index` (from 0) of the companion's answer to `computed`. */
  | {
      readonly kind: 'computed'
      readonly index: number
      readonly typeOid: number
      readonly type: SpannerType
    }

export interface ComputedExpressions {
  /**
   * `SELECT e0, e1 ...` in PostgreSQL's SQL, each cast to its type. It may use the client's parameters: `paramNumbers` says which
   * of them $1, $2 ... of this text are.
   */
  readonly text: string
  readonly paramNumbers: readonly number[]
  readonly paramTypes: readonly number[]
}

/** A result column: which PostgreSQL type the client gets for the value that Spanner sends. */
export interface OutputColumn {
  readonly typeOid: number
  readonly typmod: number
}
