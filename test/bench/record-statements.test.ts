import { test } from 'tap'
import { recordStatements } from './record-statements.ts'

test('all that the workloads and the opening of their database send gets a reply', async (t) => {
  const replies = await recordStatements()
  t.equal(new Set(replies.map(({ sql }) => sql)).size, replies.length, 'each text once')
  const replyTo = (pattern: RegExp) => replies.find(({ sql }) => pattern.test(sql))
  t.match(replyTo(/^SELECT .* FROM "bench_point" .* = \$1$/), { rows: [['42']] })
  t.match(replyTo(/^INSERT INTO "bench_ins"/), { update: 1 })
  t.match(replyTo(/^UPDATE "bench_point"/), { update: 1 })
  t.match(replyTo(/^SELECT .* FROM "bench_wide"/), { generate: 100_000 })
  t.strictSame(replyTo(/^SELECT version FROM spanwire.versions/)?.rows, [['3']], 'one DDL each')
  const stored = replyTo(/spanwire.objects$/)?.rows?.map(([, definition]) => String(definition))
  for (const table of ['bench_point', 'bench_ins', 'bench_wide']) {
    t.ok(
      stored?.some((text) => text.includes(`"name":"${table}"`)),
      `${table} is declared`,
    )
  }
})
