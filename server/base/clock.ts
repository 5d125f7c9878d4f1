/** The time of day in microseconds since the Unix epoch, as PostgreSQL's GetCurrentTimestamp. */
export function nowMicros(): bigint {
  return BigInt(Math.round((performance.timeOrigin + performance.now()) * 1000))
}
