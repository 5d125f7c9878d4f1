/** What was thrown, or given as the reason of an abort, as an Error: itself, but for the odd value that is none. */
export function asError(value: unknown): Error {
  return value instanceof Error ? value : new Error(String(value), { cause: value })
}
