import t from 'tap'
import { emitPushdown } from '../../server/plan/emit-pushdown.ts'
import {
  MAX_FUNCTIONS,
  MAX_IN_VALUES,
  MAX_PARAMS,
  MAX_SQL_CHARACTERS,
  refuseBeyondLimits,
  refuseLargeRequest,
  refuseManyFunctions,
} from '../../server/plan/limits.ts'
import { DIALECT } from '../../server/sql/dialect-lookup.ts'
import type { Expr, Query } from '../../server/sql/query-tree.ts'
import { readQueryTree } from '../../server/sql/query-tree-reader.ts'
import { contextOf, readRecordedTrees, readSchemaFixture } from './emit-fixture.ts'

const context = contextOf(readSchemaFixture(), 'production', DIALECT)

/** `SELECT id FROM author WHERE id IN (..)` with so many values. */
function listOf(count: number): Query {
  const [query] = readQueryTree(
    readRecordedTrees()['public: SELECT id FROM author WHERE id IN (1, 2, 3)'] ?? '',
  )
  const where = query?.where
  const array = where?.kind === 'ScalarArrayOpExpr' ? where.args[1] : undefined
  if (query === undefined || where?.kind !== 'ScalarArrayOpExpr' || array?.kind !== 'ArrayExpr') {
    throw new Error('the recorded tree is another')
  }
  const element = array.elements[0] as Expr
  const long = { ...array, elements: Array.from({ length: count }, () => element) }
  return { ...query, where: { ...where, args: [where.args[0] as Expr, long] } }
}

t.test('so many values of IN, and no more', async (tt) => {
  tt.match(emitPushdown(listOf(MAX_IN_VALUES), context), { kind: 'pushdown' })
  tt.throws(() => emitPushdown(listOf(MAX_IN_VALUES + 1), context), {
    name: 'PgError',
    code: '54000',
    fields: { hint: /ANY/ },
  })
})

t.test('so many parameters and characters, and no more', async (tt) => {
  tt.doesNotThrow(() => refuseBeyondLimits('x'.repeat(MAX_SQL_CHARACTERS), MAX_PARAMS))
  tt.throws(() => refuseBeyondLimits('x', MAX_PARAMS + 1), { code: '54000', message: /951/ })
  tt.throws(() => refuseBeyondLimits('x'.repeat(MAX_SQL_CHARACTERS + 1), 0), { code: '54000' })
})

t.test('a statement with its values fits in a request', async (tt) => {
  const values = (sizeBytes: number) => [{ value: Buffer.alloc(sizeBytes) }]
  tt.doesNotThrow(() => refuseLargeRequest('x', values(10 * 1024 * 1024 - 5000)))
  tt.throws(() => refuseLargeRequest('x', values(10 * 1024 * 1024)), {
    code: '54000',
    message: /at most 10485760 bytes/,
  })
})

t.test('so many functions, and no more', async (tt) => {
  const sum = (operators: number) =>
    `SELECT '1 + 1', 1${' + lower(1)'.repeat(operators / 2)} FROM t`
  tt.doesNotThrow(() => refuseManyFunctions(sum(MAX_FUNCTIONS)))
  tt.throws(() => refuseManyFunctions(sum(MAX_FUNCTIONS + 2)), { name: 'NotPushable' })
})
