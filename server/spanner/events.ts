import { channel } from 'node:diagnostics_channel'
import { status } from '@grpc/grpc-js'
import { rpcEvents } from '../base/channels.ts'

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

const sessionsLeaked = channel('spanwire:sessions-leaked')

export function publishRpcFinished(event: RpcFinished): void {
  if (!rpcEvents.hasSubscribers) return
  rpcEvents.publish({
    method: event.method.slice(event.method.lastIndexOf('/') + 1),
    status: status[event.code] ?? String(event.code),
    durationMs: event.durationMs,
  })
}

export function publishSessionsLeaked(event: SessionsLeaked): void {
  if (sessionsLeaked.hasSubscribers) sessionsLeaked.publish(event)
}
