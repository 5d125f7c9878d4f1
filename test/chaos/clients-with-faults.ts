import type { Test } from 'tap'
import { checkClients } from '../clients/suites.ts'
import { EVERYTHING } from './fault-plan.ts'
import type { BackendName } from './faulty-spanwire.ts'
import { MORE_SEED, onBackend } from './on-backend.ts'

/** Holds real client libraries to what they are held to without faults. */
export async function checkClientsWithFaults(t: Test, backend: BackendName): Promise<void> {
  await onBackend(t, backend, async (faulty) => {
    faulty.injector.start({ ...EVERYTHING, seed: 4 + MORE_SEED })
    await checkClients(t, faulty.spanwire)
    const { counts } = faulty.injector
    for (const [kind, count] of Object.entries(counts)) t.ok(count > 0, `${count} times ${kind}`)
  })
}
