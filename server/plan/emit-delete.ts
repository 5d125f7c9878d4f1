import { quotePhysical } from '../schema/logical-schema.ts'
import type { Query } from '../sql/query-tree.ts'
import type { Emission, EmittedSelect } from './emission.ts'
import { emitReturning, openDml } from './emit-dml.ts'
import { openJoinedTables } from './emit-dml-join.ts'

/*
 * PostgreSQL:  DELETE FROM t
 * Spanner:     DELETE FROM "t" AS t1 WHERE true      refuses a DELETE without WHERE
 */
export function emitDelete(emission: Emission, query: Query): EmittedSelect {
  const written = openDml(emission, query)
  const joined = openJoinedTables(emission, written)
  const where = joined.where()
  const returning = emitReturning(emission, written)
  const head = `DELETE FROM ${quotePhysical(written.table.physicalName)} AS ${written.alias}`
  return {
    sql: `${head} WHERE ${where}${returning.sql}`,
    columns: returning.columns,
    written: { table: written.table.physicalName, row: undefined },
  }
}
