import t from 'tap'
import { computedColumns } from '../../server/sql/computed-columns.ts'
import { loadParser } from '../../server/sql/postgres-parser.ts'
import { parseStatements } from '../../server/sql/statement.ts'

await loadParser()

function computed(text: string) {
  const [statement] = parseStatements(text)
  return statement && computedColumns(statement.node)
}

t.test('USING that keeps what the column holds computes nothing', async (t) => {
  const kept = [
    'alter table b alter n type bigint',
    'alter table b alter n type bigint using n',
    'alter table b alter n type integer using n::integer',
    'alter table b alter n type integer using n::text::int4',
    'alter table b alter n type varchar(3) using n::varchar(3)',
    'alter table b add column z integer default 3',
    'create table b (n integer)',
  ]
  for (const text of kept) t.equal(computed(text), undefined, text)
})

t.test('any other is told, with its table', async (t) => {
  t.strictSame(computed('alter table o."B b" alter n type bigint using n * 2, alter m type text'), {
    table: '"o"."B b"',
    columns: ['n'],
  })
  const others = ['m', 'n::boolean::integer', 'n::varchar(2)', 'b.n', 'coalesce(n, 0)', 'n::text[]']
  for (const using of others) {
    const text = `alter table b alter n type integer using ${using}`
    t.strictSame(computed(text)?.columns, ['n'], text)
  }
})
