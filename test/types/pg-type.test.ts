import tap from 'tap'
import { findPgType, OID } from '../../server/types/pg-type.ts'
import { loadFixtures } from './fixtures.ts'

tap.test('the table is that of pg_type', async (t) => {
  const { types } = loadFixtures()
  t.equal(types.length, Object.values(OID).length)
  for (const type of types) {
    const expected = { ...type, elementOid: type.elementOid ?? undefined }
    t.strictSame(findPgType(type.oid), expected, type.typname)
  }
})

tap.test('other types are unknown', async (t) => {
  t.equal(findPgType(0), undefined)
  t.equal(findPgType(600), undefined)
  t.equal(findPgType(16384), undefined)
})
