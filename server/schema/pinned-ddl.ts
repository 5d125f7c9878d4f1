import type { CallOptions } from '../backend/backend.ts'
import type { DdlPlan } from './ddl-plan.ts'
import type { DdlTransaction } from './schema-types.ts'

/** What a DDL transaction asks of the schema. */
export interface DdlHost {
  plan(options: CallOptions): Promise<DdlPlan>
  /** `checked` is the plan for all that was declared, where one was made. */
  commit(checked: DdlPlan | undefined, options: CallOptions): Promise<void>
}

/** A transaction that keeps the plan of its last check for its end. */
export class PinnedDdl implements DdlTransaction {
  readonly #host: DdlHost
  #checked: DdlPlan | undefined

  constructor(host: DdlHost) {
    this.#host = host
  }

  async check(options: CallOptions): Promise<void> {
    this.#checked = undefined
    this.#checked = await this.#host.plan(options)
  }

  changed(): void {
    this.#checked = undefined
  }

  commit(options: CallOptions): Promise<void> {
    return this.#host.commit(this.#checked, options)
  }
}
