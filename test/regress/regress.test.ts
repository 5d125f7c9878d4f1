import t from 'tap'
import { hasRunner, QUERY_SCRIPTS, readFloor, runScripts } from './scripts.ts'

t.setTimeout(600_000)

t.test('seven in ten statements of the query scripts print what PostgreSQL prints', async (t) => {
  const counts = Object.values(await readFloor())
  t.equal(counts.length, QUERY_SCRIPTS.length)
  const sum = (key: 'passed' | 'all') => counts.reduce((all, one) => all + one[key], 0)
  t.ok(sum('passed') / sum('all') >= 0.7)
})

t.test('no script prints less of it than it did', async (t) => {
  if (!(await hasRunner())) {
    t.pass("SKIPPED: the runner of PostgreSQL's regression scripts is not beside the project", {
      skip: true,
    })
    return
  }
  const floor = await readFloor()
  const counts = await runScripts(QUERY_SCRIPTS)
  t.equal(Object.keys(counts).length, QUERY_SCRIPTS.length)
  for (const [name, { passed, all }] of Object.entries(counts)) {
    t.ok(passed >= (floor[name]?.passed ?? all), `${name}: ${passed} of ${all}`)
  }
})
