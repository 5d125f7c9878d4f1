import t from 'tap'
import { typeOf } from '../../server/plan/expression-type.ts'
import type { PushdownRoute } from '../../server/plan/plan.ts'
import { DIALECT } from '../../server/sql/dialect-lookup.ts'
import { readQueryTree } from '../../server/sql/query-tree-reader.ts'
import { contextOf, emitRecorded, readRecordedTrees, readSchemaFixture } from './emit-fixture.ts'
import { readGoldenScripts, treeKey } from './golden-script.ts'
import { findPostgres, startPostgres } from './throwaway-postgres.ts'

const LEAST_STATEMENTS = 15
const bin = findPostgres()

t.test(
  'PostgreSQL takes what the companion is to compute, and gives the types that are bound',
  { skip: bin === undefined ? 'NO POSTGRESQL HERE: set PGBIN' : false },
  async (tt) => {
    const server = await startPostgres(bin ?? '')
    tt.teardown(() => server.stop())
    const routes = routesWithComputed()
    for (const { computed, params } of routes) {
      const { text = '', paramTypes = [] } = computed ?? {}
      const { tree } = await server.analyse(text, paramTypes)
      const found = readQueryTree(tree)[0]?.targetList.map((target) => typeOf(target.expr)) ?? []
      for (const source of params) {
        if (source.kind === 'computed') tt.equal(found[source.index], source.typeOid, text)
      }
    }
    tt.ok(routes.length >= LEAST_STATEMENTS, `${routes.length} statements`)
  },
)

function routesWithComputed(): readonly PushdownRoute[] {
  const schema = readSchemaFixture()
  const trees = readRecordedTrees()
  return readGoldenScripts().flatMap((script) =>
    script.cases.flatMap((golden) => {
      const tree = trees[treeKey(script, golden)] ?? ''
      const emitted = emitRecorded(tree, contextOf(schema, 'emulator', DIALECT))
      return emitted.kind === 'route' && emitted.route.computed !== undefined ? [emitted.route] : []
    }),
  )
}
