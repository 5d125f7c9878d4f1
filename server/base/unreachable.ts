import { Bug } from './pg-error.ts'

/** Ends a switch over a literal `kind`: a case that was forgotten does not compile, and one that slips through is a {@link Bug}. */
export function unreachable(value: never): never {
  throw new Bug(`unexpected case: ${JSON.stringify(value)}`)
}
