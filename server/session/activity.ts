import { nowMicros } from '../base/clock.ts'

/** track_activity_query_size, PostgreSQL's default: bytes of a query that pg_stat_activity keeps, the closing zero included. */
const QUERY_SIZE_BYTES = 1024

/** What one client is doing, for pg_stat_activity (src/backend/utils/activity/backend_status.c). Times are microseconds since the Unix epoch. */
export class Activity {
  readonly backendStartMicros = nowMicros()
  #queryStartMicros: bigint | undefined
  #stateChangeMicros = this.backendStartMicros
  #isActive = false
  #source = ''

  /** The query string that is being run, or was run last, whole. */
  get source(): string {
    return this.#source
  }

  /** The same as pg_stat_activity shows it: cut off. */
  get query(): string {
    const bytes = Buffer.from(this.#source)
    if (bytes.length < QUERY_SIZE_BYTES) return this.#source
    return bytes.subarray(0, startOfCharacter(bytes, QUERY_SIZE_BYTES - 1)).toString()
  }

  get isActive(): boolean {
    return this.#isActive
  }

  /** undefined: no query has been run. */
  get queryStartMicros(): bigint | undefined {
    return this.#queryStartMicros
  }

  get stateChangeMicros(): bigint {
    return this.#stateChangeMicros
  }

  /** A query begins to run. */
  run(source: string): void {
    this.#source = source
    this.#queryStartMicros = nowMicros()
    this.#change(true)
  }

  /** The client is told that the server is ready for the next one. */
  rest(): void {
    this.#change(false)
  }

  #change(isActive: boolean): void {
    if (this.#isActive !== isActive) this.#stateChangeMicros = nowMicros()
    this.#isActive = isActive
  }
}

/** The last beginning of a UTF-8 character at or before an offset. */
function startOfCharacter(bytes: Buffer, offset: number): number {
  let at = offset
  while (at > 0 && ((bytes[at] ?? 0) & 0xc0) === 0x80) at--
  return at
}
