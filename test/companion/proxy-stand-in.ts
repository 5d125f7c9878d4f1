/**
 * Stands for a proxy that can be killed: starts a cluster on the directory given, prints one JSON line with what a test wants to know, and waits.
 * Arguments: data directory, state directory, socket directory.
 */

import { readPostmasterFile } from '../../server/companion/data-directory.ts'
import { findPostgresBinaries } from '../../server/companion/postgres-binaries.ts'
import { PostgresCluster } from '../../server/companion/postgres-cluster.ts'

const [dataDir = '', stateDir = '', socketDir = ''] = process.argv.slice(2)
const signal = AbortSignal.timeout(60_000)
const binaries = await findPostgresBinaries({ stateDir, signal })
const cluster = await PostgresCluster.start({
  name: 'stand-in',
  binaries,
  dataDir,
  socketDir,
  settings: { fsync: 'off', shared_buffers: '16MB' },
  recipe: { superuser: 'spanwire', walSegmentMiB: 16 },
  signal,
})
const connection = await cluster.connect({ user: 'spanwire', database: 'postgres', signal })
const postmaster = await readPostmasterFile(dataDir)
process.stdout.write(
  `${JSON.stringify({ postmaster: postmaster?.pid, backend: connection.processId })}\n`,
)
process.stdin.resume()
process.stdin.once('end', () => {
  void cluster.stop()
})
