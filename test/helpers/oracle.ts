import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { findPostgresBinaries } from '../../server/companion/postgres-binaries.ts'
import { PostgresCluster } from '../../server/companion/postgres-cluster.ts'
import { type ServerAddress, WireClient } from './wire-client.ts'

export interface RunningOracle extends ServerAddress {
  stop(): Promise<void>
}

/** The superuser of the oracle: the scripts' user. */
export const ORACLE_USER = 'tester'

const QUICK = { fsync: 'off', autovacuum: 'off' }

/** A plain PostgreSQL 15 of the companion's own binaries, UTF8 and collation C: the answers that all others are held to. */
export async function startOracle(
  superuser = ORACLE_USER,
  settings: Readonly<Record<string, string>> = QUICK,
): Promise<RunningOracle> {
  const dir = await mkdtemp(join(tmpdir(), 'spanwire-oracle-'))
  // Where the tests run as root, the server runs as somebody else and must get in.
  await chmod(dir, 0o755)
  const signal = AbortSignal.timeout(60_000)
  const cluster = await PostgresCluster.start({
    name: 'oracle',
    binaries: await findPostgresBinaries({ stateDir: dir, signal }),
    dataDir: join(dir, 'data'),
    settings: { timezone: 'UTC', ...settings },
    recipe: { superuser, walSegmentMiB: 16 },
    signal,
  })
  return {
    host: cluster.socketDir,
    port: 5432,
    async stop() {
      await cluster.stop()
      await rm(dir, { recursive: true, force: true })
    },
  }
}

/**
 * The same, with `tester` as an ordinary user who may create databases and roles. What initdb made belongs to `superuser`: where owners are compared, let
 * it be the companion's.
 */
export async function startOracleWithUser(
  superuser: string,
  settings?: Readonly<Record<string, string>>,
): Promise<RunningOracle> {
  const oracle = await startOracle(superuser, settings)
  const { client } = await WireClient.connect(oracle, { user: superuser, database: 'postgres' })
  const answer = await client.query(`create role ${ORACLE_USER} login createdb createrole`)
  await client.end()
  if (answer.some((message) => message.name === 'error')) {
    await oracle.stop()
    throw new Error(`the oracle said: ${JSON.stringify(answer)}`)
  }
  return oracle
}
