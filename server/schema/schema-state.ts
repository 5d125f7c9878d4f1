import { declaredKey } from './declared-object.ts'
import type { LogicalSchema } from './logical-schema.ts'
import type { StoredObject } from './physical-schema.ts'
import type { Snapshot } from './snapshot.ts'

/** One version of a database's schema in all its forms, which say the same. */
export interface SchemaState {
  readonly logical: LogicalSchema
  readonly rows: readonly StoredObject[]
  /** The mirror's catalogs. */
  readonly snapshot: Snapshot
  readonly byOid: ReadonlyMap<number, StoredObject>
}

/** Finds each stored row's object in a snapshot, by kind and name: rows by OID. */
export function bindRows(
  snapshot: Snapshot,
  rows: Iterable<StoredObject>,
): ReadonlyMap<number, StoredObject> {
  const byKey = new Map<string, StoredObject>()
  for (const row of rows) byKey.set(declaredKey(row.declared), row)
  const bound = new Map<number, StoredObject>()
  const { schemas, extensions, enums, domains, functions, sequences, tables, views } = snapshot
  for (const objects of [
    schemas,
    extensions,
    enums,
    domains,
    functions,
    sequences,
    tables,
    views,
  ]) {
    for (const [oid, object] of objects) {
      const row = byKey.get(declaredKey(object.declared))
      if (row?.kind === object.declared.kind) bound.set(oid, row)
    }
  }
  return bound
}
