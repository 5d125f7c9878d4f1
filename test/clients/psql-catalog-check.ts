import type { Test } from 'tap'
import { SUPERUSER } from '../../server/companion/bootstrap-sql.ts'
import { ORACLE_USER, startOracleWithUser } from '../helpers/oracle.ts'
import type { ServerAddress } from '../helpers/wire-client.ts'
import { type PsqlResult, runPsql } from './psql.ts'
import { COMMANDS, KNOWN_DIFFERENCES, NOT_BUILT, SCHEMA } from './psql-catalog.ts'

const DATABASE = 'psqltest'

/** Every catalog command of psql gives the same bytes as on PostgreSQL, but for the ones that are known not to. */
export async function checkPsqlCatalog(t: Test, server: ServerAddress): Promise<void> {
  const oracle = await startOracleWithUser(SUPERUSER)
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
    const ours = withoutOids(await runPsql(here, command))
    const expected = withoutOids(await runPsql(there, command))
    const known = KNOWN_DIFFERENCES.get(command)
    if (known === undefined) t.strictSame(ours, expected, command)
    else if (NOT_BUILT.has(command)) {
      t.notSame(ours, expected, `${command} is not built: ${known}`)
    } else {
      t.equal(ours?.stderr, expected?.stderr, `${command} works`)
      t.notSame(ours?.stdout, expected?.stdout, `${command} is known to differ: ${known}`)
    }
  }
}

/** Names of TOAST tables hold the OIDs of their tables, `\\conninfo` says where the server is: both are nobody's choice. */
function withoutOids(result: PsqlResult | undefined): PsqlResult | undefined {
  if (result === undefined) return undefined
  const stdout = result.stdout
    .replace(/pg_toast_\d+/g, 'pg_toast_N')
    .replace(/ (on host|via socket in) .* at port "\d+"\./, '')
  return { ...result, stdout }
}
