import { Bug } from '../base/pg-error.ts'
import type { ExpressionReader } from './expression-reader.ts'
import { memberOf } from './node-enums.ts'
import { asItems, asObject, NodeFields } from './node-fields.ts'
import type { NodeObject } from './node-text.ts'
import type { FromNode, JoinType, RangeTableEntry, SetOperationNode } from './query-tree.ts'

const JOIN_TYPES: readonly JoinType[] = ['inner', 'left', 'full', 'right']
const SET_OPERATIONS = ['none', 'union', 'intersect', 'except'] as const

/** RTEKind of parsenodes.h; what has no reader here is `unsupported`. */
const ENTRY_KINDS = [
  'relation',
  'subquery',
  'join',
  'function',
  'tablefunc',
  'values',
  'cte',
  'namedtuplestore',
  'result',
] as const

/** Reads one RangeTblEntry. */
export function readRangeTableEntry(node: NodeObject, reader: ExpressionReader): RangeTableEntry {
  const fields = new NodeFields(node)
  const eref = fields.object('eref')
  const columnNames = eref === undefined ? [] : new NodeFields(eref).texts('colnames')
  const lateral = fields.bool('lateral')
  const kind = ENTRY_KINDS[fields.int('rtekind')]
  switch (kind) {
    case 'relation':
      return {
        kind,
        relid: fields.int('relid'),
        relkind: fields.text('relkind') ?? '',
        columnNames,
        inFromClause: fields.bool('inFromCl'),
        hasTableSample: fields.object('tablesample') !== undefined,
        inherited: fields.bool('inh'),
      }
    case 'subquery':
      return { kind, query: reader.query(fields, 'subquery'), lateral, columnNames }
    case 'join':
      return {
        kind,
        joinType: memberOf(JOIN_TYPES, fields.int('jointype'), 'JoinType'),
        aliasVars: fields
          .items('joinaliasvars')
          .map((item) => (item?.kind === 'object' ? reader.expr(item) : undefined)),
        columnNames,
      }
    case 'function':
      return {
        kind,
        functions: fields
          .objects('functions')
          .map((entry) => reader.field(new NodeFields(entry), 'funcexpr')),
        withOrdinality: fields.bool('funcordinality'),
        lateral,
        columnNames,
      }
    case 'values':
      return {
        kind,
        rows: fields
          .items('values_lists')
          .map((row) => reader.exprs(asItems(row, 'VALUES'), 'VALUES')),
        lateral,
        columnTypes: fields.ints('coltypes'),
        columnNames,
      }
    case 'cte':
      return {
        kind,
        name: fields.text('ctename') ?? '',
        levelsUp: fields.int('ctelevelsup'),
        selfReference: fields.bool('self_reference'),
        columnNames,
      }
    case 'result':
      return { kind }
    default:
      return { kind: 'unsupported', tag: kind ?? `RTEKind ${fields.int('rtekind')}` }
  }
}

/** Reads a node of the join tree: RangeTblRef, JoinExpr or FromExpr. */
export function readFromNode(node: NodeObject, reader: ExpressionReader): FromNode {
  const fields = new NodeFields(node)
  switch (node.tag) {
    case 'RANGETBLREF':
      return { kind: 'RangeTableRef', rtindex: fields.int('rtindex') }
    case 'JOINEXPR':
      return {
        kind: 'JoinExpr',
        joinType: memberOf(JOIN_TYPES, fields.int('jointype'), 'JoinType'),
        left: readFromNode(asObject(fields.object('larg'), 'JoinExpr.larg'), reader),
        right: readFromNode(asObject(fields.object('rarg'), 'JoinExpr.rarg'), reader),
        quals: reader.optional(fields.object('quals')),
        rtindex: fields.int('rtindex'),
      }
    case 'FROMEXPR':
      return {
        kind: 'FromExpr',
        from: fields.objects('fromlist').map((item) => readFromNode(item, reader)),
        quals: reader.optional(fields.object('quals')),
      }
    default:
      throw new Bug(`${node.tag} in a join tree`)
  }
}

/** Reads a node of the tree of set operations; its leaves are range table references. */
export function readSetOperation(node: NodeObject): SetOperationNode {
  const fields = new NodeFields(node)
  if (node.tag === 'RANGETBLREF') return { kind: 'RangeTableRef', rtindex: fields.int('rtindex') }
  const op = memberOf(SET_OPERATIONS, fields.int('op'), 'SetOperation')
  if (node.tag !== 'SETOPERATIONSTMT' || op === 'none')
    throw new Bug(`${node.tag} ${op} as a set operation`)
  return {
    kind: 'SetOperation',
    op,
    all: fields.bool('all'),
    left: readSetOperation(asObject(fields.object('larg'), 'SetOperationStmt.larg')),
    right: readSetOperation(asObject(fields.object('rarg'), 'SetOperationStmt.rarg')),
    columnTypes: fields.ints('colTypes'),
  }
}
