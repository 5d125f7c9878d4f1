import { Bug } from '../base/pg-error.ts'
import type { Volatility } from './builtin-catalog.ts'
import {
  BOOLEAN_TESTS,
  MINMAX_OPS,
  memberOf,
  PARAM_KINDS,
  SUBLINK_TYPES,
  VALUE_FUNCTIONS,
} from './node-enums.ts'
import { NodeFields } from './node-fields.ts'
import type { NodeObject, NodeValue } from './node-text.ts'
import type { Expr, Query, SortGroupClause, TargetEntry } from './query-tree.ts'

/** Reads a Query node: handed down so that a SubLink can read its subquery. */
export type QueryNodeReader = (node: NodeObject) => Query

type ExprOf<K extends Expr['kind']> = Extract<Expr, { readonly kind: K }>

/** Turns one node of an expression into its typed form; kinds without one become `Unsupported`. */
export class ExpressionReader {
  readonly #readQuery: QueryNodeReader

  constructor(readQuery: QueryNodeReader) {
    this.#readQuery = readQuery
  }

  expr(node: NodeObject): Expr {
    const read = READERS[node.tag]
    const fields = new NodeFields(node)
    if (read === undefined)
      return { kind: 'Unsupported', tag: node.tag, location: fields.location() }
    return read(fields, this)
  }

  optional(node: NodeObject | undefined): Expr | undefined {
    return node === undefined ? undefined : this.expr(node)
  }

  /** A field that must hold an expression. */
  field(fields: NodeFields, name: string): Expr {
    const node = fields.object(name)
    if (node === undefined) throw new Bug(`${fields.tag}.${name} is missing`)
    return this.expr(node)
  }

  list(fields: NodeFields, name: string): readonly Expr[] {
    return fields.objects(name).map((node) => this.expr(node))
  }

  /** An argument list, or the expressions of one row of VALUES. */
  exprs(items: readonly NodeValue[], where: string): readonly Expr[] {
    return items.map((item) => {
      if (item?.kind !== 'object') throw new Bug(`${where} holds a ${item?.kind ?? 'null'}`)
      return this.expr(item)
    })
  }

  targets(fields: NodeFields, name: string): readonly TargetEntry[] {
    return fields.objects(name).map((node) => this.#target(new NodeFields(node)))
  }

  query(fields: NodeFields, name: string): Query {
    const node = fields.object(name)
    if (node?.tag !== 'QUERY') throw new Bug(`${fields.tag}.${name} is no query`)
    return this.#readQuery(node)
  }

  #target(fields: NodeFields): TargetEntry {
    return {
      expr: this.field(fields, 'expr'),
      resno: fields.int('resno'),
      name: fields.text('resname'),
      sortGroupRef: fields.int('ressortgroupref'),
      originTable: fields.int('resorigtbl'),
      originColumn: fields.int('resorigcol'),
      junk: fields.bool('resjunk'),
    }
  }
}

/** SortGroupClause nodes: ORDER BY, GROUP BY and DISTINCT. */
export function readSortGroupClauses(fields: NodeFields, name: string): readonly SortGroupClause[] {
  return fields.objects(name).map((node) => {
    const clause = new NodeFields(node)
    return {
      targetRef: clause.int('tleSortGroupRef'),
      equalityOperator: clause.int('eqop'),
      sortOperator: clause.int('sortop'),
      nullsFirst: clause.bool('nulls_first'),
    }
  })
}

type Read = (fields: NodeFields, reader: ExpressionReader) => Expr

function readVar(fields: NodeFields): ExprOf<'Var'> {
  return {
    kind: 'Var',
    rtindex: fields.int('varno'),
    attribute: fields.int('varattno'),
    type: fields.int('vartype'),
    typmod: fields.int('vartypmod'),
    levelsUp: fields.int('varlevelsup'),
    location: fields.location(),
  }
}

function readConst(fields: NodeFields): ExprOf<'Const'> {
  const isNull = fields.bool('constisnull')
  return {
    kind: 'Const',
    type: fields.int('consttype'),
    typmod: fields.int('consttypmod'),
    isNull,
    byValue: fields.bool('constbyval'),
    lengthBytes: fields.int('constlen'),
    bytes: (isNull ? undefined : fields.bytes('constvalue')) ?? Buffer.alloc(0),
    location: fields.location(),
  }
}

function readAggref(fields: NodeFields, reader: ExpressionReader): ExprOf<'Aggref'> {
  return {
    kind: 'Aggref',
    function: fields.int('aggfnoid'),
    type: fields.int('aggtype'),
    argTypes: fields.ints('aggargtypes'),
    args: reader.targets(fields, 'args'),
    directArgs: reader.list(fields, 'aggdirectargs'),
    order: readSortGroupClauses(fields, 'aggorder'),
    distinct: readSortGroupClauses(fields, 'aggdistinct'),
    filter: reader.optional(fields.object('aggfilter')),
    star: fields.bool('aggstar'),
    variadic: fields.bool('aggvariadic'),
    aggregateKind: fields.text('aggkind') ?? 'n',
    levelsUp: fields.int('agglevelsup'),
    location: fields.location(),
  }
}

