import type { Capabilities } from '../backend/capabilities.ts'
import type { LogicalSchema } from '../schema/logical-schema.ts'
import type { CallRule } from '../sql/dialect.ts'
import type { InlineBody } from '../sql/inline-calls.ts'
import type { Expr, Query } from '../sql/query-tree.ts'
import type { ComputedList } from './computed-expressions.ts'
import type { ParamList } from './param-list.ts'
import type { DrawnValues, OutputColumn, SequenceDraws, WrittenRelation } from './plan.ts'
import type { Scope } from './scope.ts'

/** What the emitter asks of the world around one statement. */
export interface EmitContext {
  readonly schema: LogicalSchema
  /** What can stand in the place of calls of clients' functions, by pg_proc.oid. */
  readonly bodies?: ReadonlyMap<number, InlineBody>
  readonly capabilities: Capabilities
  readonly dialect: DialectTable
  readonly settings: ReadSettings
  /** What is emitted runs beside the statement, which itself draws from its sequences. */
  readonly drawsNothing?: true
}

/** The session's settings that expressions depend on, as SHOW prints them. */
export interface ReadSettings {
  readonly timeZone: string
  readonly dateStyle: string
}

/** The allow-list of pushdown (server/sql/dialect*.ts): by OID of the operator or function; casts by their types. */
export interface DialectTable {
  readonly findOperatorRule: (oid: number) => CallRule | undefined
  readonly findFunctionRule: (oid: number) => CallRule | undefined
  readonly findAggregateRule: (oid: number) => CallRule | undefined
  readonly findIoCastRule: (fromTypeOid: number, toTypeOid: number) => CallRule | undefined
}

/** Where an expression stands. */
export interface Place {
  readonly scope: Scope
  /**
   * Whoever takes the value notices an integer that has left its type's range: the writer of a result's cells, the CHECK
   * of a column. Anywhere else the expression itself must fail (checked-range.ts).
   */
  readonly noticesRange?: boolean
  /** A condition of which only the truth counts: NULL is as good as false. */
  readonly isFilter?: boolean
  /** PostgreSQL evaluates it once in an execution: a volatile function may be computed ahead. */
  readonly isOnce?: boolean
  /** Part of an expression that the companion computes as a whole where any part of it cannot be pushed down. */
  readonly isWhole?: boolean
  /** What CaseTestExpr stands for. */
  readonly caseTest?: string
  /** What the columns of the subquery of an ANY or ALL stand for, by their number from 1. */
  readonly sublinkColumns?: readonly string[]
  /** SQL of a column of `SET (a, b) = (SELECT ..)`, by the number of its parameter. */
  readonly multiExpr?: (number: number) => string
}

export interface SelectOptions {
  /** The level around the query. */
  readonly parent: Scope | undefined
  /** Names the result columns c1, c2 ... */
  readonly namesColumns?: boolean
  /** The types that a set operation wants of its columns. */
  readonly columnTypes?: readonly number[]
  /** Only whether there is a row matters (EXISTS). */
  readonly onlyExists?: boolean
  /** The statement itself: here alone Spanner takes WITH. */
  readonly isTop?: boolean
  /** Its columns go to someone who notices an integer out of range: see {@link Place}. */
  readonly noticesRange?: boolean
  /** Its columns become those of a table. */
  readonly isAssigned?: boolean
}

export interface EmittedSelect {
  readonly sql: string
  readonly columns: readonly OutputColumn[]
  readonly again?: DrawnValues | undefined
  readonly draws?: SequenceDraws | undefined
  readonly written?: WrittenRelation | undefined
}

/** One statement being written: what its parts share, and how they reach one another. */
export interface Emission {
  readonly context: EmitContext
  readonly params: ParamList
  readonly computed: ComputedList
  /** OIDs of the sequences that its SQL draws from. */
  readonly drawnSequences: Set<number>
  /** Whether its SQL draws random uuids. */
  drawsUuids: boolean
  /** OIDs of the integer types that its SQL computes values of: Spanner calls all of them bigint. */
  readonly integerTypes: Set<number>
  /** Whether the errors of its SQL do not tell what PostgreSQL's would. */
  saysLess: boolean
  /** `t1`, `t2` ... */
  readonly newAlias: () => string
  /** SQL of an expression, of the Spanner type that its PostgreSQL type is stored as. Not an operand: see operand.ts. */
  readonly expression: (expr: Expr, place: Place) => string
  readonly select: (query: Query, options: SelectOptions) => EmittedSelect
}
