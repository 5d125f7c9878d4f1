import type { ServerMessage } from './wire-client.ts'

/** The answer, unless it holds an error: that is thrown. */
export function mustSucceed(messages: readonly ServerMessage[]): readonly ServerMessage[] {
  const error = findError(messages)
  if (error !== undefined) throw new Error(`${String(error['code'])}: ${String(error['message'])}`)
  return messages
}

/** The first error of an answer. */
export function findError(messages: readonly ServerMessage[]): ServerMessage | undefined {
  return messages.find(({ name }) => name === 'error')
}

/** The rows of an answer as texts. */
export function rowsOf(messages: readonly ServerMessage[]): readonly (readonly unknown[])[] {
  return messages
    .filter(({ name }) => name === 'dataRow')
    .map((message) => message['fields'] as readonly unknown[])
}
