import { definedMoments } from '../plan/moment-defaults.ts'
import { namesMoment, writeMoments } from '../plan/moment-literals.ts'
import type { StatementText } from './companion-text.ts'
import type { SessionState } from './session-state.ts'

/** The text of a statement that defines something, with 'now' and its like as what they mean in the client's transaction. */
export function definedText(state: SessionState, { text, node }: StatementText): string {
  const { startMicros } = state.block
  if (startMicros === undefined || !namesMoment(text)) return text
  const { timeZone } = state.formatSettings()
  return writeMoments(text, definedMoments(node), { startMicros, timeZone })
}
