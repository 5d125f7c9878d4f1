import t from 'tap'
import { WatchedServer } from '../../server/companion/watchdog.ts'

/** Node in the place of a server. */
function start(program: string): WatchedServer {
  return new WatchedServer({
    file: process.execPath,
    args: ['-e', program],
    environment: {},
    runAs: undefined,
    addressSpaceKiB: undefined,
  })
}

const LISTENS = 'process.stderr.write("listens\\n")'

t.test('a signal reaches the server', async (t) => {
  const server = start(
    `process.on('SIGINT', () => process.exit(7)); setInterval(() => {}, 1000); ${LISTENS}`,
  )
  await new Promise((resolve) => server.log.once('data', resolve))
  server.signal('INT')
  t.equal(await server.exited, 7)
})

t.test('a server that misses the end of the pipe is told again', async (t) => {
  // PostgreSQL ignores SIGQUIT until it has a handler. Nobody else would end this one for ten seconds.
  const server = start(`
    let signals = 0
    process.on('SIGQUIT', () => { if (++signals > 1) process.exit(7) })
    setTimeout(() => process.exit(0), 10_000)
    ${LISTENS}`)
  await new Promise((resolve) => server.log.once('data', resolve))
  server.release()
  t.equal(await server.exited, 7)
})
