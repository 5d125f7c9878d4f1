import type { Test } from 'tap'
import { SUPERUSER } from '../../server/companion/bootstrap-sql.ts'
import { ORACLE_USER, startOracleWithUser } from '../helpers/oracle.ts'
import type { ServerAddress } from '../helpers/wire-client.ts'
import { runPsql } from './psql.ts'
import { COMMANDS, SCHEMA } from './psql-catalog.ts'

const DATABASE = 'psqltest'

/** What Spanwire says of itself, and what initdb takes from the machine. */
const AS_STARTED = { max_connections: '200', log_timezone: 'UTC' }

/** Every catalog command of psql gives the same bytes as on PostgreSQL. */
export async function checkPsqlCatalog(t: Test, server: ServerAddress): Promise<void> {
  const oracle = await startOracleWithUser(SUPERUSER, AS_STARTED)
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
  const [ours, expected] = [await runCommands(here), await runCommands(there)]
  t.ok(expected.every(({ stdout, stderr }) => stdout !== undefined && stderr !== undefined))
  for (const [index, command] of COMMANDS.entries()) {
    t.strictSame(ours[index], expected[index], command)
  }
}

/** undefined: psql did not get that far. */
interface Output {
  readonly stdout: string | undefined
  readonly stderr: string | undefined
}

const MARK = '~~~ next ~~~'

/** What each of the commands prints, in one run of psql that marks where the next one begins. */
async function runCommands(address: Parameters<typeof runPsql>[0]): Promise<readonly Output[]> {
  const marked = COMMANDS.map((command) => `\\echo '${MARK}'\n\\warn '${MARK}'\n${command}`)
  const result = await runPsql(address, marked.join('\n'))
  const [stdout, stderr] = [withoutChance(result?.stdout ?? ''), result?.stderr ?? ''].map((text) =>
    text.split(`${MARK}\n`).slice(1),
  )
  return COMMANDS.map((_, index) => ({
    stdout: stdout?.[index],
    stderr: stderr?.[index],
  }))
}

/**
 * What is nobody's choice: names of TOAST tables hold the OIDs of their tables; `\conninfo` and some settings say where the server listens; databases have
 * the size of their catalogs, and more where a server has made more databases or views of catalogs.
 */
function withoutChance(stdout: string): string {
  return stdout
    .replace(/pg_toast_\d+/g, 'pg_toast_N')
    .replace(/^ (listen_addresses|port|unix_socket_permissions) .*\n/gm, '')
    .replace(/(non-default configuration parameters[^(]*)\(\d+ rows\)/, '$1(N rows)')
    .replace(/\| \d+ kB \|/g, '| N kB |')
    .replace(/ (on host|via socket in) .* at port "\d+"\./, '')
}