function readWindowFunc(fields: NodeFields, reader: ExpressionReader): ExprOf<'WindowFunc'> {
  return {
    kind: 'WindowFunc',
    function: fields.int('winfnoid'),
    type: fields.int('wintype'),
    args: reader.list(fields, 'args'),
    filter: reader.optional(fields.object('aggfilter')),
    location: fields.location(),
  }
}

function readSubLink(fields: NodeFields, reader: ExpressionReader): ExprOf<'SubLink'> {
  return {
    kind: 'SubLink',
    linkType: memberOf(SUBLINK_TYPES, fields.int('subLinkType'), 'SubLinkType'),
    id: fields.int('subLinkId'),
    test: reader.optional(fields.object('testexpr')),
    operatorNames: fields.texts('operName'),
    query: reader.query(fields, 'subselect'),
    location: fields.location(),
  }
}

function readCase(fields: NodeFields, reader: ExpressionReader): ExprOf<'CaseExpr'> {
  return {
    kind: 'CaseExpr',
    type: fields.int('casetype'),
    arg: reader.optional(fields.object('arg')),
    whens: fields.objects('args').map((node) => {
      const when = new NodeFields(node)
      return { condition: reader.field(when, 'expr'), result: reader.field(when, 'result') }
    }),
    defaultResult: reader.optional(fields.object('defresult')),
    location: fields.location(),
  }
}

function readSubscripts(fields: NodeFields, reader: ExpressionReader): ExprOf<'SubscriptingRef'> {
  const indexes = (name: string): readonly (Expr | undefined)[] =>
    fields.items(name).map((item) => (item?.kind === 'object' ? reader.expr(item) : undefined))
  return {
    kind: 'SubscriptingRef',
    containerType: fields.int('refcontainertype'),
    elementType: fields.int('refelemtype'),
    type: fields.int('refrestype'),
    upper: indexes('refupperindexpr'),
    lower: indexes('reflowerindexpr'),
    arg: reader.field(fields, 'refexpr'),
    assignment: fields.object('refassgnexpr') !== undefined,
  }
}

function readOperator<K extends 'DistinctExpr' | 'NullIfExpr'>(kind: K) {
  return (fields: NodeFields, reader: ExpressionReader) => ({
    kind,
    operator: fields.int('opno'),
    type: fields.int('opresulttype'),
    args: reader.list(fields, 'args'),
    location: fields.location(),
  })
}

function readBool(fields: NodeFields, reader: ExpressionReader): ExprOf<'BoolExpr'> {
  const op = fields.text('boolop')
  if (op !== 'and' && op !== 'or' && op !== 'not') throw new Bug(`boolop ${op} is unknown`)
  return { kind: 'BoolExpr', op, args: reader.list(fields, 'args'), location: fields.location() }
}

/** What user-functions.ts added to the call. */
function readUserFunction(fields: NodeFields): ExprOf<'FuncExpr'>['user'] {
  const name = fields.text('username')
  const volatility = fields.text('uservolatility')
  return name === undefined ? undefined : { name, volatility: toVolatility(volatility) }
}

function toVolatility(text: string | undefined): Volatility {
  return text === 'immutable' || text === 'stable' ? text : 'volatile'
}

