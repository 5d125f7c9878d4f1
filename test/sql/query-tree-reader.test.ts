import t from 'tap'
import {
  touchesSystemRelations,
  touchesUserRelations,
} from '../../server/plan/relations-touched.ts'
import type { Query } from '../../server/sql/query-tree.ts'
import { readQueryTree } from '../../server/sql/query-tree-reader.ts'
import { readRecordedTrees } from '../plan/emit-fixture.ts'

const trees = readRecordedTrees()

function read(statement: string): Query {
  const tree = trees[`public: ${statement}`]
  const [query] = tree === undefined ? [] : readQueryTree(tree)
  if (query === undefined) throw new Error(`not recorded: ${statement}`)
  return query
}

t.test('reads every recorded tree', async (tt) => {
  const texts = Object.values(trees)
  for (const text of texts) tt.equal(readQueryTree(text).length, 1)
  tt.ok(texts.length > 300, `${texts.length} trees`)
})

t.test('a SELECT: names are resolved, parameters have types', async (tt) => {
  const query = read('SELECT a.name AS "N", a.id FROM author AS a WHERE a.id = $1')
  tt.match(query, {
    command: 'select',
    resultRelation: 0,
    from: [{ kind: 'RangeTableRef', rtindex: 1 }],
    rangeTable: [{ kind: 'relation', relkind: 'r', inFromClause: true }],
    where: {
      kind: 'OpExpr',
      operator: 96,
      args: [
        { kind: 'Var', rtindex: 1, attribute: 1, levelsUp: 0 },
        { kind: 'Param', paramKind: 'extern', number: 1, type: 23, location: 57 },
      ],
    },
  })
  tt.same(
    query.targetList.map((target) => [target.name, target.resno, target.originColumn]),
    [
      ['N', 1, 2],
      ['id', 2, 1],
    ],
  )
})

t.test('an INSERT: defaults of columns left out are in the target list', async (tt) => {
  const query = read('INSERT INTO author (name, email) VALUES ($1, $2) RETURNING id, created')
  tt.equal(query.command, 'insert')
  tt.same(
    query.targetList.map((target) => target.name),
    ['id', 'name', 'email', 'created', 'active'],
  )
  tt.match(query.targetList[0]?.expr, { kind: 'FuncExpr', function: 480 })
  tt.match(query.targetList[3]?.expr, { kind: 'FuncExpr', function: 1299, location: -1 })
  tt.equal(query.returningList.length, 2)
})

t.test('ON CONFLICT, sublinks, set operations, row marks, CTEs', async (tt) => {
  tt.match(
    read(
      'INSERT INTO entry (key, value) VALUES ($1, $2) ON CONFLICT (key) DO UPDATE SET value = excluded.value RETURNING key',
    ).onConflict,
    {
      action: 'update',
      arbiterElements: [{ kind: 'Var', attribute: 1 }],
      set: [{ resno: 2 }],
      excludedRtindex: 2,
      hasArbiterWhere: false,
    },
  )
  tt.match(read('SELECT id FROM author WHERE id IN (SELECT author_id FROM book)').where, {
    kind: 'SubLink',
    linkType: 'any',
    test: { kind: 'OpExpr', args: [{ kind: 'Var' }, { kind: 'Param', paramKind: 'sublink' }] },
  })
  tt.match(
    read('SELECT id FROM author UNION SELECT author_id FROM book ORDER BY 1 DESC LIMIT 3')
      .setOperations,
    {
      kind: 'SetOperation',
      op: 'union',
      all: false,
      columnTypes: [23],
    },
  )
  tt.match(read('SELECT id FROM author ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED').rowMarks, [
    { strength: 'update', wait: 'skip' },
  ])
  tt.match(read('WITH w AS (SELECT id, name FROM author) SELECT name FROM w WHERE id > 1'), {
    ctes: [{ name: 'w', recursive: false, columnNames: ['id', 'name'] }],
    rangeTable: [{ kind: 'cte', name: 'w', levelsUp: 0 }],
  })
})

t.test('which relations a statement touches, views being what they select from', async (tt) => {
  const view = read("SELECT * FROM cheap WHERE title LIKE 'a%'")
  tt.equal(touchesUserRelations([view]), true)
  tt.equal(touchesSystemRelations([view]), false)
  const mixed = read('SELECT id FROM author a, pg_class c WHERE c.relname = a.name')
  tt.equal(touchesUserRelations([mixed]), true)
  tt.equal(touchesSystemRelations([mixed]), true)
  const inside = read('SELECT 1 WHERE EXISTS (SELECT FROM author WHERE id = 1)')
  tt.equal(touchesUserRelations([inside]), true)
})

t.test('a window function, and what its window is parted by', async (tt) => {
  const over = 'row_number() OVER (PARTITION BY book.author_id ORDER BY book.id) AS anon_1'
  const [query] = readQueryTree(trees[`sa_psycopg2: SELECT book.id, ${over} FROM book`] ?? '')
  tt.match(query?.targetList[1]?.expr, { kind: 'WindowFunc', args: [], filter: undefined })
  const parting = query?.targetList.find(
    ({ sortGroupRef }) => sortGroupRef === query.partitions[0]?.[0]?.targetRef,
  )
  tt.match(parting, { junk: true, expr: { kind: 'Var' } })
})

t.test('what has no typed form says so', async (tt) => {
  const tree = trees['public: SELECT row_number() OVER () FROM author'] ?? ''
  const [query] = readQueryTree(tree.replace('{WINDOWFUNC', '{GROUPINGFUNC'))
  tt.match(query?.targetList[0]?.expr, { kind: 'Unsupported', tag: 'GROUPINGFUNC' })
})
