import { findUserType } from './user-type.ts'

/** OIDs of the built-in types (src/include/catalog/pg_type.dat): the same in every PostgreSQL. */
export const OID = {
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
  json: 114,
  xml: 142,
  cidr: 650,
  float4: 700,
  float8: 701,
  unknown: 705,
  macaddr8: 774,
  money: 790,
  macaddr: 829,
  inet: 869,
  bpchar: 1042,
  varchar: 1043,
  date: 1082,
  time: 1083,
  timestamp: 1114,
  timestamptz: 1184,
  interval: 1186,
  timetz: 1266,
  bit: 1560,
  varbit: 1562,
  numeric: 1700,
  regprocedure: 2202,
  regclass: 2205,
  regtype: 2206,
  record: 2249,
  cstring: 2275,
  void: 2278,
  uuid: 2950,
  jsonb: 3802,
  regnamespace: 4089,
  regrole: 4096,
  boolArray: 1000,
  byteaArray: 1001,
  charArray: 1002,
  nameArray: 1003,
  int8Array: 1016,
  int2Array: 1005,
  int4Array: 1007,
  regprocArray: 1008,
  textArray: 1009,
  oidArray: 1028,
  xidArray: 1011,
  jsonArray: 199,
  xmlArray: 143,
  cidrArray: 651,
  float4Array: 1021,
  float8Array: 1022,
  macaddr8Array: 775,
  moneyArray: 791,
  macaddrArray: 1040,
  inetArray: 1041,
  bpcharArray: 1014,
  varcharArray: 1015,
  dateArray: 1182,
  timeArray: 1183,
  timestampArray: 1115,
  timestamptzArray: 1185,
  intervalArray: 1187,
  timetzArray: 1270,
  bitArray: 1561,
  varbitArray: 1563,
  numericArray: 1231,
  regprocedureArray: 2207,
  regclassArray: 2210,
  regtypeArray: 2211,
  recordArray: 2287,
  cstringArray: 1263,
  uuidArray: 2951,
  jsonbArray: 3807,
  regnamespaceArray: 4090,
  regroleArray: 4097,
  xid8: 5069,
  xid8Array: 271,
} as const

/** One row of pg_type, as far as a client or a codec asks for it. */
export interface PgType {
  readonly oid: number
  /** The name as format_type(oid, NULL) prints it, such as `integer` or `timestamp with time zone[]`. */
  readonly name: string
  /** pg_type.typname, such as `int4` or `_timestamptz`. */
  readonly typname: string
  /** pg_type.typlen: bytes, -1 varlena, -2 cstring. */
  readonly sizeBytes: number
  /** pg_type.typalign in bytes: where an element may begin inside an array. */
  readonly alignBytes: 1 | 2 | 4 | 8
  /** OID of the type of arrays of it; 0 where there is none. */
  readonly arrayOid: number
  /** OID of the element type of an array type. */
  readonly elementOid: number | undefined
}

type Row = readonly [
  oid: number,
  name: string,
  typname: string,
  sizeBytes: number,
  arrayOid: number,
  alignBytes: 1 | 2 | 4 | 8,
]

