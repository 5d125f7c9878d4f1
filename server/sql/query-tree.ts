import type { UserFunction } from './user-functions.ts'

/**
 * PostgreSQL's own analysed and rewritten query tree (src/include/nodes/parsenodes.h, primnodes.h), as the companion
 * prints it under debug_print_rewritten. Names, types, views, defaults and implicit casts are resolved in it, so nothing above
 * resolves a name by hand. Only the node kinds that Spanwire can do something with have a type here; every other one arrives
 * as `Unsupported` with PostgreSQL's tag, and the statement that holds it is not pushed down.
 *
 * Numbers (`opno`, `funcid`, `relid`, type OIDs) are OIDs of the companion; those below 16384 are the same in every PostgreSQL.
 * `location` is a byte offset into the statement's text, -1 where unknown.
 */
export interface Query {
  readonly kind: 'Query'
  readonly command: 'select' | 'insert' | 'update' | 'delete' | 'merge' | 'utility' | 'nothing'
  /** Index into `rangeTable` (from 1) of the written relation, 0 for SELECT. */
  readonly resultRelation: number
  readonly rangeTable: readonly RangeTableEntry[]
  /** OIDs of all tables, sequences and materialised views that it or any query inside it names; views count for what they select from. */
  readonly relids: readonly number[]
  readonly from: readonly FromNode[]
  readonly where: Expr | undefined
  readonly targetList: readonly TargetEntry[]
  readonly returningList: readonly TargetEntry[]
  readonly onConflict: OnConflict | undefined
  readonly groupClause: readonly SortGroupClause[]
  readonly groupDistinct: boolean
  readonly hasGroupingSets: boolean
  readonly having: Expr | undefined
  readonly hasWindowFunctions: boolean
  /** PARTITION BY of each window. */
  readonly partitions: readonly (readonly SortGroupClause[])[]
  readonly hasAggregates: boolean
  readonly hasTargetSrfs: boolean
  readonly distinctClause: readonly SortGroupClause[]
  readonly hasDistinctOn: boolean
  readonly sortClause: readonly SortGroupClause[]
  readonly limitOffset: Expr | undefined
  readonly limitCount: Expr | undefined
  readonly limitWithTies: boolean
  readonly rowMarks: readonly RowMark[]
  readonly setOperations: SetOperationNode | undefined
  readonly ctes: readonly CommonTableExpr[]
  readonly hasRecursive: boolean
  readonly hasModifyingCte: boolean
  readonly override: 'none' | 'user' | 'system'
  /** Written through a view WITH CHECK OPTION. */
  readonly hasCheckOptions: boolean
}

export type RangeTableEntry =
  | {
      readonly kind: 'relation'
      readonly relid: number
      readonly relkind: string
      readonly columnNames: readonly string[]
      readonly inFromClause: boolean
      readonly hasTableSample: boolean
      readonly inherited: boolean
    }
  | {
      readonly kind: 'subquery'
      readonly query: Query
      readonly lateral: boolean
      readonly columnNames: readonly string[]
    }
  | {
      readonly kind: 'join'
      readonly joinType: JoinType
      readonly aliasVars: readonly (Expr | undefined)[]
      readonly columnNames: readonly string[]
    }
  | {
      readonly kind: 'function'
      readonly functions: readonly Expr[]
      readonly withOrdinality: boolean
      readonly lateral: boolean
      readonly columnNames: readonly string[]
    }
  | {
      readonly kind: 'values'
      readonly rows: readonly (readonly Expr[])[]
      readonly lateral: boolean
      readonly columnTypes: readonly number[]
      readonly columnNames: readonly string[]
    }
  | {
      readonly kind: 'cte'
      readonly name: string
      readonly levelsUp: number
      readonly selfReference: boolean
      readonly columnNames: readonly string[]
    }
  | { readonly kind: 'result' }
  | { readonly kind: 'unsupported'; readonly tag: string }

export type JoinType = 'inner' | 'left' | 'full' | 'right'

export type FromNode =
  | { readonly kind: 'RangeTableRef'; readonly rtindex: number }
  | {
      readonly kind: 'JoinExpr'
      readonly joinType: JoinType
      readonly left: FromNode
      readonly right: FromNode
      readonly quals: Expr | undefined
      readonly rtindex: number
    }
  | {
      readonly kind: 'FromExpr'
      readonly from: readonly FromNode[]
      readonly quals: Expr | undefined
    }

