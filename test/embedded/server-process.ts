import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { findPostgresBinaries } from '../../server/companion/postgres-binaries.ts'
import { startEmbedded } from '../../server/embedded/embedded-server.ts'

/* An embedded server as a process of its own, for tests that kill it. Its workspace is the argument; it says where it is on stdout. */

const root = process.argv[2] ?? ''
const signal = AbortSignal.timeout(60_000)
const server = await startEmbedded({
  binaries: await findPostgresBinaries({ stateDir: join(root, 'state'), signal }),
  dataDir: join(root, 'data'),
  socketDir: join(root, 'grpc'),
  settings: { shared_buffers: '16MB', autovacuum: 'off' },
  signal,
})
const postmaster = Number(
  (await readFile(join(root, 'data', 'postmaster.pid'), 'utf8')).split('\n')[0],
)
process.stdout.write(
  `${JSON.stringify({ address: server.address, instance: server.instance, postmaster })}\n`,
)