const ROWS: readonly Row[] = [
  [OID.bool, 'boolean', 'bool', 1, OID.boolArray, 1],
  [OID.bytea, 'bytea', 'bytea', -1, OID.byteaArray, 4],
  [OID.char, '"char"', 'char', 1, OID.charArray, 1],
  [OID.name, 'name', 'name', 64, OID.nameArray, 1],
  [OID.int8, 'bigint', 'int8', 8, OID.int8Array, 8],
  [OID.int2, 'smallint', 'int2', 2, OID.int2Array, 2],
  [OID.int4, 'integer', 'int4', 4, OID.int4Array, 4],
  [OID.regproc, 'regproc', 'regproc', 4, OID.regprocArray, 4],
  [OID.text, 'text', 'text', -1, OID.textArray, 4],
  [OID.oid, 'oid', 'oid', 4, OID.oidArray, 4],
  [OID.xid, 'xid', 'xid', 4, OID.xidArray, 4],
  [OID.xid8, 'xid8', 'xid8', 8, OID.xid8Array, 8],
  [OID.json, 'json', 'json', -1, OID.jsonArray, 4],
  [OID.xml, 'xml', 'xml', -1, OID.xmlArray, 4],
  [OID.cidr, 'cidr', 'cidr', -1, OID.cidrArray, 4],
  [OID.float4, 'real', 'float4', 4, OID.float4Array, 4],
  [OID.float8, 'double precision', 'float8', 8, OID.float8Array, 8],
  [OID.unknown, 'unknown', 'unknown', -2, 0, 1],
  [OID.macaddr8, 'macaddr8', 'macaddr8', 8, OID.macaddr8Array, 4],
  [OID.money, 'money', 'money', 8, OID.moneyArray, 8],
  [OID.macaddr, 'macaddr', 'macaddr', 6, OID.macaddrArray, 4],
  [OID.inet, 'inet', 'inet', -1, OID.inetArray, 4],
  [OID.bpchar, 'character', 'bpchar', -1, OID.bpcharArray, 4],
  [OID.varchar, 'character varying', 'varchar', -1, OID.varcharArray, 4],
  [OID.date, 'date', 'date', 4, OID.dateArray, 4],
  [OID.time, 'time without time zone', 'time', 8, OID.timeArray, 8],
  [OID.timestamp, 'timestamp without time zone', 'timestamp', 8, OID.timestampArray, 8],
  [OID.timestamptz, 'timestamp with time zone', 'timestamptz', 8, OID.timestamptzArray, 8],
  [OID.interval, 'interval', 'interval', 16, OID.intervalArray, 8],
  [OID.timetz, 'time with time zone', 'timetz', 12, OID.timetzArray, 8],
  [OID.bit, 'bit', 'bit', -1, OID.bitArray, 4],
  [OID.varbit, 'bit varying', 'varbit', -1, OID.varbitArray, 4],
  [OID.numeric, 'numeric', 'numeric', -1, OID.numericArray, 4],
  [OID.regprocedure, 'regprocedure', 'regprocedure', 4, OID.regprocedureArray, 4],
  [OID.regclass, 'regclass', 'regclass', 4, OID.regclassArray, 4],
  [OID.regtype, 'regtype', 'regtype', 4, OID.regtypeArray, 4],
  [OID.record, 'record', 'record', -1, OID.recordArray, 8],
  [OID.cstring, 'cstring', 'cstring', -2, OID.cstringArray, 1],
  [OID.void, 'void', 'void', 4, 0, 4],
  [OID.uuid, 'uuid', 'uuid', 16, OID.uuidArray, 1],
  [OID.jsonb, 'jsonb', 'jsonb', -1, OID.jsonbArray, 4],
  [OID.regnamespace, 'regnamespace', 'regnamespace', 4, OID.regnamespaceArray, 4],
  [OID.regrole, 'regrole', 'regrole', 4, OID.regroleArray, 4],
]

const TYPES: ReadonlyMap<number, PgType> = new Map(ROWS.flatMap(typesOfRow))

function typesOfRow(row: Row): [number, PgType][] {
  const [oid, name, typname, sizeBytes, arrayOid, alignBytes] = row
  const type = { oid, name, typname, sizeBytes, alignBytes, arrayOid, elementOid: undefined }
  if (arrayOid === 0) return [[oid, type]]
  const array: PgType = {
    oid: arrayOid,
    name: `${name}[]`,
    typname: `_${typname}`,
    sizeBytes: -1,
    // pg_type.dat: arrays of double-aligned elements are double-aligned themselves.
    alignBytes: alignBytes === 8 ? 8 : 4,
    arrayOid: 0,
    elementOid: oid,
  }
  return [
    [oid, type],
    [arrayOid, array],
  ]
}

/** The type of that OID, or undefined: domains, extensions' types and the rarer built-in ones are not here. */
export function findPgType(oid: number): PgType | undefined {
  return TYPES.get(oid) ?? findUserType(oid)
}
