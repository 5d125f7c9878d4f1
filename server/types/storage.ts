import { findPgType, OID } from './pg-type.ts'
import type { SpannerType } from './spanner-type.ts'
import { findTypeForm } from './type-forms.ts'
import { CITEXT, isEnumOid } from './user-type.ts'

/** What Spanner stores for a PostgreSQL type. */
export interface Storage {
  readonly type: SpannerType
  /** As the PostgreSQL dialect's DDL spells it: `bigint`, `character varying(30)`, `numeric[]`. */
  readonly sqlType: string
}

const VARCHAR = 'character varying'
const STRING: Storage = { type: { code: 'STRING' }, sqlType: VARCHAR }
const INT64: Storage = { type: { code: 'INT64' }, sqlType: 'bigint' }
const TIMESTAMP: Storage = { type: { code: 'TIMESTAMP' }, sqlType: 'timestamp with time zone' }

/** typmod of varchar(n) and char(n) is n plus the size of a varlena header (VARHDRSZ). */
const VARLENA_HEADER_BYTES = 4

const FORM_STORAGE = { 'character varying': STRING, bigint: INT64, nothing: undefined } as const

/*
 * A row keeps order and equality where keepsOrder and keepsEquality say so: a comparison in Spanner says what PostgreSQL's would. Strings compare by their bytes, as
 * everywhere under LC_COLLATE C, so a type may be a string where its canonical text sorts as its values do:
 *   uuid     lower case, fixed width
 *   time     HH:MM:SS[.ffffff] without trailing zeros: a text that ends earlier is the earlier time
 *   name     text of at most 63 bytes
 *   char(n)  without its trailing blanks, which its comparisons ignore; they are put back for the client
 *   json     has neither order nor equality
 * An enum is its label: it has PostgreSQL's equality, not its order, which no comparison that is pushed down relies on.
 * A citext is as it was written: comparisons of it are those of lower(text) (sql/user-functions.ts).
 * An oid is its number: Spanner has no columns of type oid, and only parameters and results could use PG_OID.
 * Types that Spanner has nothing like are in type-forms.ts.
 */
const STORAGE: ReadonlyMap<number, Storage> = new Map<number, Storage>([
  [OID.bool, { type: { code: 'BOOL' }, sqlType: 'boolean' }],
  [OID.int2, INT64],
  [OID.int4, INT64],
  [OID.int8, INT64],
  [OID.oid, INT64],
  [OID.float4, { type: { code: 'FLOAT32' }, sqlType: 'real' }],
  [OID.float8, { type: { code: 'FLOAT64' }, sqlType: 'double precision' }],
  [
    OID.numeric,
    { type: { code: 'NUMERIC', annotation: 'PG_NUMERIC' as const }, sqlType: 'numeric' },
  ],
  [OID.text, STRING],
  [OID.varchar, STRING],
  [OID.bpchar, STRING],
  [CITEXT, STRING],
  [OID.json, STRING],
  [OID.name, { ...STRING, sqlType: `${VARCHAR}(63)` }],
  [OID.uuid, { ...STRING, sqlType: `${VARCHAR}(36)` }],
  [OID.time, { ...STRING, sqlType: `${VARCHAR}(15)` }],
  [OID.bytea, { type: { code: 'BYTES' }, sqlType: 'bytea' }],
  [OID.date, { type: { code: 'DATE' }, sqlType: 'date' }],
  [OID.timestamp, TIMESTAMP],
  [OID.timestamptz, TIMESTAMP],
  [OID.jsonb, { type: { code: 'JSON', annotation: 'PG_JSONB' as const }, sqlType: 'jsonb' }],
])

/**
 * The Spanner type that holds values of a PostgreSQL type, or undefined where there is none: the caller refuses the column, or does not push the expression down. Arrays are those of one dimension.
 */
export function findStorage(typeOid: number, typmod: number): Storage | undefined {
  const elementOid = findPgType(typeOid)?.elementOid
  if (elementOid === undefined) return findScalarStorage(typeOid, typmod)
  const element = findScalarStorage(elementOid, typmod)
  if (element === undefined) return undefined
  return { type: { code: 'ARRAY', element: element.type }, sqlType: `${element.sqlType}[]` }
}

/**
 * The same for a column's declared type. Values of char without a length have storage (a parameter that is compared with a
 * char(n) column is one), a column of it has none: how many blanks to put back is known from the length alone.
 */
export function findColumnStorage(typeOid: number, typmod: number): Storage | undefined {
  const scalarOid = findPgType(typeOid)?.elementOid ?? typeOid
  const isUnbounded = scalarOid === OID.bpchar && typmod < VARLENA_HEADER_BYTES
  return isUnbounded ? undefined : findStorage(typeOid, typmod)
}

/** Whether a column can be declared with it. */
export function hasColumnStorage(typeOid: number, typmod: number): boolean {
  return findColumnStorage(typeOid, typmod) !== undefined
}

function findScalarStorage(typeOid: number, typmod: number): Storage | undefined {
  const hasLength = typmod >= VARLENA_HEADER_BYTES
  if (hasLength && (typeOid === OID.varchar || typeOid === OID.bpchar)) {
    return { type: STRING.type, sqlType: `${VARCHAR}(${typmod - VARLENA_HEADER_BYTES})` }
  }
  if (isEnumOid(typeOid)) return STRING
  return STORAGE.get(typeOid) ?? FORM_STORAGE[findTypeForm(typeOid)?.storedAs ?? 'nothing']
}

/** Types that have no equality in PostgreSQL, or none in Spanner; citext has it in lower case. */
const WITHOUT_EQUALITY = new Set<number>([OID.json, OID.jsonb, CITEXT])

/** Whether Spanner takes values for equal where PostgreSQL does: they can be compared, grouped, and keys. No arrays: Spanner compares none. */
export function keepsEquality(typeOid: number): boolean {
  if (WITHOUT_EQUALITY.has(typeOid) || findTypeForm(typeOid)?.keeps === 'nothing') return false
  return findScalarStorage(typeOid, -1) !== undefined
}

/** Whether Spanner also has the order of the values that PostgreSQL has. */
export function keepsOrder(typeOid: number): boolean {
  const form = findTypeForm(typeOid)
  return keepsEquality(typeOid) && !isEnumOid(typeOid) && form?.keeps !== 'equality'
}

/**
 * The name to print in a cast of Spanner SQL to (the storage of) a PostgreSQL type: without length, which a cast would cut
 * at. Undefined where the type has no storage.
 */
export function sqlCastType(typeOid: number): string | undefined {
  const storage = findStorage(typeOid, -1)
  return storage?.sqlType.replace(/\(\d+\)/, '')
}
