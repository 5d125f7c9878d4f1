import type { Test } from 'tap'
import { comparable } from '../golden/check.ts'
import { loadScripts, runScript } from '../golden/run.ts'
import type { GoldenScript } from '../golden/script.ts'
import { EVERYTHING, type FaultPlan } from './fault-plan.ts'
import type { BackendName, FaultySpanwire } from './faulty-spanwire.ts'
import { CHAOS_TIMEOUT_MS, MORE_SEED, onBackend } from './on-backend.ts'

/**
 * Each script has a database of its own, so that several can run at a time. The emulator mixes up the sequences of databases that are used at
 * once, and has died of it.
 */
const SCRIPTS_AT_A_TIME: Readonly<Record<BackendName, number>> = { embedded: 4, emulator: 1 }

/** The answers to the steps of a script, each as lines. */
type Answers = readonly (readonly string[])[]

/** What the scripts must not show. */
const PLANS: Readonly<Record<string, FaultPlan>> = {
  'every second call is aborted': { seed: 1, aborted: 0.5 },
  'every fifth call is aborted, and everything else happens': { ...EVERYTHING, seed: 2 },
}

/**
 * Runs all golden scripts without faults, then again by each plan: every answer must stay what it was, and every kind of fault that a plan
 * names must have happened.
 */
export async function checkScriptsWithFaults(t: Test, backend: BackendName): Promise<void> {
  await onBackend(t, backend, async (faulty) => {
    const scripts = await scriptsFor(backend)
    const undisturbed = await runAll(faulty, scripts)
    for (const [name, plan] of Object.entries(PLANS)) {
      await t.test(name, async (t) => {
        t.setTimeout(CHAOS_TIMEOUT_MS)
        faulty.injector.start({ ...plan, seed: plan.seed + MORE_SEED })
        const answers = await runAll(faulty, scripts)
        const { counts } = faulty.injector
        faulty.injector.stop()
        for (const [name, script] of scripts) {
          compare(t, { name, script, expected: undisturbed.get(name), found: answers.get(name) })
        }
        for (const [kind, count] of Object.entries(counts)) {
          if (kind in plan) t.ok(count > 0, `${count} times ${kind}`)
        }
      })
    }
  })
}

async function scriptsFor(backend: BackendName): Promise<ReadonlyMap<string, GoldenScript>> {
  const places = [backend, 'faults']
  const scripts = [...(await loadScripts())]
  return new Map(
    scripts.filter(([, { skips }]) => !skips.some((skip) => places.includes(skip.backend))),
  )
}

async function runAll(
  { spanwire, backend }: FaultySpanwire,
  scripts: ReadonlyMap<string, GoldenScript>,
): Promise<ReadonlyMap<string, Answers>> {
  const answers = new Map<string, Answers>()
  const waiting = scripts.entries()
  const worker = async (): Promise<void> => {
    for (const [name, script] of waiting) {
      answers.set(name, await runScript(spanwire, name, script))
    }
  }
  await Promise.all(Array.from({ length: SCRIPTS_AT_A_TIME[backend] }, worker))
  return answers
}

function compare(
  t: Test,
  of: {
    readonly name: string
    readonly script: GoldenScript
    readonly expected: Answers | undefined
    readonly found: Answers | undefined
  },
): void {
  for (const [index, step] of of.script.steps.entries()) {
    const [found, wanted] = [of.found?.[index], of.expected?.[index]]
    t.strictSame(comparable(step, found), comparable(step, wanted), `${of.name}: ${step.text}`)
  }
}
