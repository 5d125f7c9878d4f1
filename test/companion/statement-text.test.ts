import tap from 'tap'
import {
  demandReadable,
  demandWithinTransaction,
  firstKeyword,
  mayNameRelation,
} from '../../server/companion/statement-text.ts'

tap.test('the first keyword', async (t) => {
  const cases: Record<string, string> = {
    'select 1': 'SELECT',
    '  \n\t((Values (1)))': 'VALUES',
    '-- commit\nshow x': 'SHOW',
    '/* a /* b */ commit */table t': 'TABLE',
    '; ; with x as (select 1) select 1': 'WITH',
    '-- nothing': '',
    '/* open': '',
    '': '',
    '"select"': '',
    selectx: 'SELECTX',
  }
  for (const [text, keyword] of Object.entries(cases)) t.equal(firstKeyword(text), keyword, text)
})

tap.test('what may run where', async (t) => {
  for (const text of ['select 1', '(select 1)', 'explain select 1', 'table t', '']) {
    t.doesNotThrow(() => demandReadable(text), text)
  }
  for (const text of [
    'commit',
    '/**/deallocate all',
    'prepare p as select 1',
    'listen x',
    'set a = 1',
  ]) {
    t.throws(() => demandReadable(text), { name: 'Bug' }, text)
  }
  for (const text of [
    'create table t()',
    'savepoint a',
    'rollback to a',
    'ROLLBACK work TO SAVEPOINT a',
    'release a',
  ]) {
    t.doesNotThrow(() => demandWithinTransaction(text), text)
  }
  for (const text of [
    'rollback',
    '/*to*/rollback',
    'rollback and chain',
    'end',
    'begin',
    'start transaction',
  ]) {
    t.throws(() => demandWithinTransaction(text), { name: 'Bug' }, text)
  }
})

tap.test('whether a relation can be named', async (t) => {
  t.ok(mayNameRelation('SELECT 1 FROM x'))
  t.ok(mayNameRelation('table x'))
  t.notOk(mayNameRelation('select version()'))
  t.notOk(mayNameRelation('show fromage'))
})