export interface TargetEntry {
  readonly expr: Expr
  /** SELECT: column number of the result; INSERT and UPDATE: attribute number of the written column. */
  readonly resno: number
  readonly name: string | undefined
  readonly sortGroupRef: number
  readonly originTable: number
  readonly originColumn: number
  readonly junk: boolean
}

export interface SortGroupClause {
  readonly targetRef: number
  readonly equalityOperator: number
  readonly sortOperator: number
  readonly nullsFirst: boolean
}

export interface RowMark {
  readonly rtindex: number
  readonly strength: 'key-share' | 'share' | 'no-key-update' | 'update'
  readonly wait: 'block' | 'skip' | 'error'
}

export type SetOperationNode =
  | { readonly kind: 'RangeTableRef'; readonly rtindex: number }
  | {
      readonly kind: 'SetOperation'
      readonly op: 'union' | 'intersect' | 'except'
      readonly all: boolean
      readonly left: SetOperationNode
      readonly right: SetOperationNode
      readonly columnTypes: readonly number[]
    }

export interface CommonTableExpr {
  readonly name: string
  readonly query: Query
  readonly recursive: boolean
  readonly columnNames: readonly string[]
}

export interface OnConflict {
  readonly action: 'nothing' | 'update'
  /** Index expressions of the arbiter; empty for DO NOTHING without a target. */
  readonly arbiterElements: readonly Expr[]
  readonly hasArbiterWhere: boolean
  /** OID of the named constraint, 0 where none was named. */
  readonly constraint: number
  readonly set: readonly TargetEntry[]
  readonly where: Expr | undefined
  /** Range table index of EXCLUDED. */
  readonly excludedRtindex: number
}

/** A constant as PostgreSQL holds it in memory: `bytes` is the Datum (little-endian on every platform we ship), see datum.ts. */
export interface Const {
  readonly kind: 'Const'
  readonly type: number
  readonly typmod: number
  readonly isNull: boolean
  readonly byValue: boolean
  readonly lengthBytes: number
  readonly bytes: Buffer
  readonly location: number
}

