import type { RecordingProxy } from './recording-proxy.ts'
import { isSchemaLook } from './schema-look.ts'

/** A call that came to the proxy in front of the backend and goes no further. */
export interface HeldCall {
  /** Resolves when the call has come. */
  readonly arrived: Promise<void>
  /** Lets it pass. */
  release(): void
}

/** Holds the next call of a method that a client asked for; calls after it pass. */
export function holdNext(proxy: RecordingProxy, method: string): HeldCall {
  const [arrived, arrive] = gate()
  const [until, release] = gate()
  let isTaken = false
  proxy.intercept((call) => {
    if (isTaken || call.method !== method || isSchemaLook(call)) return undefined
    isTaken = true
    arrive()
    return { kind: 'hold', until }
  })
  return { arrived, release }
}

function gate(): readonly [opened: Promise<void>, open: () => void] {
  let open = (): void => undefined
  const opened = new Promise<void>((resolve) => {
    open = resolve
  })
  return [opened, open]
}
