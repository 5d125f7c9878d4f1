import { ProtoWriter } from '../base/protobuf-writer.ts'
import { OID } from '../types/pg-type.ts'
import { type SpannerType, TYPE_ANNOTATION, TYPE_CODE } from '../types/spanner-type.ts'

/** Types of columns of the catalogs that clients' tables cannot have (src/include/catalog/pg_type.dat). */
const CATALOG_OID = { pgNodeTree: 194, aclitem: 1033, anyarray: 2277 } as const

const BOOL: SpannerType = { code: 'BOOL' }
const INT64: SpannerType = { code: 'INT64' }
const STRING: SpannerType = { code: 'STRING' }
const PG_OID: SpannerType = { code: 'INT64', annotation: 'PG_OID' }
const PG_NUMERIC: SpannerType = { code: 'NUMERIC', annotation: 'PG_NUMERIC' }
const PG_JSONB: SpannerType = { code: 'JSON', annotation: 'PG_JSONB' }

/** What Spanner calls a PostgreSQL type: smaller integers are INT64, every text type is STRING. */
const SPANNER_TYPES: ReadonlyMap<number, SpannerType> = new Map<number, SpannerType>([
  [OID.bool, BOOL],
  [OID.bytea, { code: 'BYTES' }],
  [OID.char, STRING],
  [OID.name, STRING],
  [OID.int8, INT64],
  [OID.int2, INT64],
  [OID.int4, INT64],
  [OID.text, STRING],
  [OID.oid, PG_OID],
  [OID.regproc, STRING],
  [OID.regclass, STRING],
  [OID.regtype, STRING],
  [OID.xid, INT64],
  [OID.xid8, INT64],
  [OID.float4, { code: 'FLOAT32' }],
  [OID.float8, { code: 'FLOAT64' }],
  [OID.unknown, STRING],
  [OID.varchar, STRING],
  [OID.date, { code: 'DATE' }],
  [OID.timestamptz, { code: 'TIMESTAMP' }],
  [OID.interval, { code: 'INTERVAL' }],
  [OID.numeric, PG_NUMERIC],
  [OID.uuid, { code: 'UUID' }],
  [OID.jsonb, PG_JSONB],
  [OID.void, STRING],
  [CATALOG_OID.pgNodeTree, STRING],
  [CATALOG_OID.aclitem, STRING],
  [CATALOG_OID.anyarray, STRING],
])

/** Array types: OID of the array, OID of its elements. */
const ELEMENTS: ReadonlyMap<number, number> = new Map([
  [1000, OID.bool],
  [1001, OID.bytea],
  [1002, OID.char],
  [1003, OID.name],
  [1005, OID.int2],
  [22, OID.int2],
  [1007, OID.int4],
  [1009, OID.text],
  [1015, OID.varchar],
  [1016, OID.int8],
  [1021, OID.float4],
  [1022, OID.float8],
  [1028, OID.oid],
  [1034, CATALOG_OID.aclitem],
  [30, OID.oid],
  [1182, OID.date],
  [1185, OID.timestamptz],
  [1187, OID.interval],
  [1231, OID.numeric],
  [2951, OID.uuid],
  [3807, OID.jsonb],
])

/** OID of the elements of an array type; undefined for every other type. */
export function elementOid(oid: number): number | undefined {
  return ELEMENTS.get(oid)
}

/** Spanner's type of a PostgreSQL type; undefined where the dialect has none. */
export function spannerTypeOf(oid: number): SpannerType | undefined {
  const element = ELEMENTS.get(oid)
  if (element === undefined) return SPANNER_TYPES.get(oid)
  const type = SPANNER_TYPES.get(element)
  return type === undefined ? undefined : { code: 'ARRAY', element: type }
}

const SCALAR_OIDS: Readonly<Record<SpannerType['code'], number>> = {
  BOOL: OID.bool,
  INT64: OID.int8,
  FLOAT64: OID.float8,
  FLOAT32: OID.float4,
  TIMESTAMP: OID.timestamptz,
  DATE: OID.date,
  STRING: OID.text,
  BYTES: OID.bytea,
  NUMERIC: OID.numeric,
  JSON: OID.jsonb,
  INTERVAL: OID.interval,
  UUID: OID.uuid,
  ARRAY: 0,
}

const ARRAY_OIDS: ReadonlyMap<number, number> = new Map(
  [...ELEMENTS].filter(([array]) => array >= 1000).map(([array, element]) => [element, array]),
)

/** The PostgreSQL type that a parameter of a Spanner type has; 0, "to be inferred", for an array without an element type. */
export function oidOf(type: SpannerType): number {
  if (type.code === 'ARRAY') {
    return type.element === undefined ? 0 : (ARRAY_OIDS.get(oidOf(type.element)) ?? 0)
  }
  return type.annotation === 'PG_OID' ? OID.oid : SCALAR_OIDS[type.code]
}

/** google.spanner.v1.Type. */
export function encodeType(type: SpannerType): Buffer {
  const out = new ProtoWriter().uint(1, TYPE_CODE[type.code])
  if (type.element !== undefined) out.message(2, encodeType(type.element))
  if (type.annotation !== undefined) out.uint(4, TYPE_ANNOTATION[type.annotation])
  return out.take()
}

/** google.spanner.v1.StructType of named fields. */
export function encodeStructType(
  fields: readonly { readonly name: string; readonly type: SpannerType }[],
): Buffer {
  const out = new ProtoWriter()
  for (const field of fields) {
    out.message(
      1,
      new ProtoWriter().string(1, field.name).message(2, encodeType(field.type)).take(),
    )
  }
  return out.take()
}
