import { writeParameterStatus } from '../wire/backend-messages.ts'
import type { ClientIo } from '../wire/client-io.ts'
import type { Settings } from './settings.ts'

/** Settings that the client is told of at start and after every change (GUC_REPORT, manual section 55.2.7). */
const REPORTED = [
  'application_name',
  'client_encoding',
  'DateStyle',
  'default_transaction_read_only',
  'in_hot_standby',
  'integer_datetimes',
  'IntervalStyle',
  'is_superuser',
  'server_encoding',
  'server_version',
  'session_authorization',
  'standard_conforming_strings',
  'TimeZone',
] as const

/** Sends ParameterStatus for what changed since it was last told. */
export class ParameterStatusReporter {
  readonly #io: ClientIo
  readonly #told = new Map<string, string>()
  /** What the companion says where the session has set nothing. */
  #server: ReadonlyMap<string, string> = new Map()
  /** What `report` saw last. */
  #reported: ReadonlyMap<string, string> | undefined

  constructor(io: ClientIo) {
    this.#io = io
  }

  /** The names that `start` wants values for. */
  static get names(): readonly string[] {
    return REPORTED
  }

  start(server: ReadonlyMap<string, string>): void {
    this.#server = server
    this.#reported = undefined
  }

  report(settings: Settings): void {
    const effective = settings.effective()
    if (effective === this.#reported) return
    this.#reported = effective
    for (const name of REPORTED) {
      const value = settings.get(name) ?? this.#server.get(name)
      if (value === undefined || this.#told.get(name) === value) continue
      this.#told.set(name, value)
      writeParameterStatus(this.#io.output, name, value)
    }
  }
}
