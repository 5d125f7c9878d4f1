import t from 'tap'
import { findPgType } from '../../server/types/pg-type.ts'
import { findStorage } from '../../server/types/storage.ts'
import {
  arrayOidOf,
  CITEXT,
  domainOidOf,
  enumOidOf,
  extensionTypeOidOf,
  isEnumArrayOid,
  isEnumOid,
} from '../../server/types/user-type.ts'

t.test('an enum has one OID under one name, and its arrays have another', (t) => {
  const oid = enumOidOf('public', 'mood')
  t.equal(oid, enumOidOf('public', 'mood'), 'the same in every proxy, and after every start')
  t.equal(oid, 1366572489, 'stored in databases: it never changes')
  t.not(oid, enumOidOf('other', 'mood'))
  t.equal(enumOidOf('public', 'mood', new Set([oid])), oid + 4, 'another type has it')
  t.ok(isEnumOid(oid))
  t.notOk(isEnumArrayOid(oid))
  t.ok(isEnumArrayOid(arrayOidOf(oid)))
  t.equal(findPgType(oid)?.arrayOid, arrayOidOf(oid))
  t.equal(findPgType(arrayOidOf(oid))?.elementOid, oid)
  t.end()
})

t.test('a domain has one of its own, and what it is stored as the OID does not say', (t) => {
  const oid = domainOidOf('public', 'mood')
  t.equal(oid, 1366572491, 'stored in databases: it never changes')
  t.equal(domainOidOf('public', 'mood', new Set([oid])), oid + 4, 'another type has it')
  for (const one of [oid, arrayOidOf(oid)]) {
    t.notOk(isEnumOid(one) || isEnumArrayOid(one))
    t.equal(findPgType(one), undefined)
    t.equal(findStorage(one, -1), undefined)
  }
  t.end()
})

t.test('a type of an extension has one whichever schema it lies in', (t) => {
  t.equal(extensionTypeOidOf('citext', 'citext'), 968015871, 'the same in every proxy')
  t.notOk(isEnumOid(968015871))
  t.end()
})

t.test('citext is stored as text, and so are arrays of it', (t) => {
  t.equal(findPgType(CITEXT)?.name, 'citext')
  t.equal(findStorage(CITEXT, -1)?.sqlType, 'character varying')
  t.equal(findStorage(arrayOidOf(CITEXT), -1)?.sqlType, 'character varying[]')
  t.end()
})

t.test('labels are stored as text', (t) => {
  const oid = enumOidOf('public', 'mood')
  t.equal(findStorage(oid, -1)?.sqlType, 'character varying')
  t.equal(findStorage(arrayOidOf(oid), -1)?.sqlType, 'character varying[]')
  t.end()
})

t.test('OIDs of other types are no enums', (t) => {
  for (const oid of [0, 23, 16384, 16613, 0x3fffffff, 0x80000001]) {
    t.notOk(isEnumOid(oid) || isEnumArrayOid(oid), String(oid))
  }
  t.end()
})
