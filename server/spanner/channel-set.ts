import { type Channel, connectivityState } from '@grpc/grpc-js'

/** A connection carries so many calls at once (HTTP/2 streams; Spanner's page on sessions): the next one waits in a queue. */
const CALLS_OF_A_CHANNEL = 100

/** One channel, which is one TCP connection, and how many calls it carries now. */
export interface Lane {
  readonly channel: Channel
  calls: number
}

/**
 * The channels of a transport. All connect at once, so that no client waits for a handshake; one that has lost its connection
 * (the server sends GOAWAY every hour or so) connects again in the background, and calls go to the others meanwhile.
 */
export class ChannelSet {
  readonly #lanes: readonly Lane[]
  #turn = 0

  constructor(count: number, open: () => Channel) {
    this.#lanes = Array.from({ length: count }, () => ({ channel: open(), calls: 0 }))
    for (const lane of this.#lanes) lane.channel.getConnectivityState(true)
  }

  get size(): number {
    return this.#lanes.length
  }

  /** The number of the channel that has the least to do; those without a connection come last, equals take turns. */
  pick(): number {
    const { length } = this.#lanes
    const first = this.#turn++ % length
    let best = first
    let bestLoad = Number.POSITIVE_INFINITY
    for (let offset = 0; offset < length; offset++) {
      const at = (first + offset) % length
      const lane = this.#lanes[at]
      if (lane === undefined) continue
      const load = connect(lane) ? lane.calls : lane.calls + CALLS_OF_A_CHANNEL
      if (load >= bestLoad) continue
      best = at
      bestLoad = load
    }
    return best
  }

  /** Where a call of channel `number` goes now: elsewhere, while that one has no connection and another has. */
  laneOf(number: number): Lane | undefined {
    const own = this.#lanes[number % this.#lanes.length]
    if (own === undefined || connect(own)) return own
    return this.#lanes[this.pick()]
  }

  get connectedCount(): number {
    return this.#lanes.filter(
      ({ channel }) => channel.getConnectivityState(false) === connectivityState.READY,
    ).length
  }

  close(): void {
    for (const { channel } of this.#lanes) channel.close()
  }
}

/** Whether the lane has a connection; one that neither has one nor is about to begins to make one. */
function connect({ channel }: Lane): boolean {
  const state = channel.getConnectivityState(false)
  if (state === connectivityState.READY) return true
  if (state !== connectivityState.CONNECTING) channel.getConnectivityState(true)
  return false
}
