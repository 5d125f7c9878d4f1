import type { Test } from 'tap'
import { ALLOWED_READ_COMMITTED } from '../checker/anomaly.ts'
import { checkHistory } from '../checker/check-history.ts'
import type { BackendName } from '../faulty-spanwire.ts'
import { CHAOS_SECONDS, CHAOS_TIMEOUT_MS, MORE_SEED, onBackend } from '../on-backend.ts'
import { runBank } from './bank.ts'
import { runCounter } from './counter.ts'
import { runListAppend } from './list-append.ts'
import { MIXED_FAULTS, type RunOptions, type RunReport } from './run-clients.ts'

const CLIENTS = 16
const INCREMENTS = 25
const SERIALIZATION_FAILURE = '40001'

const OPTIONS: RunOptions = {
  clients: CLIENTS,
  seconds: CHAOS_SECONDS,
  faults: { seed: 20 + MORE_SEED, ...MIXED_FAULTS },
  killEverySeconds: CHAOS_SECONDS * 0.6,
}

/** Concurrent increments of one row: all of them arrive, and no client ever sees 40001. */
export function checkCounter(t: Test, backend: BackendName): Promise<void> {
  return onBackend(t, backend, async (faulty) => {
    const { total, tally } = await runCounter(faulty, CLIENTS, INCREMENTS)
    t.equal(total, CLIENTS * INCREMENTS)
    t.same(tally.toJSON(), { committed: CLIENTS * INCREMENTS })
  })
}

/** Transfers under faults and a kill -9: the books agree. */
export function checkBank(t: Test, backend: BackendName): Promise<void> {
  return onBackend(t, backend, async (faulty) => {
    const { faultsFound, tallies, ...report } = await runBank(faulty, OPTIONS)
    t.comment(JSON.stringify({ tallies, faults: report.faults }))
    t.same(faultsFound, [])
    checkReport(t, report)
    t.same(tallies.blind.unexpected(), [], 'no client is told of an abort')
    t.same(tallies.locked.unexpected([SERIALIZATION_FAILURE]), [])
    t.same(tallies.serializable.unexpected([SERIALIZATION_FAILURE]), [])
    t.ok(tallies.blind.count('committed') > 0, 'transfers are made')
  })
}

/** Appends under faults and a kill -9: SERIALIZABLE is that, and READ COMMITTED shows neither aborts nor what it must not show. */
export function checkListAppend(t: Test, backend: BackendName): Promise<void> {
  return onBackend(t, backend, async (faulty) => {
    for (const isolation of ['serializable', 'read committed'] as const) {
      await t.test(isolation, async (t) => {
        t.setTimeout(CHAOS_TIMEOUT_MS)
        const isSerializable = isolation === 'serializable'
        const { history, tally, ...report } = await runListAppend(faulty, {
          ...OPTIONS,
          isolation,
          // Where its read-only transactions take no part in it, see docs/limitations.md.
          withReadOnly: backend === 'emulator',
        })
        t.comment(JSON.stringify({ tally, faults: report.faults }))
        const anomalies = checkHistory(history).filter(
          ({ kind }) => isSerializable || !ALLOWED_READ_COMMITTED.has(kind),
        )
        t.same(
          anomalies.map(({ kind, explanation }) => `${kind}: ${explanation}`),
          [],
        )
        checkReport(t, report)
        t.same(tally.unexpected(isSerializable ? [SERIALIZATION_FAILURE] : []), [])
        t.ok(tally.count('committed') > 1, 'lists grow')
      })
    }
  })
}

/** A run without faults proves nothing. */
function checkReport(t: Test, report: RunReport): void {
  t.ok(report.faults.aborted > 0, `${report.faults.aborted} aborts`)
  t.ok(report.kills > 0, `${report.kills} kills`)
}
