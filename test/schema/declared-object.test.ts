import t from 'tap'
import { isSameDeclaration } from '../../server/schema/declared-object.ts'

t.test('the order of keys and absent fields make no difference', async (t) => {
  const table = { name: 'a', columns: [{ name: 'x', notNull: true }], comment: undefined }
  const same = { columns: [{ notNull: true, default: undefined, name: 'x' }], name: 'a' }
  t.ok(isSameDeclaration(table, same))
  t.ok(isSameDeclaration(undefined, undefined))
})

t.test('everything else does', async (t) => {
  const table = { name: 'a', columns: [{ name: 'x' }, { name: 'y' }] }
  for (const other of [
    { ...table, name: 'b' },
    { ...table, comment: '' },
    { ...table, columns: [{ name: 'x' }] },
    { ...table, columns: [{ name: 'y' }, { name: 'x' }] },
    { ...table, columns: [{ name: 'x' }, { name: 'y', default: null }] },
    { ...table, columns: { 0: { name: 'x' }, 1: { name: 'y' } } },
    { name: 'a', column: table.columns },
    [table],
    null,
    undefined,
    'a',
  ]) {
    t.notOk(isSameDeclaration(table, other), JSON.stringify(other))
    t.notOk(isSameDeclaration(other, table), JSON.stringify(other))
  }
})
