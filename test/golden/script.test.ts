import t from 'tap'
import { chosenScripts, loadScripts } from './run.ts'
import { parseScript, printScript } from './script.ts'

const SCRIPT = `# Two clients.
~ skipped on emulator, faults: because
> select 1
----
1
SELECT 1

~ embedded: known
> [b] async update t set n = 1
  where id = 1

# Prose.
> [b] await
----
UPDATE 1
---- embedded, emulator: stricter: yes
UPDATE 0
[T]

> [await] extended('5', null; 2 rows) select async
----
---- embedded: nothing there
(empty)
`

t.test('a script survives being read and printed', async (t) => {
  const script = parseScript(SCRIPT)
  t.equal(
    printScript(
      script,
      script.steps.map(({ expected }) => expected),
    ),
    SCRIPT,
  )
  for (const [name, present] of await loadScripts()) {
    const answers = present.steps.map(({ expected }) => expected)
    t.strictSame(parseScript(printScript(present, answers)), present, name)
  }
})

t.test('statements that are not waited for, and other answers', async (t) => {
  const { steps, skips } = parseScript(SCRIPT)
  t.match(skips, [
    { backend: 'emulator', reason: 'because' },
    { backend: 'faults', reason: 'because' },
  ])
  t.match(steps, [
    { connection: 'a', timing: 'at once', text: 'select 1', knownDifferences: [], variants: [] },
    {
      connection: 'b',
      timing: 'async',
      text: 'update t set n = 1\nwhere id = 1',
      knownDifferences: [{ backend: 'embedded' }],
      expected: [],
    },
    {
      connection: 'b',
      timing: 'await',
      text: '',
      expected: ['UPDATE 1'],
      variants: [
        {
          backends: ['embedded', 'emulator'],
          reason: 'stricter: yes',
          expected: ['UPDATE 0', '[T]'],
        },
      ],
    },
    { connection: 'await', timing: 'at once', mode: 'extended', text: 'select async', maxRows: 2 },
  ])
  t.same(steps[3]?.expected, [])
  t.same(steps[3]?.variants[0]?.expected, ['(empty)'])
})

t.test('scripts are chosen by a part of their names', async (t) => {
  const all = [...(await loadScripts()).keys()]
  const chosen = [...(await chosenScripts('isolation')).keys()]
  t.ok(chosen.length > 0 && chosen.length < all.length)
  t.strictSame(
    chosen,
    all.filter((name) => name.includes('isolation')),
  )
})
