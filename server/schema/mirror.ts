import type { DeclaredObject } from './declared-object.ts'
import { declaredKey } from './declared-object.ts'
import type { Snapshot } from './snapshot.ts'

/** The declarations of a snapshot, sorted by kind and name. */
export function declaredObjects(snapshot: Snapshot): readonly DeclaredObject[] {
  const { schemas, sequences, tables, views } = snapshot
  return [schemas, sequences, tables, views].flatMap((objects) =>
    [...objects.values()]
      .map(({ declared }): DeclaredObject => declared)
      .sort((a, b) => (declaredKey(a) < declaredKey(b) ? -1 : 1)),
  )
}
