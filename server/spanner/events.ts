import { channel } from 'node:diagnostics_channel'

/** One attempt at a call has ended. */
export interface RpcFinished {
  /** `google.spanner.v1.Spanner/Commit` */
  readonly method: string
  /** gRPC status code, 0-16. */
  readonly code: number
  readonly durationMs: number
  /** The database or instance that it was about. */
  readonly resource: string
  /** x-goog-spanner-request-id. */
  readonly requestId: string
}

/** A pool was closed while sessions were out. */
export interface SessionsLeaked {
  readonly database: string
  readonly count: number
  readonly longestHeldMs: number
}

const rpcFinished = channel('spanwire:rpc')
const sessionsLeaked = channel('spanwire:sessions-leaked')

export function publishRpcFinished(event: RpcFinished): void {
  if (rpcFinished.hasSubscribers) rpcFinished.publish(event)
}

export function publishSessionsLeaked(event: SessionsLeaked): void {
  if (sessionsLeaked.hasSubscribers) sessionsLeaked.publish(event)
}