export type Expr =
  | {
      readonly kind: 'Var'
      readonly rtindex: number
      readonly attribute: number
      readonly type: number
      readonly typmod: number
      readonly levelsUp: number
      readonly location: number
    }
  | Const
  | {
      readonly kind: 'Param'
      readonly paramKind: 'extern' | 'exec' | 'sublink' | 'multiexpr'
      readonly number: number
      readonly type: number
      readonly typmod: number
      readonly location: number
    }
  | {
      readonly kind: 'Aggref'
      readonly function: number
      readonly type: number
      readonly argTypes: readonly number[]
      readonly args: readonly TargetEntry[]
      readonly directArgs: readonly Expr[]
      readonly order: readonly SortGroupClause[]
      readonly distinct: readonly SortGroupClause[]
      readonly filter: Expr | undefined
      readonly star: boolean
      readonly variadic: boolean
      readonly aggregateKind: string
      readonly levelsUp: number
      readonly location: number
    }
  /** A window function; what its window is made of stands in the select list. */
  | {
      readonly kind: 'WindowFunc'
      readonly function: number
      readonly type: number
      readonly args: readonly Expr[]
      readonly filter: Expr | undefined
      readonly location: number
    }
  /** `format`: 0 a function call, 1 an explicit cast, 2 an implicit cast, 3 SQL syntax (CoercionForm). */
  | {
      readonly kind: 'FuncExpr'
      readonly function: number
      /** What an extension brought. */
      readonly user: Pick<UserFunction, 'name' | 'volatility'> | undefined
      readonly type: number
      readonly returnsSet: boolean
      readonly variadic: boolean
      readonly format: number
      readonly args: readonly Expr[]
      readonly location: number
    }
  | {
      readonly kind: 'OpExpr'
      readonly operator: number
      /** An extension's, as OPERATOR(..) names it. */
      readonly userOperator: string | undefined
      readonly function: number
      readonly type: number
      readonly args: readonly Expr[]
      readonly location: number
    }
  | {
      readonly kind: 'DistinctExpr'
      readonly operator: number
      readonly type: number
      readonly args: readonly Expr[]
      readonly location: number
    }
  | {
      readonly kind: 'NullIfExpr'
      readonly operator: number
      readonly type: number
      readonly args: readonly Expr[]
      readonly location: number
    }
  | {
      readonly kind: 'ScalarArrayOpExpr'
      readonly operator: number
      /** An extension's, as OPERATOR(..) names it. */
      readonly userOperator: string | undefined
      readonly useOr: boolean
      readonly args: readonly Expr[]
      readonly location: number
    }
  | {
      readonly kind: 'BoolExpr'
      readonly op: 'and' | 'or' | 'not'
      readonly args: readonly Expr[]
      readonly location: number
    }
  | {
      readonly kind: 'SubLink'
      readonly linkType:
        | 'exists'
        | 'all'
        | 'any'
        | 'rowcompare'
        | 'expr'
        | 'multiexpr'
        | 'array'
        | 'cte'
      readonly id: number
      readonly test: Expr | undefined
      readonly operatorNames: readonly string[]
      readonly query: Query
      readonly location: number
    }
  | {
      readonly kind: 'RelabelType'
      readonly arg: Expr
      readonly type: number
      readonly typmod: number
      readonly format: number
      readonly location: number
    }
  | {
      readonly kind: 'CoerceViaIO'
      readonly arg: Expr
      readonly type: number
      readonly format: number
      readonly location: number
    }
  | {
      readonly kind: 'ArrayCoerceExpr'
      readonly arg: Expr
      readonly elementExpr: Expr
      readonly type: number
      readonly typmod: number
      readonly format: number
      readonly location: number
    }
  | {
      readonly kind: 'CollateExpr'
      readonly arg: Expr
      readonly collation: number
      readonly location: number
    }
  | {
      readonly kind: 'CaseExpr'
      readonly type: number
      readonly arg: Expr | undefined
      readonly whens: readonly { readonly condition: Expr; readonly result: Expr }[]
      readonly defaultResult: Expr | undefined
      readonly location: number
    }
  | { readonly kind: 'CaseTestExpr'; readonly type: number; readonly typmod: number }
  | {
      readonly kind: 'ArrayExpr'
      readonly type: number
      readonly elementType: number
      readonly elements: readonly Expr[]
      readonly multidimensional: boolean
      readonly location: number
    }
  | {
      readonly kind: 'RowExpr'
      readonly args: readonly Expr[]
      readonly type: number
      readonly location: number
    }
  | {
      readonly kind: 'RowCompareExpr'
      readonly compareType: number
      readonly operators: readonly number[]
      readonly left: readonly Expr[]
      readonly right: readonly Expr[]
    }
  | {
      readonly kind: 'CoalesceExpr'
      readonly type: number
      readonly args: readonly Expr[]
      readonly location: number
    }
  | {
      readonly kind: 'MinMaxExpr'
      readonly type: number
      readonly op: 'greatest' | 'least'
      readonly args: readonly Expr[]
      readonly location: number
    }
  /** CURRENT_DATE, CURRENT_TIMESTAMP, CURRENT_USER ...: `op` is the member of SQLValueFunctionOp without SVFOP_. */
  | {
      readonly kind: 'SQLValueFunction'
      readonly op: string
      readonly type: number
      readonly typmod: number
      readonly location: number
    }
  | {
      readonly kind: 'NullTest'
      readonly arg: Expr
      readonly isNull: boolean
      readonly argIsRow: boolean
      readonly location: number
    }
  | {
      readonly kind: 'BooleanTest'
      readonly arg: Expr
      readonly test: 'true' | 'not-true' | 'false' | 'not-false' | 'unknown' | 'not-unknown'
      readonly location: number
    }
  | {
      readonly kind: 'SubscriptingRef'
      readonly containerType: number
      readonly elementType: number
      readonly type: number
      readonly upper: readonly (Expr | undefined)[]
      readonly lower: readonly (Expr | undefined)[]
      readonly arg: Expr
      readonly assignment: boolean
    }
  /** `name => arg` of a call; the arguments of FuncExpr are as written, defaults are not filled in. */
  | {
      readonly kind: 'NamedArgExpr'
      readonly arg: Expr
      readonly name: string
      readonly location: number
    }
  /** nextval of an identity column's own sequence. */
  | { readonly kind: 'NextValueExpr'; readonly sequence: number; readonly type: number }
  | {
      readonly kind: 'SetToDefault'
      readonly type: number
      readonly typmod: number
      readonly location: number
    }
  /** `type` is what the domain is over, `domain` the domain or the type of its arrays. */
  | {
      readonly kind: 'CoerceToDomain'
      readonly arg: Expr
      readonly type: number
      readonly domain: number
      readonly location: number
    }
  | { readonly kind: 'Unsupported'; readonly tag: string; readonly location: number }
