import type { PgNotice } from '../base/pg-error.ts'
import type { Plan } from '../plan/plan.ts'

/** The notices of a run but those of its analysis, which the client has had with the plan. */
export function noticesBeside(plan: Plan, notices: readonly PgNotice[]): readonly PgNotice[] {
  const told = plan.notices.map(({ message }) => message)
  return notices.filter(({ message }) => {
    const at = told.indexOf(message)
    if (at >= 0) told.splice(at, 1)
    return at < 0
  })
}
