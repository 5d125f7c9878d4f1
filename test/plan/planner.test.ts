import t from 'tap'
import type { CompanionDatabase, SessionContext } from '../../server/companion/companion-types.ts'
import { Planner } from '../../server/plan/planner.ts'
import { DIALECT } from '../../server/sql/dialect-lookup.ts'
import { PROFILES, readRecordedTrees, readSchemaFixture } from './emit-fixture.ts'
import { readGoldenScripts, treeKey } from './golden-script.ts'

/** A statement that Spanner runs, with its tree. */
function pushedDown(): { text: string; tree: string } {
  const trees = readRecordedTrees()
  for (const script of readGoldenScripts()) {
    for (const golden of script.cases) {
      const tree = trees[treeKey(script, golden)]
      const isSelect = /^SELECT/i.test(golden.statement) && /^SELECT/.test(golden.expected)
      if (isSelect && tree !== undefined) return { text: golden.statement, tree }
    }
  }
  throw new Error('no golden script has a SELECT that is pushed down')
}

function notHere(): never {
  throw new Error('the companion was asked for something else than an analysis')
}

/** A planner over a companion that counts what it is asked. */
function countedPlanner() {
  const { text, tree } = pushedDown()
  const fixture = readSchemaFixture()
  const counts = { analyses: 0 }
  const schema = { ...fixture, version: 1n }
  const companion: CompanionDatabase = {
    name: 'counted',
    analyse: async () => {
      counts.analyses += 1
      return { paramTypes: [], fields: [], tree, notices: [] }
    },
    read: notHere,
    readLoaded: notHere,
    probeCopy: notHere,
    pin: notHere,
    service: notHere,
    serviceTransaction: notHere,
    changeAndRead: notHere,
    alterRoles: notHere,
  }
  const current = { schema }
  const planner = new Planner({
    companion,
    schema: {
      get current() {
        return current.schema
      },
      declared: [],
      refresh: async () => false,
      renameRole: notHere,
      begin: notHere,
    },
    capabilities: PROFILES.production,
    dialect: DIALECT,
  })
  const plan = (more: { text?: string; settings?: Record<string, string>; user?: string } = {}) => {
    const session: SessionContext = {
      user: more.user ?? 'me',
      settings: new Map(Object.entries(more.settings ?? {})),
      backendPid: 1,
    }
    const signal = new AbortController().signal
    return planner.plan({
      text: more.text ?? text,
      paramTypes: [],
      session,
      pinned: undefined,
      signal,
    })
  }
  const changeSchema = () => {
    current.schema = { ...fixture, version: current.schema.version + 1n }
  }
  return { text, counts, plan, changeSchema }
}

t.test('a plan that is known does not touch the companion', async (t) => {
  const { counts, plan } = countedPlanner()
  const first = await plan()
  t.equal(first.route.kind, 'pushdown')
  t.equal(counts.analyses, 1)
  for (let again = 0; again < 100; again++) t.equal(await plan(), first)
  // Another session, and a setting that changes no meaning.
  t.equal(await plan({ settings: { application_name: 'x', statement_timeout: '1s' } }), first)
  t.equal(counts.analyses, 1)
})

t.test('what could mean something else is planned anew', async (t) => {
  const { text, counts, plan, changeSchema } = countedPlanner()
  await plan()
  await plan({ text: `${text} ` })
  await plan({ settings: { search_path: 'other' } })
  await plan({ settings: { TimeZone: 'Asia/Tokyo' } })
  await plan({ user: 'somebody else' })
  t.equal(counts.analyses, 5)
  changeSchema()
  await plan()
  await plan()
  t.equal(counts.analyses, 6)
})
