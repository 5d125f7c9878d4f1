import { OID } from '../types/pg-type.ts'
import type { SpannerType } from '../types/spanner-type.ts'
import { findTypeForm } from '../types/type-forms.ts'
import { CITEXT, CITEXT_ARRAY, isEnumArrayOid, isEnumOid } from '../types/user-type.ts'
import type { DeclaredColumn } from './declared-object.ts'
import { formBackfill, hasForm } from './form-backfill.ts'
import { quotePhysical } from './logical-schema.ts'
import { type ExpressionColumn, toSpannerExpression } from './physical-expression.ts'
import type { PhysicalTableColumn } from './physical-schema.ts'
import { unsupported } from './unsupported.ts'

/** PostgreSQL's OIDs of the types that have rules of their own here (src/include/catalog/pg_type.dat). */
const INT8 = 20
const INT2 = 21
const INT4 = 23
const NUMERIC = 1700
const TEXT = 25
const VARCHAR = 1043
const VARCHAR_ARRAY = 1015
const BPCHAR = 1042

/** Types whose stored form compares, measures and prints as the declared one, so that expressions may use it as it is. */
const PLAIN_TYPES = new Set([
  16,
  17,
  INT8,
  INT2,
  INT4,
  TEXT,
  701,
  VARCHAR,
  1082,
  1184,
  NUMERIC,
  3802,
])

/** typmod of numeric(p,s): p << 16 | s (11 bits, signed), plus the size of a varlena header. */
export const VARLENA_HEADER_BYTES = 4

/** What Spanner stores for a type: server/types/storage.ts findColumnStorage. */
export type ColumnStorage = (
  typeOid: number,
  typmod: number,
) => { readonly type: SpannerType; readonly sqlType: string } | undefined

/** The stored form of a column, without default; refuses (0A000) types that have none. */
export function toPhysicalColumn(
  column: DeclaredColumn,
  name: string,
  storageOf: ColumnStorage,
): PhysicalTableColumn {
  const storage = storageOf(column.typeOid, column.typmod)
  if (storage === undefined) {
    throw unsupported(
      `column "${column.name}": type ${column.type} is not supported`,
      'Use one of bigint, integer, smallint, text, varchar, boolean, double precision, real, numeric, bytea, date, timestamptz, timestamp, interval, timetz, inet, cidr, macaddr, bit, money, jsonb, uuid, or an array of them.',
    )
  }
  if (
    column.collation !== undefined &&
    !/\."(?:C|POSIX|ucs_basic)"$|ucs_basic$/.test(column.collation)
  ) {
    throw unsupported(
      `column "${column.name}": collation ${column.collation} is not supported`,
      'Spanner sorts text by code points: leave COLLATE out, or use COLLATE "C".',
    )
  }
  return { name, type: storage.type, sqlType: storage.sqlType, notNull: column.notNull }
}

/** How expressions see a column. */
export function toExpressionColumn(column: DeclaredColumn, physicalName: string): ExpressionColumn {
  return {
    physicalName,
    isPlain: PLAIN_TYPES.has(column.typeOid),
    form: findTypeForm(column.typeOid),
    labelType: isEnumOid(column.typeOid) ? column.type : undefined,
  }
}

/** Bits of the integers that a column takes; undefined for other types. */
export function columnWidth(column: DeclaredColumn): 16 | 32 | 64 | undefined {
  if (column.typeOid === INT2) return 16
  if (column.typeOid === INT4) return 32
  return column.typeOid === INT8 ? 64 : undefined
}

/**
 * The CHECK that keeps a column within its declared type: its violation is 22003, not 23514. `prefix` begins the
 * constraint's name and says which error it is (rangeViolation in constraint-errors.ts).
 */
export function rangeCheck(
  column: DeclaredColumn,
  physicalName: string,
): { readonly prefix: string; readonly expression: string } | undefined {
  const name = quotePhysical(physicalName)
  if (column.typeOid === INT2) {
    return { prefix: 'spw_int2', expression: `${name} BETWEEN -32768 AND 32767` }
  }
  if (column.typeOid === INT4) {
    return { prefix: 'spw_int4', expression: `${name} BETWEEN -2147483648 AND 2147483647` }
  }
  const modifier = column.typeOid === NUMERIC ? numericModifier(column.typmod) : undefined
  if (modifier === undefined) return undefined
  const { precision, scale } = modifier
  const bound = toPowerOfTen(precision - scale)
  return {
    prefix: `spw_num${precision}_${scale < 0 ? `m${-scale}` : scale}`,
    expression: `(${name} > '-${bound}'::numeric AND ${name} < '${bound}'::numeric) OR ${name} = 'NaN'::numeric`,
  }
}

