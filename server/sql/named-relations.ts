import type { RawBody, RawNode } from './raw-node.ts'

export interface RelationName {
  readonly schema: string | undefined
  readonly name: string
  /** ONLY was written: children are left out. */
  readonly only: boolean
}

/**
 * The relations that a utility statement is about, in its order: LOCK, TRUNCATE, COPY, VACUUM, ANALYZE, CLUSTER, REINDEX, REFRESH MATERIALIZED
 * VIEW. PostgreSQL looks them up before anything else. None for any other statement.
 */
export function namedRelations(node: RawNode): readonly RelationName[] {
  if ('LockStmt' in node) return ranges(node.LockStmt.relations)
  if ('TruncateStmt' in node) return ranges(node.TruncateStmt.relations)
  if ('VacuumStmt' in node) {
    return (node.VacuumStmt.rels ?? []).flatMap((rel) =>
      'VacuumRelation' in rel ? range(rel.VacuumRelation.relation) : [],
    )
  }
  if ('CopyStmt' in node) return range(node.CopyStmt.relation)
  if ('ClusterStmt' in node) return range(node.ClusterStmt.relation)
  if ('ReindexStmt' in node) return range(node.ReindexStmt.relation)
  if ('RefreshMatViewStmt' in node) return range(node.RefreshMatViewStmt.relation)
  return []
}

function ranges(nodes: readonly RawNode[] | undefined): readonly RelationName[] {
  return (nodes ?? []).flatMap((node) => ('RangeVar' in node ? range(node.RangeVar) : []))
}

function range(relation: RawBody<'RangeVar'> | undefined): readonly RelationName[] {
  if (relation === undefined) return []
  const { schemaname, relname = '', inh } = relation
  return [{ schema: schemaname, name: relname, only: inh !== true }]
}
