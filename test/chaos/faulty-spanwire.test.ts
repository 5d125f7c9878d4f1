import { chmod, mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { until } from '../helpers/until.ts'
import { startFaultySpanwire } from './faulty-spanwire.ts'

/** Processes, servers and connections that keep this process from ending. */
function held(): readonly string[] {
  return process.getActiveResourcesInfo().filter((name) => /^(Process|TCP)/.test(name))
}

const folder = await mkdtemp(join(tmpdir(), 'spanwire-start-'))
t.teardown(() => rm(folder, { recursive: true }))
// Where the tests run as root, PostgreSQL runs as somebody else and must get in.
await chmod(folder, 0o755)
process.env['TMPDIR'] = folder

for (const backend of ['embedded', 'emulator'] as const) {
  t.test(`where Spanwire does not start, nothing is left running (${backend})`, async (t) => {
    const before = held()
    const starting = startFaultySpanwire(backend, ['--no-such-option'])
    const started = await starting.catch((error: unknown) => String(error))
    // Undefined where there is no emulator: then nothing was started.
    if (started !== undefined) t.match(started, /exit code 1: .*--no-such-option/)
    // A process that has ended is let go a moment later.
    await until(() => held().length <= before.length)
    t.strictSame(await readdir(folder), [])
  })
}
