import { type SpannerType, TYPE_ANNOTATION, TYPE_CODE } from '../types/spanner-type.ts'
import { ProtoWriter } from './protobuf.ts'

/** OIDs of the PostgreSQL types that results of this server may have (src/include/catalog/pg_type.dat). */
export const PG = {
  bool: 16,
  bytea: 17,
  char: 18,
  name: 19,
  int8: 20,
  int2: 21,
  int4: 23,
  regproc: 24,
  text: 25,
  oid: 26,
  xid: 28,
  pgNodeTree: 194,
  json: 114,
  float4: 700,
  float8: 701,
  unknown: 705,
  aclitem: 1033,
  anyarray: 2277,
  bpchar: 1042,
  varchar: 1043,
  date: 1082,
  timestamp: 1114,
  timestamptz: 1184,
  interval: 1186,
  numeric: 1700,
  regclass: 2205,
  regtype: 2206,
  void: 2278,
  uuid: 2950,
  jsonb: 3802,
  xid8: 5069,
} as const

const BOOL: SpannerType = { code: 'BOOL' }
const INT64: SpannerType = { code: 'INT64' }
const STRING: SpannerType = { code: 'STRING' }
const PG_OID: SpannerType = { code: 'INT64', annotation: 'PG_OID' }
const PG_NUMERIC: SpannerType = { code: 'NUMERIC', annotation: 'PG_NUMERIC' }
const PG_JSONB: SpannerType = { code: 'JSON', annotation: 'PG_JSONB' }

/** What Spanner calls a PostgreSQL type: smaller integers are INT64, every text type is STRING. */
const SPANNER_TYPES: ReadonlyMap<number, SpannerType> = new Map<number, SpannerType>([
  [PG.bool, BOOL],
  [PG.bytea, { code: 'BYTES' }],
  [PG.char, STRING],
  [PG.name, STRING],
  [PG.int8, INT64],
  [PG.int2, INT64],
  [PG.int4, INT64],
  [PG.text, STRING],
  [PG.oid, PG_OID],
  [PG.regproc, STRING],
  [PG.regclass, STRING],
  [PG.regtype, STRING],
  [PG.xid, INT64],
  [PG.xid8, INT64],
  [PG.float4, { code: 'FLOAT32' }],
  [PG.float8, { code: 'FLOAT64' }],
  [PG.unknown, STRING],
  [PG.varchar, STRING],
  [PG.date, { code: 'DATE' }],
  [PG.timestamptz, { code: 'TIMESTAMP' }],
  [PG.interval, { code: 'INTERVAL' }],
  [PG.numeric, PG_NUMERIC],
  [PG.uuid, { code: 'UUID' }],
  [PG.jsonb, PG_JSONB],
  [PG.void, STRING],
  [PG.pgNodeTree, STRING],
  [PG.aclitem, STRING],
  [PG.anyarray, STRING],
])

/** Array types: OID of the array, OID of its elements. */
const ELEMENTS: ReadonlyMap<number, number> = new Map([
  [1000, PG.bool],
  [1001, PG.bytea],
  [1002, PG.char],
  [1003, PG.name],
  [1005, PG.int2],
  [22, PG.int2],
  [1007, PG.int4],
  [1009, PG.text],
  [1015, PG.varchar],
  [1016, PG.int8],
  [1021, PG.float4],
  [1022, PG.float8],
  [1028, PG.oid],
  [1034, PG.aclitem],
  [30, PG.oid],
  [1182, PG.date],
  [1185, PG.timestamptz],
  [1187, PG.interval],
  [1231, PG.numeric],
  [2951, PG.uuid],
  [3807, PG.jsonb],
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
  BOOL: PG.bool,
  INT64: PG.int8,
  FLOAT64: PG.float8,
  FLOAT32: PG.float4,
  TIMESTAMP: PG.timestamptz,
  DATE: PG.date,
  STRING: PG.text,
  BYTES: PG.bytea,
  NUMERIC: PG.numeric,
  JSON: PG.jsonb,
  INTERVAL: PG.interval,
  UUID: PG.uuid,
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
  return type.annotation === 'PG_OID' ? PG.oid : SCALAR_OIDS[type.code]
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
