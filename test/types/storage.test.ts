import tap from 'tap'
import { OID } from '../../server/types/pg-type.ts'
import {
  findColumnStorage,
  findStorage,
  hasColumnStorage,
  keepsEquality,
  keepsOrder,
  sqlCastType,
} from '../../server/types/storage.ts'
import { enumOidOf } from '../../server/types/user-type.ts'

tap.test('what Spanner stores', async (t) => {
  const cases = [
    [OID.int2, -1, 'INT64', 'bigint'],
    [OID.int4, -1, 'INT64', 'bigint'],
    [OID.int8, -1, 'INT64', 'bigint'],
    [OID.oid, -1, 'INT64', 'bigint'],
    [OID.float4, -1, 'FLOAT32', 'real'],
    [OID.float8, -1, 'FLOAT64', 'double precision'],
    [OID.bool, -1, 'BOOL', 'boolean'],
    [OID.numeric, 655366, 'NUMERIC', 'numeric'],
    [OID.text, -1, 'STRING', 'character varying'],
    [OID.varchar, -1, 'STRING', 'character varying'],
    [OID.varchar, 34, 'STRING', 'character varying(30)'],
    [OID.bpchar, 9, 'STRING', 'character varying(5)'],
    [OID.bytea, -1, 'BYTES', 'bytea'],
    [OID.date, -1, 'DATE', 'date'],
    [OID.timestamp, 3, 'TIMESTAMP', 'timestamp with time zone'],
    [OID.timestamptz, -1, 'TIMESTAMP', 'timestamp with time zone'],
    [OID.time, -1, 'STRING', 'character varying(15)'],
    [OID.uuid, -1, 'STRING', 'character varying(36)'],
    [OID.name, -1, 'STRING', 'character varying(63)'],
    [OID.json, -1, 'STRING', 'character varying'],
    [OID.jsonb, -1, 'JSON', 'jsonb'],
    [OID.money, -1, 'INT64', 'bigint'],
    [OID.bit, 3, 'STRING', 'character varying'],
    [OID.timetz, 3, 'STRING', 'character varying'],
    [OID.inet, -1, 'STRING', 'character varying'],
    [OID.interval, 0x7fff0003, 'STRING', 'character varying'],
  ] as const
  for (const [typeOid, typmod, code, sqlType] of cases) {
    const storage = findStorage(typeOid, typmod)
    t.equal(storage?.type.code, code)
    t.equal(storage?.sqlType, sqlType)
  }
  t.equal(findStorage(OID.numeric, -1)?.type.annotation, 'PG_NUMERIC')
  t.equal(findStorage(OID.jsonb, -1)?.type.annotation, 'PG_JSONB')
})

tap.test('arrays', async (t) => {
  t.strictSame(findStorage(OID.varcharArray, 14), {
    type: { code: 'ARRAY', element: { code: 'STRING' } },
    sqlType: 'character varying(10)[]',
  })
  t.strictSame(findStorage(OID.jsonbArray, -1), {
    type: { code: 'ARRAY', element: { code: 'JSON', annotation: 'PG_JSONB' } },
    sqlType: 'jsonb[]',
  })
})

tap.test('types without storage', async (t) => {
  const none = [OID.xml, OID.xid, OID.record, OID.recordArray, 99999]
  for (const typeOid of none) {
    t.equal(findStorage(typeOid, -1), undefined)
    t.equal(findColumnStorage(typeOid, -1), undefined)
    t.equal(sqlCastType(typeOid), undefined)
  }
})

tap.test('which comparisons Spanner makes as PostgreSQL does', async (t) => {
  for (const typeOid of [OID.int4, OID.text, OID.bpchar, OID.uuid, OID.timestamptz, OID.numeric]) {
    t.ok(keepsEquality(typeOid) && keepsOrder(typeOid), String(typeOid))
  }
  for (const typeOid of [OID.char, OID.macaddr, OID.macaddr8, OID.bit, OID.varbit, OID.money])
    t.ok(keepsOrder(typeOid), String(typeOid))
  for (const typeOid of [OID.inet, OID.cidr, OID.timetz]) {
    t.ok(keepsEquality(typeOid) && !keepsOrder(typeOid), String(typeOid))
  }
  const mood = enumOidOf('public', 'mood')
  t.ok(keepsEquality(mood) && !keepsOrder(mood), 'labels')
  for (const typeOid of [OID.interval, OID.json, OID.jsonb, OID.int4Array, OID.xml]) {
    t.notOk(keepsEquality(typeOid) || keepsOrder(typeOid), String(typeOid))
  }
})

tap.test('char without a length has values but no columns', async (t) => {
  t.ok(findStorage(OID.bpchar, -1))
  t.equal(findColumnStorage(OID.bpchar, -1), undefined)
  t.equal(findColumnStorage(OID.bpcharArray, -1), undefined)
  t.strictSame(findColumnStorage(OID.bpchar, 5), findStorage(OID.bpchar, 5))
  t.equal(hasColumnStorage(OID.bpchar, -1), false)
  t.equal(hasColumnStorage(OID.bpchar, 5), true)
  t.strictSame(findColumnStorage(OID.varchar, -1), findStorage(OID.varchar, -1))
})

tap.test('casts name the storage without its length', async (t) => {
  t.equal(sqlCastType(OID.int4), 'bigint')
  t.equal(sqlCastType(OID.timestamp), 'timestamp with time zone')
  t.equal(sqlCastType(OID.uuid), 'character varying')
  t.equal(sqlCastType(OID.uuidArray), 'character varying[]')
  t.equal(sqlCastType(OID.float4Array), 'real[]')
})
