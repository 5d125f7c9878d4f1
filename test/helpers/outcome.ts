import type { ServerMessage } from './wire-client.ts'

/** Of an answer's messages the first cell of each row, the tags, and of errors the field that is asked for. */
export function outcomesBy(
  errorField: 'code' | 'message',
): (message: ServerMessage) => readonly string[] {
  return (message) => {
    switch (message.name) {
      case 'dataRow':
        return [String((message['fields'] as readonly unknown[])[0])]
      case 'commandComplete':
        return [String(message['text'])]
      case 'error':
        return [String(message[errorField])]
      default:
        return []
    }
  }
}

/** What a client is told, one line a message: rows, tags, and of notices and errors the words. */
export function toldLines(messages: readonly ServerMessage[]): readonly string[] {
  return messages.map(toldLine).filter(Boolean)
}

function toldLine(message: ServerMessage): string {
  switch (message.name) {
    case 'dataRow':
      return (message['fields'] as readonly string[]).join('|')
    case 'commandComplete':
      return String(message['text'])
    case 'notice':
    case 'error':
      return `${message['severity']} ${message['code']}: ${message['message']}`
    default:
      return ''
  }
}
