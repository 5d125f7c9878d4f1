/** Against a wait that never ends: it is told then what was waited for. */
const PATIENCE_MS = 120_000

/** Waits until `condition` holds, and looks every ten milliseconds. */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  const deadlineMs = performance.now() + PATIENCE_MS
  while (!(await condition())) {
    if (performance.now() > deadlineMs) throw new Error(`waited in vain until ${condition}`)
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}
