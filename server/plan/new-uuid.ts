import { VARLENA_HEADER_BYTES } from '../schema/physical-column.ts'
import type { Expr } from '../sql/query-tree.ts'
import { OID } from '../types/pg-type.ts'
import type { Emission } from './emission.ts'
import { asLengthCoercion } from './length-coercion.ts'

const GEN_RANDOM_UUID = 3432
const UUID_LENGTH = 36

const TEXTS: ReadonlySet<number> = new Set([OID.text, OID.varchar])

/*
 * PostgreSQL:  INSERT INTO t (name) SELECT name FROM u                 the tree has id = gen_random_uuid() as well
 * Spanner:     INSERT INTO "t" AS t1 ("id", "name") SELECT spanner.generate_uuid(), t2."name" FROM "u" AS t2
 */

/** A column of new rows that is gen_random_uuid() and nothing else, as uuid or as its text; undefined for every other expression. */
export function newUuid(emission: Emission, expr: Expr): string | undefined {
  const sql = generated(expr)
  if (sql !== undefined) emission.drawsUuids = true
  return sql
}

function generated(expr: Expr): string | undefined {
  switch (expr.kind) {
    case 'FuncExpr':
      return expr.function === GEN_RANDOM_UUID ? 'spanner.generate_uuid()' : fitting(expr)
    case 'CoerceViaIO':
    case 'RelabelType':
      return TEXTS.has(expr.type) ? generated(expr.arg) : undefined
    default:
      return undefined
  }
}

/** In a varchar(n) that takes it whole. */
function fitting(call: Extract<Expr, { readonly kind: 'FuncExpr' }>): string | undefined {
  const coercion = asLengthCoercion(call)
  if (coercion?.to !== 'varchar') return undefined
  return coercion.typmod >= UUID_LENGTH + VARLENA_HEADER_BYTES ? generated(coercion.arg) : undefined
}
