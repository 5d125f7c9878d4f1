import t from 'tap'
import { changeFor } from '../../server/schema/advance-sequence.ts'
import type { DeclaredSequence } from '../../server/schema/declared-object.ts'

const DECLARED: DeclaredSequence = {
  kind: 'sequence',
  schema: 'public',
  name: 's',
  owner: 'tester',
  type: 'bigint',
  start: '1',
  increment: '1',
  min: '1',
  max: '9223372036854775807',
  cache: '1',
  cycle: false,
}

const NARROW = {
  values: 'bit-reversed',
  declared: DECLARED,
  nextvalSql: "(nextval('s') >> 32)",
} as const
const WIDE = { ...NARROW, nextvalSql: "nextval('s')" } as const

t.test('what a bit-reversed sequence is told', async (t) => {
  const narrow: readonly (readonly [bigint, bigint, string | undefined])[] = [
    [0n, 0n, undefined],
    // 1,000 is among the first 2^21 draws.
    [1000n, 0n, 'SKIP RANGE 1 4299262263295'],
    // Its own first and second value.
    [1n << 30n, 1n, undefined],
    [1n << 29n, 2n, undefined],
    [1n << 29n, 1n, `SKIP RANGE 1 ${((1n << 29n) + 1n) * (1n << 32n) - 1n}`],
    // The third value of another such sequence: it may have drawn three.
    [3n << 29n, 0n, 'RESTART COUNTER WITH 4'],
    [1n << 30n, 0n, 'RESTART COUNTER WITH 2'],
  ]
  for (const [last, counter, change] of narrow) {
    t.equal(changeFor(NARROW, last, counter), change, `${last} after ${counter} draws`)
  }
  t.equal(changeFor(WIDE, 1_000_000n, 0n), undefined, 'it does not come there in 2^43 draws')
  t.equal(changeFor(WIDE, 1n << 40n, 0n), `SKIP RANGE 1 ${1n << 40n}`)
  t.equal(changeFor(WIDE, 7n << 60n, 0n), 'RESTART COUNTER WITH 8')
  t.equal(changeFor(WIDE, 7n << 60n, 7n), undefined)
  const max = (1n << 63n) - 1n
  t.equal(
    changeFor(WIDE, max, 0n),
    `RESTART COUNTER WITH ${max}`,
    'nothing is left but its last draw',
  )
})

t.test('the ranges that are skipped hold every draw that gives such a value', async (t) => {
  const [, end = ''] = /^SKIP RANGE 1 (\d+)$/.exec(changeFor(NARROW, 1000n, 0n) ?? '') ?? []
  t.equal(BigInt(end) >> 32n, 1000n)
  t.equal((BigInt(end) + 1n) >> 32n, 1001n)
})

t.test('an ascending sequence goes on behind the value', async (t) => {
  const ascending = { ...WIDE, values: 'ascending' } as const
  t.equal(changeFor(ascending, 41n, 7n), 'RESTART COUNTER WITH 42')
  t.equal(changeFor(ascending, 0n, 7n), 'RESTART COUNTER WITH 1')
  t.equal(changeFor(ascending, (1n << 63n) - 1n, 7n), `RESTART COUNTER WITH ${(1n << 63n) - 1n}`)
  const stepping = { ...ascending, declared: { ...DECLARED, start: '10', increment: '5' } }
  t.equal(changeFor(stepping, 20n, 0n), 'RESTART COUNTER WITH 4', '25')
  t.equal(changeFor(stepping, 21n, 0n), 'RESTART COUNTER WITH 4', '25')
  t.equal(changeFor(stepping, 1n, 9n), 'RESTART COUNTER WITH 1', '10')
})
