import type { Test } from 'tap'
import type { ServerAddress } from '../helpers/wire-client.ts'
import { loadScripts, runScript } from './run.ts'

/**
 * Holds one server to all scripts. A step that is known to differ on this backend must differ: when it no longer does, its
 * line in the script has to go.
 */
export async function checkScripts(t: Test, backend: string, address: ServerAddress): Promise<void> {
  const only = process.env['GOLDEN']
  for (const [name, script] of await loadScripts()) {
    if (only !== undefined && !name.includes(only)) continue
    await t.test(name, async (t) => {
      const answers = await runScript(address, name, script)
      for (const [index, step] of script.steps.entries()) {
        const answer = answers[index]
        const known = step.knownDifferences.find((difference) => difference.backend === backend)
        const [found, wanted] = step.isInAnyOrder
          ? [sorted(answer), sorted(step.expected)]
          : [answer, step.expected]
        if (known === undefined) t.strictSame(found, wanted, step.text)
        else t.notSame(found, wanted, `${step.text} (known to differ: ${known.reason})`)
      }
    })
  }
}

function sorted(lines: readonly string[] | undefined): readonly string[] | undefined {
  return lines === undefined ? undefined : [...lines].sort()
}
