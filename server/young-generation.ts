import { setFlagsFromString } from 'node:v8'

/*
 * V8 makes its young generation larger as long as much survives in it, which is so while modules are loaded: from twice 1 MiB to twice 16 at a start. It gives
 * that back only in collections, of which a process that waits for clients has none: 20 of 115 MB. What serves clients may grow as V8 sees fit.
 * (V8's flag-definitions.h; the factor is read each time.)
 */

/** V8's own. */
const GROWTH_FACTOR = 2

/** Until {@link letYoungGenerationGrow}. */
export function holdYoungGeneration(): void {
  setFlagsFromString('--semi-space-growth-factor=1')
}

export function letYoungGenerationGrow(): void {
  setFlagsFromString(`--semi-space-growth-factor=${GROWTH_FACTOR}`)
}
