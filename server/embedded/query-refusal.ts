import { status as GRPC } from '@grpc/grpc-js'
import { NodeFields } from '../sql/node-fields.ts'
import type { NodeObject } from '../sql/node-text.ts'
import { refuse, typeOf, type Visited } from './visited-node.ts'

/** CmdType of nodes/nodes.h. */
const UPDATE = 2
const INSERT = 3

/** What Spanner refuses of a query as a whole. */
export function refuseQuery(visited: Visited): void {
  const { fields } = visited
  const command = fields.int('commandType')
  refuseViewWrite(fields)
  if (command === UPDATE) refuseKeyUpdate(visited)
  if (command === INSERT) refuseConflict(visited)
  refuseLimit(fields)
  if (fields.items('constraintDeps').length > 0)
    refuse('Columns must be grouped by or aggregated', GRPC.INVALID_ARGUMENT)
  const from = fields.object('jointree')
  if (from !== undefined && isWhereAlone(new NodeFields(from)))
    refuse('Queries containing a WHERE clause without a FROM clause are not supported')
  for (const cte of fields.objects('cteList')) {
    if (new NodeFields(cte).bool('cterecursive'))
      refuse('Recursive WITH expressions are not supported')
  }
  refuseSortOfUnordered(visited)
  refuseMixedBranches(visited)
}

function refuseViewWrite(fields: NodeFields): void {
  const target = fields.objects('rtable')[fields.int('resultRelation') - 1]
  if (target !== undefined && new NodeFields(target).text('relkind') === 'v')
    refuse('Views cannot be written to', GRPC.INVALID_ARGUMENT)
}

function isWhereAlone(from: NodeFields): boolean {
  return from.items('fromlist').length === 0 && from.object('quals') !== undefined
}

function refuseLimit(fields: NodeFields): void {
  for (const name of ['limitCount', 'limitOffset']) {
    let node = fields.object(name)
    while (node?.tag === 'FUNCEXPR' || node?.tag === 'RELABELTYPE') {
      const inner = new NodeFields(node)
      node = node.tag === 'FUNCEXPR' ? inner.objects('args')[0] : inner.object('arg')
    }
    if (node === undefined || node.tag === 'PARAM') continue
    const isNull = node.tag === 'CONST' && new NodeFields(node).bool('constisnull')
    if (node.tag !== 'CONST' || isNull || isNegative(node))
      refuse('LIMIT and OFFSET take constants and parameters only')
  }
}

function isNegative(node: NodeObject): boolean {
  const bytes = new NodeFields(node).bytes('constvalue')
  return bytes !== undefined && bytes.length === 8 && bytes.readBigInt64LE() < 0n
}

/** DISTINCT, GROUP BY and ORDER BY of jsonb and arrays. */
function refuseSortOfUnordered({ fields, names }: Visited): void {
  for (const name of ['groupClause', 'distinctClause', 'sortClause']) {
    for (const clause of fields.objects(name)) {
      const operator = names.operatorAt(new NodeFields(clause).int('eqop')) ?? ''
      if (/^(?:jsonb|anyarray|record) /.test(operator))
        refuse(`Grouping and ordering by ${operator.split(' ')[0]} are not supported`)
    }
  }
}

/** A branch with a column of another type than the whole. */
function refuseMixedBranches({ fields, names }: Visited): void {
  const operation = fields.object('setOperations')
  if (operation === undefined) return
  const types = new NodeFields(operation).ints('colTypes').map((oid) => names.typeAt(oid))
  for (const entry of fields.objects('rtable')) {
    const query = new NodeFields(entry).object('subquery')
    const targets = query === undefined ? [] : new NodeFields(query).objects('targetList')
    for (const [index, target] of targets.entries()) {
      const type = typeOf(new NodeFields(target).object('expr'))
      if (type !== undefined && index < types.length && names.typeAt(type) !== types[index])
        refuse('Set operations with mismatched input types are not supported')
    }
  }
}

function refuseKeyUpdate(visited: Visited): void {
  const relation = resultRelation(visited)
  const written = visited.fields.objects('targetList').map((target) => new NodeFields(target))
  const isKey = written.some(
    (target) =>
      !target.bool('resjunk') && relation?.writes.key.includes(target.int('resno')) === true,
  )
  if (isKey) refuse('Cannot UPDATE value of a primary key column.', GRPC.INVALID_ARGUMENT)
}

function resultRelation({ fields, names }: Visited) {
  const entry = fields.objects('rtable')[fields.int('resultRelation') - 1]
  return entry === undefined ? undefined : names.relationAt(new NodeFields(entry).int('relid'))
}

const CONFLICT_TEXT = 'INSERT...ON CONFLICT is only supported on the primary key'

/** ON CONFLICT names the primary key, and DO UPDATE sets all columns that are inserted, each to its own value of EXCLUDED. */
function refuseConflict(visited: Visited): void {
  const node = visited.fields.object('onConflict')
  if (node === undefined) return
  const conflict = new NodeFields(node)
  const keyColumns = resultRelation(visited)?.writes.key ?? []
  const arbiters = conflict
    .objects('arbiterElems')
    .map((element) => attributeOf(new NodeFields(element).object('expr')))
  if (arbiters.includes(0) && visited.profile !== 'production')
    refuse('ON CONFLICT takes columns, no expressions', GRPC.INTERNAL)
  if (arbiters.length > 0 && !isSameSet(arbiters, keyColumns)) refuse(CONFLICT_TEXT)
  // enum OnConflictAction of nodes.h: DO UPDATE.
  if (conflict.int('action') !== 2) return
  const set = conflict.objects('onConflictSet').map((target) => new NodeFields(target))
  const excluded = conflict.int('exclRelIndex')
  const isPlain = set.every((target) => {
    const expression = target.object('expr')
    if (expression?.tag !== 'VAR') return false
    const source = new NodeFields(expression)
    return source.int('varno') === excluded && source.int('varattno') === target.int('resno')
  })
  const inserted = visited.fields
    .objects('targetList')
    .map((target) => new NodeFields(target).int('resno'))
  const isWhole = isSameSet(
    set.map((target) => target.int('resno')),
    inserted,
  )
  if (!isPlain || !isWhole || conflict.object('onConflictWhere') !== undefined)
    refuse('INSERT...ON CONFLICT DO UPDATE must set every inserted column to its value in EXCLUDED')
}

function attributeOf(node: NodeObject | undefined): number {
  return node?.tag === 'VAR' ? new NodeFields(node).int('varattno') : 0
}

function isSameSet(left: readonly number[], right: readonly number[]): boolean {
  return left.length === right.length && left.every((item) => right.includes(item))
}
