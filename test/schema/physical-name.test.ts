import t from 'tap'
import { PhysicalNames, toValidName } from '../../server/schema/physical-name.ts'

t.test('names that Spanner takes stay', async (t) => {
  for (const name of ['users', 'CamelCase', 'a1_b', 'x'.repeat(63)])
    t.equal(toValidName(name), name)
})

t.test('names that Spanner does not take get the nearest that it takes', async (t) => {
  t.equal(toValidName('_prisma_migrations'), 'prisma_migrations')
  t.equal(toValidName('__'), 'm_')
  t.equal(toValidName('1st'), 'm_1st')
  t.equal(toValidName('pg_foo'), 'm_pg_foo')
  t.equal(toValidName('spw_int4_x'), 'm_spw_int4_x', 'ours are not to be imitated')
  t.equal(toValidName('spanwire'), 'm_spanwire')
  t.equal(toValidName('ünïcode name'), 'n_code_name')
  t.equal(toValidName(`_${'y'.repeat(80)}`).length, 63)
})

t.test('names differ by more than case, and taken ones are not given again', async (t) => {
  const names = new PhysicalNames(['Users'])
  t.equal(names.allocate('users'), 'users_2')
  t.equal(names.allocate('USERS'), 'USERS_3')
  t.equal(names.allocate('z'.repeat(63)).length, 63)
  const second = names.allocate('z'.repeat(63))
  t.equal(second, `${'z'.repeat(61)}_2`)
})

t.test('a constraint has its name alone in all schemas, other things in their own', async (t) => {
  const one = new PhysicalNames()
  const two = new PhysicalNames([], one)
  t.equal(one.allocateConstraint('pos'), 'pos')
  t.equal(two.allocateConstraint('pos'), 'pos_2')
  t.equal(two.allocate('pos'), 'pos')
})
