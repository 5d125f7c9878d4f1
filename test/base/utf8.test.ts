import { test } from 'tap'
import { decodeUtf8 } from '../../server/base/utf8.ts'

test('valid text of every length class comes through', async (t) => {
  for (const text of ['', 'plain', 'é', '€', '😀', 'aé€😀z']) {
    t.equal(decodeUtf8(Buffer.from(text)), text)
  }
})

// The answers of PostgreSQL 15 to `select convert_from('\x...', 'UTF8')`.
const SAMPLES: readonly (readonly [string, string])[] = [
  ['ff', '0xff'],
  ['61c3', '0xc3'],
  ['c328', '0xc3 0x28'],
  ['c0af', '0xc0 0xaf'],
  ['eda08062', '0xed 0xa0 0x80'],
  ['f4908080', '0xf4 0x90 0x80 0x80'],
  ['80', '0x80'],
  ['e282', '0xe2 0x82'],
  ['c3a9f0288cbc', '0xf0 0x28 0x8c 0xbc'],
]

test('invalid bytes are named as PostgreSQL names them', async (t) => {
  for (const [hex, shown] of SAMPLES) {
    t.throws(
      () => decodeUtf8(Buffer.from(hex, 'hex')),
      {
        code: '22021',
        severity: 'ERROR',
        message: `invalid byte sequence for encoding "UTF8": ${shown}`,
      },
      hex,
    )
  }
})
