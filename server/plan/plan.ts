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
  /** A view of a client's holds now() or its like, which stands for the client's transaction, or calls what the proxy performs. */
  readonly mustExpandViews: boolean
  /** How often it calls set_config(): the session's settings are not the companion's to change. */
  readonly setConfigCalls: number
  /** A set-returning function in a select list makes rows. */
  readonly returnsSets: boolean
  /** FOR UPDATE, FOR SHARE ...: it may not run in a read-only transaction. */
  readonly locksRows: boolean
}

export interface UnsupportedRoute {
  readonly kind: 'unsupported'
  /** 0A000, with a hint that says what to do. */
  readonly error: PgError
}

/** A SELECT that Spanner cannot run: a PostgreSQL of ours runs it over the rows that it needs. */
export interface EmulateRoute {
  readonly kind: 'emulate'
  /**
   * A scratch database; the companion's own, where the statement asks for what only its catalogs know; or that on the session's connection
   * with its temporary tables.
   */
  readonly place: 'scratch' | 'mirror' | 'temporary'
  /** What Spanner lacks, in kebab case: `window-function`. */
  readonly name: string
  /** One a table or result; each is read in the client's transaction. */
  readonly loads: readonly Load[]
  /** The statement as it runs over them, where it is not the client's own text. */
  readonly text?: string | undefined
  /** Tables and views that the statement names. */
  readonly relations: readonly QualifiedName[]
  /** The session views among the catalogs that it reads: their rows are the proxy's. */
  readonly views: readonly SessionView[]
  /** A view among them holds now() or its like, or calls what the proxy performs. */
  readonly mustExpandViews: boolean
  /** It calls functions that the proxy performs. */
  readonly callsPerformed: boolean
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

export interface LoadedTable extends QualifiedName {
  /** In the mirror. */
  readonly oid: number
}

/** Rows that an emulated statement needs. */
export interface Load {
  readonly table: LoadedTable
  /** In the order of the columns of `read`. */
  readonly columns: readonly LoadedColumn[]
  readonly read: PushdownRoute
  /** Of the result of a query within the statement: it goes into a table of its own. */
  readonly result?: LoadedResult | undefined
  /** Of the one row of a sequence: it costs nothing worth telling. */
  readonly isSequence?: true
  /** Of a table that the open transaction has changed. */
  readonly changed?: ChangedLoad | undefined
}

/** How rows come into a table that is no more as Spanner has it. */
export interface ChangedLoad {
  /** The table's name outside of the transaction. */
  readonly stored: QualifiedName
  /** By way of a temporary table; undefined: they go into the table as they are. */
  readonly staged?: StagedRows | undefined
  /** What the statement is told where there is any row. */
  readonly refusal?: PgError | undefined
}

export interface StagedRows {
  /** As SQL names it. */
  readonly table: string
  /** Statements before and after its COPY. */
  readonly before: readonly string[]
  readonly after: readonly string[]
}

/** What a table for a result is made of. */
export interface LoadedResult {
  /** The columns' types as CREATE TABLE names them. */
  readonly types: readonly string[]
  /** The client's tables that the query reads. */
  readonly tables: readonly string[]
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
  /** Whether it writes values that Spanner draws in it: from sequences, random uuids. */
  readonly writesDrawn?: boolean | undefined
  /** What INSERT, UPDATE and DELETE write to: PostgreSQL's errors name it. */
  readonly written?: WrittenRelation | undefined
  /** FOR UPDATE, FOR SHARE ...: needs a read-write transaction although it is a SELECT. */
  readonly locksRows: boolean
  /** Whether rows come in a fixed order (ORDER BY at the top): a replay compares them in order. */
  readonly isOrdered: boolean
  /** What PostgreSQL's errors call the integers that Spanner computes as bigint. */
  readonly integerName?: 'integer' | 'smallint' | undefined
  /** Whether the errors of its SQL do not tell what PostgreSQL's would. */
  readonly saysLess?: boolean
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

/** What counts rows, under the name that PostgreSQL's errors have for it. */
export type RowCountClause = 'LIMIT' | 'OFFSET'

export type ParamSource =
  /** The client's parameter `number` (from 1), converted from PostgreSQL's type to Spanner's. */
  | {
      readonly kind: 'client'
      readonly number: number
      readonly typeOid: number
      readonly type: SpannerType
      /** It counts rows: NULL is no bound, and negative it must not be. */
      readonly countsRows?: RowCountClause
    }
  /** now(): the start of the client's transaction. */
  | { readonly kind: 'transaction-start'; readonly type: SpannerType }
  /** Column `index` (from 0) of the companion's answer to `computed`. */
  | {
      readonly kind: 'computed'
      readonly index: number
      readonly typeOid: number
      readonly type: SpannerType
      readonly countsRows?: RowCountClause
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
