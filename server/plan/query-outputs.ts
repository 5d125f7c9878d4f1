import type { Query, TargetEntry } from '../sql/query-tree.ts'

/** The columns that come out of a query, in their order: those that only sort or group stay inside. */
export function outputsOf(query: Query): readonly TargetEntry[] {
  return query.targetList.filter((target) => !target.junk).sort((a, b) => a.resno - b.resno)
}
