import { listenCommand } from '../sql/session-commands.ts'
import type { ParsedStatement } from '../sql/statement.ts'
import { type Answer, tagOnly } from './answer.ts'
import { mustBe } from './client-error.ts'
import type { SessionState } from './session-state.ts'

/** LISTEN, NOTIFY, UNLISTEN. */
export function runListen({ notifications }: SessionState, statement: ParsedStatement): Answer {
  const { kind, channel, payload } = mustBe(listenCommand(statement.node))
  switch (kind) {
    case 'listen':
      notifications.listen(channel ?? '')
      break
    case 'unlisten':
      notifications.unlisten(channel)
      break
    case 'notify':
      notifications.notify(channel ?? '', payload)
      break
  }
  return tagOnly(statement.tag)
}
