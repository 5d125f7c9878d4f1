/** We cannot listen where we were told to: one line that says where and why. */
export class ListenError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'ListenError'
  }
}

const REASONS: ReadonlyMap<unknown, string> = new Map([
  ['EADDRINUSE', 'another program listens there'],
  ['EACCES', 'permission denied'],
  ['EADDRNOTAVAIL', 'this machine has no such address'],
  ['ENOTFOUND', 'no such host'],
])

/** What the platform's error means; `name` is the address or path that was meant. */
export function listenError(name: string, error: unknown): ListenError {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  const reason = REASONS.get(code) ?? (error instanceof Error ? error.message : String(error))
  return new ListenError(`cannot listen on ${name}: ${reason}`, { cause: error })
}
