import t from 'tap'
import { PERFORMED_SIGNATURES } from '../../server/session/performed-signatures.ts'
import { doesSomething, mustFindFunction } from '../../server/session/session-functions.ts'
import { isPerformedOid, PERFORMED_FUNCTIONS } from '../../server/sql/performed-functions.ts'
import { mustSucceed, rowsOf } from '../helpers/messages.ts'
import { ORACLE_USER, startOracle } from '../helpers/oracle.ts'
import { WireClient } from '../helpers/wire-client.ts'

t.test('stand-ins have the parameters, results and costs of PostgreSQL', async (t) => {
  const oracle = await startOracle()
  t.teardown(() => oracle.stop())
  const { client } = await WireClient.connect(oracle, { user: ORACLE_USER, database: 'postgres' })
  t.teardown(() => client.end())
  const names = PERFORMED_FUNCTIONS.map((name) => `'${name}'`).join(', ')
  const answer = await client.query(
    `select proname, pg_get_function_arguments(oid), (select typname from pg_type where oid = prorettype), proisstrict, procost, provolatile, proretset, oid
      from pg_proc where pronamespace = 'pg_catalog'::regnamespace and proname in (${names}) order by 1, 2`,
  )
  const found = rowsOf(mustSucceed(answer)).map((row) => row.map(String))
  t.equal(new Set(found.map(([name]) => name)).size, PERFORMED_FUNCTIONS.length)
  const ours = PERFORMED_FUNCTIONS.flatMap((name) => {
    const { signatures, type, isStrict } = PERFORMED_SIGNATURES[name]
    return signatures.map((parameters) => [name, parameters.join(', '), type, isStrict ? 't' : 'f'])
  })
  t.strictSame(found.map((row) => row.slice(0, 4)).sort(), ours.sort())
  for (const [name, , , , cost, volatility, isSet, oid] of found) {
    t.strictSame([cost, volatility, isSet], ['1', 'v', 'f'], name ?? '')
    t.ok(isPerformedOid(Number(oid)), name ?? '')
  }
})

t.test('the proxy performs them all', async (t) => {
  for (const name of PERFORMED_FUNCTIONS) {
    t.equal(mustFindFunction(name).type, PERFORMED_SIGNATURES[name].type, name)
    t.ok(doesSomething(name), name)
  }
})
