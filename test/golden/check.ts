import type { Test } from 'tap'
import type { ServerAddress } from '../helpers/wire-client.ts'
import { chosenScripts, runScript } from './run.ts'
import type { GoldenScript, GoldenStep } from './script.ts'

/**
 * Holds one server to all scripts. A step that is known to differ on this backend must differ: when it no longer does, its
 * line in the script has to go; so has the answer that a backend gives in PostgreSQL's place.
 */
export async function checkScripts(t: Test, backend: string, address: ServerAddress): Promise<void> {
  for (const [name, script] of await chosenScripts()) {
    const skip = script.skips.find((candidate) => candidate.backend === backend)
    await t.test(name, { skip: skip?.reason ?? false }, async (t) => {
      checkAnswers(t, backend, script, await runScript(address, name, script))
    })
  }
}

/** Holds the answers to the steps of a script to what it says of them for this backend. */
export function checkAnswers(
  t: Test,
  backend: string,
  script: GoldenScript,
  answers: readonly (readonly string[])[],
): void {
  for (const [index, step] of script.steps.entries()) checkStep(t, backend, step, answers[index])
}

function checkStep(
  t: Test,
  backend: string,
  step: GoldenStep,
  answer: readonly string[] | undefined,
): void {
  const known = step.knownDifferences.find((difference) => difference.backend === backend)
  const variant = step.variants.find(({ backends }) => backends.includes(backend))
  const [found, wanted] = [comparable(step, answer), comparable(step, step.expected)]
  if (variant !== undefined) {
    t.strictSame(found, comparable(step, variant.expected), `${step.text} (${variant.reason})`)
    t.notSame(variant.expected, step.expected, 'differs from PostgreSQL')
  } else if (known === undefined) t.strictSame(found, wanted, step.text)
  else t.notSame(found, wanted, `${step.text} (known to differ: ${known.reason})`)
}

/** An answer as it can be compared: sorted where the statement leaves the order of its rows open. */
export function comparable(
  step: GoldenStep,
  answer: readonly string[] | undefined,
): readonly string[] | undefined {
  return step.isInAnyOrder && answer !== undefined ? [...answer].sort() : answer
}
