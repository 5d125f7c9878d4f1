import { channel } from 'node:diagnostics_channel'

/** What happens to a cluster, for logs and metrics. */
export type ClusterEvent =
  | { readonly kind: 'started'; readonly cluster: string; readonly durationMs: number }
  /** The server ended without being asked to. */
  | { readonly kind: 'lost'; readonly cluster: string; readonly status: number | undefined }
  /** An attempt to start it again failed; the next one follows after `delayMs`. */
  | {
      readonly kind: 'restart-failed'
      readonly cluster: string
      readonly message: string
      readonly delayMs: number
    }
  | { readonly kind: 'back'; readonly cluster: string; readonly durationMs: number }
  | { readonly kind: 'stopped'; readonly cluster: string }
  /** A line of the server's own log. */
  | { readonly kind: 'log'; readonly cluster: string; readonly line: string }

/** diagnostics_channel of {@link ClusterEvent}s. */
export const CLUSTER_CHANNEL = 'spanwire:cluster'

const events = channel(CLUSTER_CHANNEL)

export function publishClusterEvent(event: ClusterEvent): void {
  if (events.hasSubscribers) events.publish(event)
}