/** Whether a check is one that Spanwire adds by itself: physical-name.ts keeps the prefix from others. */
export function isOwnCheck(name: string): boolean {
  return name.startsWith('spw_')
}

/**
 * Whether what is stored under one declaration needs no change to be right under another: only then can the type of a column
 * with rows be changed. Narrower integers and texts are all right: Spanner looks at the rows for the new CHECK or length.
 */
export function isSameStoredMeaning(before: DeclaredColumn, after: DeclaredColumn): boolean {
  if (before.typeOid !== after.typeOid) {
    if (isEnumOid(before.typeOid) && TEXTS.has(after.typeOid)) return true
    if (WIDER.get(before.typeOid) === after.typeOid) return after.typmod < 0
    return [INTEGERS, TEXTS].some(
      (family) => family.has(before.typeOid) && family.has(after.typeOid),
    )
  }
  if (before.typmod === after.typmod || LENGTHS.has(before.typeOid)) return true
  if (findTypeForm(before.typeOid) !== undefined) return after.typmod < 0
  if (before.typeOid !== NUMERIC)
    return after.typmod < 0 || (before.typmod >= 0 && before.typmod <= after.typmod)
  return after.typmod < 0 || (before.typmod >= 0 && scaleOf(before.typmod) <= scaleOf(after.typmod))
}

/** Types of which every value is one of another type, in the same form. */
const WIDER: ReadonlyMap<number, number> = new Map([
  [OID.cidr, OID.inet],
  [OID.bit, OID.varbit],
])
const INTEGERS = new Set([INT2, INT4, INT8])
const TEXTS = new Set([TEXT, VARCHAR, CITEXT])
/** Types whose typmod is a length, which Spanner checks. */
const LENGTHS = new Set([VARCHAR, BPCHAR, VARCHAR_ARRAY])

/** What numeric(p,s) says; undefined for numeric alone. */
export function numericModifier(
  typmod: number,
): { readonly precision: number; readonly scale: number } | undefined {
  if (typmod < VARLENA_HEADER_BYTES) return undefined
  return { precision: (typmod - VARLENA_HEADER_BYTES) >> 16, scale: scaleOf(typmod) }
}

/** The scale is the lower 11 bits, signed. */
function scaleOf(typmod: number): number {
  return (((typmod - VARLENA_HEADER_BYTES) & 0x7ff) ^ 1024) - 1024
}

function toPowerOfTen(exponent: number): string {
  return exponent >= 0 ? `1${'0'.repeat(exponent)}` : `0.${'0'.repeat(-exponent - 1)}1`
}

/** Types whose default needs a cast of its own: PostgreSQL prints it without the implicit one. */
const CAST_TYPES = new Set([
  'bigint',
  'numeric',
  'double precision',
  'timestamp with time zone',
  'date',
])

/**
 * Spanner's form of a default, with which rows that are there already are filled when the column is added. Undefined where
 * Spanner has none: then the column can be added to an empty table only.
 */
export function toBackfill(
  column: DeclaredColumn,
  physical: PhysicalTableColumn,
): string | undefined {
  if (column.default === undefined) return undefined
  if (isEnumOid(column.typeOid) || column.typeOid === CITEXT) return literalOf(column)
  if (isEnumArrayOid(column.typeOid) || column.typeOid === CITEXT_ARRAY) {
    const elements = literalOf(column)
    return elements === undefined ? undefined : `${elements}::${physical.sqlType}`
  }
  if (hasForm(column)) return formBackfill(column)
  const isTimestamp = column.type.startsWith('timestamp without')
  const sql = toSpannerExpression(column.default, {
    columns: new Map(),
    isVolatileAllowed: !isTimestamp,
  })
  if (sql === undefined || NO_BACKFILL.has(physical.sqlType)) return undefined
  if (CAST_TYPES.has(physical.sqlType)) return `CAST(${sql} AS ${physical.sqlType})`
  return sql
}

/** `'ok'::public.mood` is the text alone. */
function literalOf({ default: text, type }: DeclaredColumn): string | undefined {
  const label = text?.endsWith(`::${type}`) === true ? text.slice(0, -type.length - 2) : ''
  return /^'(?:[^'\\]|'')*'$/.test(label) ? label : undefined
}

/** The dialect has no constants of these (dialect, ddl.default). */
const NO_BACKFILL = new Set(['jsonb', 'real'])
