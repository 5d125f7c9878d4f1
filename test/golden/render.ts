import type { ServerMessage } from '../helpers/wire-client.ts'

/** Type names for the OIDs that scripts meet; others show as numbers. */
const TYPE_NAMES: Readonly<Record<number, string>> = {
  16: 'bool', 17: 'bytea', 18: 'char', 19: 'name', 20: 'int8', 21: 'int2', 23: 'int4', 25: 'text', 26: 'oid',
  114: 'json', 700: 'float4', 701: 'float8', 1000: 'bool[]', 1005: 'int2[]', 1007: 'int4[]', 1009: 'text[]',
  1015: 'varchar[]', 1016: 'int8[]', 1021: 'float4[]', 1022: 'float8[]', 1042: 'bpchar', 1043: 'varchar', 1082: 'date',
  1083: 'time', 1114: 'timestamp', 1115: 'timestamp[]', 1182: 'date[]', 1184: 'timestamptz', 1185: 'timestamptz[]',
  1186: 'interval', 1231: 'numeric[]', 1700: 'numeric', 2205: 'regclass', 2278: 'void', 2950: 'uuid', 2951: 'uuid[]',
  3802: 'jsonb', 3807: 'jsonb[]', 705: 'unknown', 1001: 'bytea[]', 194: 'pg_node_tree', 2211: 'regtype',
}

/** Types that clients made have other OIDs on every server (FirstNormalObjectId, access/transam.h). */
const FIRST_USER_OID = 16384

/** Fields of an error that a script shows, beyond code and message. */
const ERROR_FIELDS = ['detail', 'hint', 'where', 'position', 'schema', 'table', 'column', 'constraint', 'dataType'] as const

/** An answer as lines: columns, rows, tag, errors, notices, and the transaction status where it is not idle. */
export function renderAnswer(messages: readonly ServerMessage[]): readonly string[] {
  // Notifications may come early or late, between any two messages.
  const heard = messages.filter(({ name }) => name === 'notification')
  return [...messages.flatMap(renderMessage), ...heard.map(renderNotification)]
}

function renderNotification(message: ServerMessage): string {
  return `heard ${message['channel']}: ${message['payload']}`
}

function renderMessage(message: ServerMessage): readonly string[] {
  switch (message.name) {
    case 'rowDescription':
      return [(message['fields'] as readonly { name: string; dataTypeID: number }[]).map(column).join(' | ')]
    case 'dataRow':
      // An empty line would end the answer.
      return [(message['fields'] as readonly (string | null)[]).map(cell).join(' | ') || "''"]
    case 'copyInResponse':
    case 'copyOutResponse':
      return [`${message.name}: ${message['binary'] === true ? 'binary' : 'text'}, columns ${String(message['columnTypes'])}`]
    case 'copyData':
      return [copied(message['chunk'] as Buffer)]
    case 'commandComplete':
      return [String(message['text'])]
    case 'error':
      return report(String(message['severity']), message)
    case 'notice':
      return report(String(message['severity']), message)
    case 'readyForQuery':
      return message['status'] === 'I' ? [] : [`[${message['status']}]`]
    case 'parameterStatus':
      return [`${message['parameterName']} = ${message['parameterValue']}`]
    case 'emptyQuery':
      return ['(empty)']
    case 'portalSuspended':
      return ['(suspended)']
    default:
      return []
  }
}

/** Data of COPY TO: a line of text, or bytes. */
function copied(data: Buffer): string {
  const text = data.toString()
  const isText = text.endsWith('\n') && Buffer.from(text).equals(data) && !text.includes('\0')
  return isText ? `< ${text.slice(0, -1).replaceAll('\t', '\\t').replaceAll('\n', '\\n')}` : `<x${data.toString('hex')}`
}

function column({ name, dataTypeID }: { name: string; dataTypeID: number }): string {
  return `${name}:${TYPE_NAMES[dataTypeID] ?? (dataTypeID >= FIRST_USER_OID ? 'user type' : dataTypeID)}`
}

/** NULL is ∅; what would break the line is escaped. */
function cell(value: string | null): string {
  if (value === null) return '∅'
  return value.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')
}

/** Which of the schemas for temporary tables a session has is the server's affair. */
function shown(value: string): string {
  return value.replaceAll('\n', '\\n').replaceAll(/\bpg_temp_\d+/g, 'pg_temp_N')
}

function report(severity: string, message: ServerMessage): readonly string[] {
  const lines = [`${severity} ${message['code']}: ${message['message']}`]
  for (const field of ERROR_FIELDS) {
    const value = message[field]
    if (value === undefined || value === '') continue
    const text = shown(String(value))
    // Of a deadlock: processes, transactions and tuples, which are others each time.
    lines.push(`  ${field}: ${message['code'] === '40P01' ? text.replaceAll(/\d+/g, '#') : text}`)
  }
  return lines
}
