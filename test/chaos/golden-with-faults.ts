import type { Test } from 'tap'
import { checkAnswers, comparable } from '../golden/check.ts'
import { chosenScripts, runScript } from '../golden/run.ts'
import type { GoldenScript, GoldenStep } from '../golden/script.ts'
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

/** Some of the scripts alone do not see every kind of fault. */
const RUNS_ALL = process.env['GOLDEN'] === undefined

interface NamedPlan {
  readonly name: string
  readonly faults: FaultPlan
  /** Runs only scripts that do not say what comes somewhere. */
  readonly isForComparison?: boolean
}

const ABORTS: NamedPlan = {
  name: 'every second call is aborted',
  faults: { seed: 1, aborted: 0.5 },
}

/**
 * What the scripts must not show. On the emulator, where they wait for each other, every second call is aborted while everything else happens, and
 * the plan of aborts alone is for comparison.
 */
const PLANS: Readonly<Record<BackendName, readonly NamedPlan[]>> = {
  embedded: [
    ABORTS,
    {
      name: 'every fifth call is aborted, and everything else happens',
      faults: { ...EVERYTHING, seed: 2 },
    },
  ],
  emulator: [
    {
      name: 'every second call is aborted, and everything else happens',
      faults: { ...EVERYTHING, aborted: 0.5, seed: 2 },
    },
    { ...ABORTS, isForComparison: true },
  ],
}

/**
 * Runs the golden scripts by the plans: every answer must be the one that the script has for this backend without faults, and every kind of fault that
 * a plan names must have happened. A script does not say what comes where a backend is known to differ: that must be the same by all plans.
 */
export async function checkScriptsWithFaults(t: Test, backend: BackendName): Promise<void> {
  await onBackend(t, backend, async (faulty) => {
    const all = await scriptsFor(backend)
    const open = new Map([...all].filter(([, script]) => hasKnownDifference(script, backend)))
    const runs: ReadonlyMap<string, Answers>[] = []
    for (const plan of PLANS[backend]) {
      await t.test(plan.name, async (t) => {
        t.setTimeout(CHAOS_TIMEOUT_MS)
        runs.push(await checkByPlan(t, faulty, plan, plan.isForComparison === true ? open : all))
      })
    }
    await t.test('known differences are the same by all plans', async (t) => {
      for (const [name, script] of open) compareKnownDifferences(t, { name, script, runs }, backend)
    })
  })
}

async function checkByPlan(
  t: Test,
  faulty: FaultySpanwire,
  { faults }: NamedPlan,
  scripts: ReadonlyMap<string, GoldenScript>,
): Promise<ReadonlyMap<string, Answers>> {
  const { injector, backend } = faulty
  injector.start({ ...faults, seed: faults.seed + MORE_SEED })
  const answers = await runAll(faulty, scripts)
  const { counts } = injector
  injector.stop()
  for (const [name, script] of scripts) {
    await t.test(name, async (t) => checkAnswers(t, backend, script, answers.get(name) ?? []))
  }
  for (const [kind, count] of Object.entries(counts)) {
    if (kind in faults && RUNS_ALL) t.ok(count > 0, `${count} times ${kind}`)
  }
  return answers
}

function hasKnownDifference({ steps }: GoldenScript, backend: BackendName): boolean {
  return steps.some((step) => isKnownToDiffer(step, backend))
}

function isKnownToDiffer({ knownDifferences }: GoldenStep, backend: BackendName): boolean {
  return knownDifferences.some((difference) => difference.backend === backend)
}

async function scriptsFor(backend: BackendName): Promise<ReadonlyMap<string, GoldenScript>> {
  const places = [backend, 'faults']
  const scripts = [...(await chosenScripts())]
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

function compareKnownDifferences(
  t: Test,
  of: {
    readonly name: string
    readonly script: GoldenScript
    readonly runs: readonly ReadonlyMap<string, Answers>[]
  },
  backend: BackendName,
): void {
  for (const [index, step] of of.script.steps.entries()) {
    if (!isKnownToDiffer(step, backend)) continue
    const [first, ...others] = of.runs.map((run) => comparable(step, run.get(of.name)?.[index]))
    for (const other of others) t.strictSame(other, first, `${of.name}: ${step.text}`)
  }
}
