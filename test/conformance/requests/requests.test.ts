import tap from 'tap'
import { makeInstance, startEmulatorProfile } from '../../embedded/embedded-client.ts'
import { startEmulator } from '../../helpers/emulator.ts'
import { skipWithoutEmulator } from '../../helpers/on-emulator.ts'
import { DDL_SCENARIOS } from './ddl-scenarios.ts'
import { DIFFERENCES } from './differences.ts'
import { MUTATION_SCENARIOS } from './mutation-scenarios.ts'
import { randomScenario } from './random-scenario.ts'
import { READ_SCENARIOS } from './read-scenarios.ts'
import { runScenarios } from './run-scripts.ts'
import { SESSION_SCENARIOS } from './session-scenarios.ts'
import { STATEMENT_SCENARIOS } from './statement-scenarios.ts'
import { TRANSACTION_SCENARIOS } from './transaction-scenarios.ts'

/*
 * Spanner's API: the same requests, right and wrong, are sent to the official emulator and to the embedded server in its profile. The answers
 * must be equal but for what `differences.ts` lists, and that must differ. `REQUESTS=partitions` runs the scenarios whose names match, and
 * REQUESTS_SEED and REQUESTS_STEPS make others by chance.
 */

const chosen = new RegExp(process.env['REQUESTS'] ?? '')
const seed = Number(process.env['REQUESTS_SEED'] ?? 1)
const steps = Number(process.env['REQUESTS_STEPS'] ?? 40)

const scenarios = [
  ...SESSION_SCENARIOS,
  ...TRANSACTION_SCENARIOS,
  ...STATEMENT_SCENARIOS,
  ...READ_SCENARIOS,
  ...MUTATION_SCENARIOS,
  ...DDL_SCENARIOS,
  ...Array.from({ length: 10 }, (_, index) => randomScenario(seed + index, steps)),
].filter(({ name }) => chosen.test(name))

const emulator = await startEmulator(['--abort_current_transaction_probability=0'])
if (emulator === undefined) skipWithoutEmulator(tap)
else {
  const server = await startEmulatorProfile()
  tap.teardown(async () => {
    await server.remove()
    await emulator.stop()
  })
  const instance = await makeInstance(emulator.address)
  const [wanted, got] = await Promise.all([
    runScenarios({ address: emulator.address, instance }, scenarios),
    runScenarios(server, scenarios),
  ])
  compare(wanted, got)
}

function compare(wanted: ReadonlyMap<string, string>, got: ReadonlyMap<string, string>): void {
  const names = [...wanted.keys()]
  const differing = names.filter((name) => got.get(name) !== wanted.get(name))
  tap.comment(`${names.length} requests, ${names.length - differing.length} answered equally`)
  for (const name of differing) {
    if (DIFFERENCES.some(({ steps }) => steps.test(name))) continue
    tap.equal(got.get(name), wanted.get(name), name)
  }
  for (const { steps, count, reason } of DIFFERENCES) {
    const found = differing.filter((name) => steps.test(name)).length
    if (chosen.source === '(?:)') tap.equal(found, count, `${steps.source}: ${reason}`)
  }
  tap.ok(names.length > 0, 'there are requests')
}
