import { namedRelations, type RelationName } from './named-relations.ts'
import type { RawNode } from './raw-node.ts'

/** What TRUNCATE says (manual, TRUNCATE). */
export interface TruncateCommand {
  readonly relations: readonly RelationName[]
  readonly restartsIdentity: boolean
  readonly cascades: boolean
}

/** What a statement of category 'truncate' says; undefined for any other. */
export function truncateCommand(node: RawNode): TruncateCommand | undefined {
  if (!('TruncateStmt' in node)) return undefined
  const { restart_seqs: restarts, behavior } = node.TruncateStmt
  return {
    relations: namedRelations(node),
    restartsIdentity: restarts === true,
    cascades: behavior === 'DROP_CASCADE',
  }
}
