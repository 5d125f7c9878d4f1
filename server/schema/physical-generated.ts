import { OID } from '../types/pg-type.ts'
import { CITEXT } from '../types/user-type.ts'
import type { DeclaredColumn } from './declared-object.ts'
import { numericModifier, VARLENA_HEADER_BYTES } from './physical-column.ts'

/*
 * PostgreSQL assigns the value of a generated column to it: it rounds to numeric(10,2), and casts where the types differ. pg_get_expr
 * does not print these casts, and Spanner makes none.
 *
 * PostgreSQL:  g numeric(10,2) GENERATED ALWAYS AS (n * 2) STORED
 * Spanner:     "g" numeric GENERATED ALWAYS AS (CAST("n" * 2 AS numeric(1000, 2))) STORED      the CHECK of the column knows the ten digits
 */

const INTEGERS = new Set<number>([OID.int2, OID.int4, OID.int8])
const TEXTS = new Set<number>([OID.text, OID.varchar, OID.bpchar, CITEXT])
/** Spanner's most digits: rounding alone. */
const MAX_PRECISION = 1000

/** Spanner's form of a generation expression with the casts to its column's type, or undefined where it has none that surely means the same. */
export function assignGenerated(sql: string, column: DeclaredColumn): string | undefined {
  const from = column.generatedFrom
  if (from === undefined) return sql
  const isNumber = INTEGERS.has(from) || from === OID.numeric
  if (INTEGERS.has(column.typeOid)) return toInteger(sql, from)
  if (column.typeOid === OID.numeric) return isNumber ? roundedTo(sql, column.typmod) : undefined
  if (column.typeOid === OID.float8)
    return isNumber ? `CAST(${sql} AS double precision)` : undefined
  if (!TEXTS.has(column.typeOid)) return undefined
  if (TEXTS.has(from)) return fitted(sql, column)
  return isNumber ? fitted(`CAST(${sql} AS text)`, column) : undefined
}

function toInteger(sql: string, from: number): string | undefined {
  if (INTEGERS.has(from)) return sql
  return from === OID.numeric ? `CAST(${sql} AS bigint)` : undefined
}

function roundedTo(sql: string, typmod: number): string | undefined {
  const modifier = numericModifier(typmod)
  if (modifier === undefined) return `CAST(${sql} AS numeric)`
  const { precision, scale } = modifier
  if (scale < 0 || scale > precision) return undefined
  return `CAST(${sql} AS numeric(${MAX_PRECISION}, ${scale}))`
}

/** Blanks that are too many for varchar(n) are cut; other characters the column itself refuses. */
function fitted(sql: string, { typeOid, typmod }: DeclaredColumn): string {
  if (typeOid === OID.bpchar) return `rtrim(${sql}, ' ')`
  if (typeOid !== OID.varchar || typmod < VARLENA_HEADER_BYTES) return sql
  const length = typmod - VARLENA_HEADER_BYTES
  return `CASE WHEN rtrim(substr(${sql}, ${length + 1}), ' ') = '' THEN substr(${sql}, 1, ${length}) ELSE ${sql} END`
}
