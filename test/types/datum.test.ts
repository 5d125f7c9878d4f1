import tap from 'tap'
import { datumToText, encodeText } from '../../server/types/datum.ts'
import { findPgType, OID } from '../../server/types/pg-type.ts'
import { encodeJson } from './encode-json.ts'
import { loadFixtures } from './fixtures.ts'

const { datums, output } = loadFixtures()

tap.test('constants of the parse tree read as PostgreSQL prints them', async (t) => {
  t.ok(datums.length > 150, `${datums.length} constants`)
  for (const datum of datums) {
    const bytes = Buffer.from(datum.bytes, 'hex')
    const text = datumToText(datum.typeOid, bytes, datum.lengthBytes, datum.byValue)
    t.equal(text, datum.text, datum.literal.slice(0, 80))
  }
})

tap.test('a Datum cut short is undefined or another value, never an exception', async (t) => {
  for (const datum of datums) {
    const bytes = Buffer.from(datum.bytes, 'hex')
    const unexpected: number[] = []
    for (let size = 0; size < bytes.length; size++) {
      const text = datumToText(
        datum.typeOid,
        bytes.subarray(0, size),
        datum.lengthBytes,
        datum.byValue,
      )
      // Text that ends with a zero has no length of its own, and an array's elements may end before its bytes do.
      const isOpen = datum.lengthBytes === -2 || datum.typeOid === OID.name
      if (text !== undefined && !isOpen && findPgType(datum.typeOid)?.elementOid === undefined) {
        unexpected.push(size)
      }
    }
    t.strictSame(unexpected, [], datum.literal.slice(0, 80))
  }
})

tap.test('damaged Datums do not throw', async (t) => {
  for (const datum of datums) {
    const bytes = Buffer.from(datum.bytes, 'hex')
    for (let at = 0; at < Math.min(bytes.length, 120); at++) {
      for (const byte of [0, 1, 0x7f, 0x80, 0xff]) {
        const damaged = Buffer.from(bytes)
        damaged[at] = byte
        datumToText(datum.typeOid, damaged, datum.lengthBytes, datum.byValue)
      }
    }
  }
  t.pass('any byte may change')
})

tap.test('what is not decoded is undefined', async (t) => {
  const zeros = Buffer.alloc(24)
  for (const typeOid of [OID.xml, OID.record, 600, 99999]) {
    t.equal(datumToText(typeOid, zeros, 8, true), undefined)
  }
  const matrix = Buffer.alloc(48)
  matrix.writeUInt32LE(48 << 2, 0)
  matrix.writeInt32LE(2, 4)
  t.equal(datumToText(OID.int4Array, matrix, -1, false), undefined, 'two dimensions')
  const compressed = Buffer.from([0x12, 0, 0, 0, 1, 2, 3, 4])
  t.equal(datumToText(OID.text, compressed, -1, false), undefined, 'compressed')
  t.equal(datumToText(OID.char, Buffer.from([0xe4, 0, 0, 0, 0, 0, 0, 0]), 1, true), undefined)
  const short = Buffer.from([(3 << 1) | 1, 0x61, 0x62])
  t.equal(datumToText(OID.text, short, -1, false), 'ab', 'a header of one byte')
})

tap.test('canonical text becomes the value that Spanner would send', async (t) => {
  for (const fixture of output.filter((each) => each.settings === 0)) {
    t.strictSame(
      encodeText(fixture.typeOid, fixture.text)?.toString('hex'),
      // A declared scale is put back on the way out, what is stored keeps it.
      encodeJson(fixture.spanner).toString('hex'),
      `${findPgType(fixture.typeOid)?.name} ${fixture.text}`,
    )
  }
})

tap.test('every constant with storage has a value, or an error that says why not', async (t) => {
  for (const datum of datums) {
    const isOutside = /infinity/i.test(datum.text) && !/float/.test(datum.literal)
    if (isOutside || / BC$|^\d{5,}-/.test(datum.text)) {
      const code = datum.literal.includes('numeric') ? '22003' : '22008'
      t.throws(() => encodeText(datum.typeOid, datum.text), { code }, datum.literal)
    } else {
      const encoded = encodeText(datum.typeOid, datum.text)
      t.ok(encoded !== undefined, datum.literal.slice(0, 80))
    }
  }
})

tap.test('types without storage have no value', async (t) => {
  for (const typeOid of [OID.xml, OID.xmlArray, 99999]) {
    t.equal(encodeText(typeOid, '1 day'), undefined)
  }
  t.throws(() => encodeText(OID.int4, 'one'), { code: '22P02' })
  t.throws(() => encodeText(OID.date, 'today'), /not canonical/)
})
