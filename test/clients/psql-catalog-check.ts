import type { Test } from 'tap'
import { ORACLE_USER, startOracle } from '../helpers/oracle.ts'
import type { ServerAddress } from '../helpers/wire-client.ts'
import { runPsql } from './psql.ts'
import { COMMANDS, KNOWN_DIFFERENCES, SCHEMA } from './psql-catalog.ts'

const DATABASE = 'psqltest'

/** Every catalog command of psql gives the same bytes as on PostgreSQL, but for the ones that are known not to. */
export async function checkPsqlCatalog(t: Test, server: ServerAddress): Promise<void> {
  const oracle = await startOracle()
  t.teardown(() => oracle.stop())
  const login = { user: ORACLE_USER, database: DATABASE }
  const here = { host: server.host, port: server.port, ...login }
  const there = { host: oracle.host, port: oracle.port, ...login }
  for (const address of [here, there]) {
    const made = await runPsql({ ...address, database: 'postgres' }, `create database ${DATABASE};`)
    if (made === undefined) {
      t.pass('SKIPPED: psql is not on this machine', { skip: true })
      return
    }
    t.strictSame(made, { stdout: 'CREATE DATABASE\n', stderr: '', code: 0 })
    const schema = await runPsql(address, SCHEMA, ['-q', '-v', 'ON_ERROR_STOP=1'])
    t.strictSame(schema, { stdout: '', stderr: '', code: 0 })
  }
  for (const command of COMMANDS) {
    const ours = await runPsql(here, command)
    const expected = await runPsql(there, command)
    const known = KNOWN_DIFFERENCES.get(command)
    if (known === undefined) t.strictSame(ours, expected, command)
    else {
      t.equal(ours?.stderr, expected?.stderr, `${command} works`)
      t.notSame(ours?.stdout, expected?.stdout, `${command} is known to differ: ${known}`)
    }
  }
}