/** By the tag that outfuncs.c prints. */
const READERS: Readonly<Record<string, Read>> = {
  VAR: readVar,
  CONST: readConst,
  AGGREF: readAggref,
  WINDOWFUNC: readWindowFunc,
  SUBLINK: readSubLink,
  CASEEXPR: readCase,
  CASE: readCase,
  SUBSCRIPTINGREF: readSubscripts,
  DISTINCTEXPR: readOperator('DistinctExpr'),
  NULLIFEXPR: readOperator('NullIfExpr'),
  BOOLEXPR: readBool,
  PARAM: (fields) => ({
    kind: 'Param',
    paramKind: memberOf(PARAM_KINDS, fields.int('paramkind'), 'ParamKind'),
    number: fields.int('paramid'),
    type: fields.int('paramtype'),
    typmod: fields.int('paramtypmod'),
    location: fields.location(),
  }),
  FUNCEXPR: (fields, reader) => ({
    kind: 'FuncExpr',
    function: fields.int('funcid'),
    user: readUserFunction(fields),
    type: fields.int('funcresulttype'),
    returnsSet: fields.bool('funcretset'),
    variadic: fields.bool('funcvariadic'),
    format: fields.int('funcformat'),
    args: reader.list(fields, 'args'),
    location: fields.location(),
  }),
  OPEXPR: (fields, reader) => ({
    kind: 'OpExpr',
    operator: fields.int('opno'),
    userOperator: fields.text('username'),
    function: fields.int('opfuncid'),
    type: fields.int('opresulttype'),
    args: reader.list(fields, 'args'),
    location: fields.location(),
  }),
  SCALARARRAYOPEXPR: (fields, reader) => ({
    kind: 'ScalarArrayOpExpr',
    operator: fields.int('opno'),
    userOperator: fields.text('username'),
    useOr: fields.bool('useOr'),
    args: reader.list(fields, 'args'),
    location: fields.location(),
  }),
  RELABELTYPE: (fields, reader) => ({
    kind: 'RelabelType',
    arg: reader.field(fields, 'arg'),
    type: fields.int('resulttype'),
    typmod: fields.int('resulttypmod'),
    format: fields.int('relabelformat'),
    location: fields.location(),
  }),
  COERCEVIAIO: (fields, reader) => ({
    kind: 'CoerceViaIO',
    arg: reader.field(fields, 'arg'),
    type: fields.int('resulttype'),
    format: fields.int('coerceformat'),
    location: fields.location(),
  }),
  ARRAYCOERCEEXPR: (fields, reader) => ({
    kind: 'ArrayCoerceExpr',
    arg: reader.field(fields, 'arg'),
    elementExpr: reader.field(fields, 'elemexpr'),
    type: fields.int('resulttype'),
    typmod: fields.int('resulttypmod'),
    format: fields.int('coerceformat'),
    location: fields.location(),
  }),
  COLLATEEXPR: (fields, reader) => ({
    kind: 'CollateExpr',
    arg: reader.field(fields, 'arg'),
    collation: fields.int('collOid'),
    location: fields.location(),
  }),
  CASETESTEXPR: (fields) => ({
    kind: 'CaseTestExpr',
    type: fields.int('typeId'),
    typmod: fields.int('typeMod'),
  }),
  ARRAYEXPR: (fields, reader) => ({
    kind: 'ArrayExpr',
    type: fields.int('array_typeid'),
    elementType: fields.int('element_typeid'),
    elements: reader.list(fields, 'elements'),
    multidimensional: fields.bool('multidims'),
    location: fields.location(),
  }),
  ROWEXPR: (fields, reader) => ({
    kind: 'RowExpr',
    args: reader.list(fields, 'args'),
    type: fields.int('row_typeid'),
    location: fields.location(),
  }),
  ROWCOMPAREEXPR: (fields, reader) => ({
    kind: 'RowCompareExpr',
    compareType: fields.int('rctype'),
    operators: fields.ints('opnos'),
    left: reader.list(fields, 'largs'),
    right: reader.list(fields, 'rargs'),
  }),
  COALESCEEXPR: (fields, reader) => ({
    kind: 'CoalesceExpr',
    type: fields.int('coalescetype'),
    args: reader.list(fields, 'args'),
    location: fields.location(),
  }),
  MINMAXEXPR: (fields, reader) => ({
    kind: 'MinMaxExpr',
    type: fields.int('minmaxtype'),
    op: memberOf(MINMAX_OPS, fields.int('op'), 'MinMaxOp'),
    args: reader.list(fields, 'args'),
    location: fields.location(),
  }),
  SQLVALUEFUNCTION: (fields) => ({
    kind: 'SQLValueFunction',
    op: memberOf(VALUE_FUNCTIONS, fields.int('op'), 'SQLValueFunctionOp'),
    type: fields.int('type'),
    typmod: fields.int('typmod'),
    location: fields.location(),
  }),
  NULLTEST: (fields, reader) => ({
    kind: 'NullTest',
    arg: reader.field(fields, 'arg'),
    isNull: fields.int('nulltesttype') === 0,
    argIsRow: fields.bool('argisrow'),
    location: fields.location(),
  }),
  BOOLEANTEST: (fields, reader) => ({
    kind: 'BooleanTest',
    arg: reader.field(fields, 'arg'),
    test: memberOf(BOOLEAN_TESTS, fields.int('booltesttype'), 'BoolTestType'),
    location: fields.location(),
  }),
  SETTODEFAULT: (fields) => ({
    kind: 'SetToDefault',
    type: fields.int('typeId'),
    typmod: fields.int('typeMod'),
    location: fields.location(),
  }),
  COERCETODOMAIN: (fields, reader) => ({
    kind: 'CoerceToDomain',
    arg: reader.field(fields, 'arg'),
    type: fields.int('resulttype'),
    domain: fields.int('domain'),
    location: fields.location(),
  }),
  NAMEDARGEXPR: (fields, reader) => ({
    kind: 'NamedArgExpr',
    arg: reader.field(fields, 'arg'),
    name: fields.text('name') ?? '',
    location: fields.location(),
  }),
  NEXTVALUEEXPR: (fields) => ({
    kind: 'NextValueExpr',
    sequence: fields.int('seqid'),
    type: fields.int('typeId'),
  }),
}
