import { NodeFields } from '../sql/node-fields.ts'
import type { NodeValue } from '../sql/node-text.ts'
import { walkNodes } from './query-tree-walk.ts'

/** What of a Query node needs the rows of all partitions together, or makes more than a scan of it; and RETURNING, which partitioned DML lacks. */
const TOGETHER = [
  'groupClause',
  'groupingSets',
  'havingQual',
  'distinctClause',
  'sortClause',
  'limitOffset',
  'limitCount',
  'setOperations',
  'cteList',
  'returningList',
] as const
/** enum RTEKind of parsenodes.h. */
const RTE_RELATION = 0

/**
 * Whether the analysed tree is a query, or UPDATE or DELETE, whose rows each part of a table has by itself: one scan at most, with a filter and expressions over
 * it, and no subquery. The emulator takes no other for PartitionQuery (measured on 1.5.28).
 */
export function isPartitionable(tree: NodeValue | undefined): boolean {
  if (tree?.kind !== 'object') return false
  let queries = 0
  walkNodes(tree, (node) => {
    if (node.tag === 'QUERY') queries++
  })
  const query = new NodeFields(tree)
  const sources = query.objects('rtable').map((entry) => new NodeFields(entry))
  return (
    queries === 1 &&
    !query.bool('hasAggs') &&
    !query.bool('hasWindowFuncs') &&
    !TOGETHER.some((field) => query.has(field)) &&
    sources.length <= 1 &&
    sources.every((source) => source.int('rtekind') === RTE_RELATION)
  )
}
