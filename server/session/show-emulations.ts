import { type Answer, readyRows } from './answer.ts'
import type { SessionState } from './session-state.ts'
import { textField, textRow } from './text-answer.ts'

/** Whether SHOW of this name is a table of Spanwire's own, not a setting. */
export function isShownAsTable(name: string): boolean {
  return name.toLowerCase() === 'emulations'
}

/** Columns of SHOW EMULATIONS; numbers are text, as everything that SHOW gives. */
export const EMULATION_FIELDS = ['name', 'count', 'rows', 'statements'].map(textField)

/** SHOW EMULATIONS: what was emulated in this database since the start of the process. */
export function showEmulations(state: SessionState): Answer {
  const rows = state.database.emulations
    .list()
    .map((emulation) =>
      textRow([
        emulation.name,
        ...[emulation.count, emulation.rows, emulation.statements].map(String),
      ]),
    )
  return { fields: EMULATION_FIELDS, rows: readyRows(rows), tag: () => 'SHOW' }
}
