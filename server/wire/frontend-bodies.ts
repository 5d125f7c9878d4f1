import { ByteReader } from '../base/byte-reader.ts'
import { PgError } from '../base/pg-error.ts'
import { SQL_STATE } from '../base/sql-state.ts'
import { decodeUtf8 } from '../base/utf8.ts'
import type { Format } from './field-description.ts'
import type { FrontendMessage, FrontendMessageKind, UnreadableMessage } from './frontend-message.ts'

/** Type byte to message (manual, section 55.7). */
export const FRONTEND_MESSAGE_KIND: ReadonlyMap<number, FrontendMessageKind> = new Map(
  Object.entries({
    Q: 'Query',
    P: 'Parse',
    B: 'Bind',
    D: 'Describe',
    E: 'Execute',
    C: 'Close',
    H: 'Flush',
    S: 'Sync',
    X: 'Terminate',
    F: 'FunctionCall',
    d: 'CopyData',
    c: 'CopyDone',
    f: 'CopyFail',
    p: 'PasswordMessage',
  } as const).map(([letter, kind]) => [letter.charCodeAt(0), kind]),
)

const TYPE_BYTE = new Map([...FRONTEND_MESSAGE_KIND].map(([type, kind]) => [kind, type]))

/** What a message of that kind begins with. */
export function typeByte(kind: FrontendMessageKind): number {
  return TYPE_BYTE.get(kind) ?? 0
}

/**
 * Reads the body (without type and length) of one message. What is malformed is 08P01 FATAL; what PostgreSQL reads and then
 * answers with an ERROR comes back as unreadable.
 */
export function decodeFrontendMessage(
  type: number,
  body: Buffer,
): FrontendMessage | UnreadableMessage {
  const kind = FRONTEND_MESSAGE_KIND.get(type)
  if (kind === undefined) {
    throw new PgError(SQL_STATE.protocolViolation, `invalid frontend message type ${type}`, {
      severity: 'FATAL',
    })
  }
  try {
    return decodeBody(kind, new ByteReader(body), body)
  } catch (error) {
    if (error instanceof PgError && error.severity === 'ERROR') {
      return { kind: 'Unreadable', of: kind, error }
    }
    throw error
  }
}

function decodeBody(kind: FrontendMessageKind, reader: ByteReader, body: Buffer): FrontendMessage {
  switch (kind) {
    case 'Query':
      return whole(reader, { kind, text: text(reader) })
    case 'Parse':
      return whole(reader, {
        kind,
        statement: text(reader),
        text: text(reader),
        paramTypes: paramTypes(reader),
      })
    case 'Bind':
      return whole(reader, bind(reader))
    case 'Describe':
    case 'Close':
      return whole(reader, { kind, target: target(kind, reader), name: text(reader) })
    case 'Execute':
      return whole(reader, { kind, portal: text(reader), maxRows: Math.max(0, reader.int32()) })
    case 'Flush':
    case 'Sync':
      return whole(reader, { kind })
    case 'CopyFail':
      return whole(reader, { kind, reason: text(reader) })
    case 'CopyData':
      return { kind, data: body }
    case 'PasswordMessage':
      return { kind, body }
    case 'CopyDone':
    case 'Terminate':
    case 'FunctionCall':
      return { kind }
  }
}

function whole<M extends FrontendMessage>(reader: ByteReader, message: M): M {
  reader.end()
  return message
}

function text(reader: ByteReader): string {
  const bytes = reader.cstringBytes()
  return bytes.length === 0 ? '' : decodeUtf8(bytes)
}

function paramTypes(reader: ByteReader): readonly number[] {
  const count = reader.uint16()
  reader.ensureCount(count, 4)
  const typeOids: number[] = []
  for (let index = 0; index < count; index++) typeOids.push(reader.uint32())
  return typeOids
}

function bind(reader: ByteReader): FrontendMessage {
  const portal = text(reader)
  const statement = text(reader)
  const paramFormats = formats(reader)
  const count = reader.uint16()
  if (paramFormats.length > 1 && paramFormats.length !== count) {
    throw new PgError(
      SQL_STATE.protocolViolation,
      `bind message has ${paramFormats.length} parameter formats but ${count} parameters`,
    )
  }
  reader.ensureCount(count, 4)
  const params: (Buffer | null)[] = []
  for (let index = 0; index < count; index++) params.push(parameter(reader))
  const resultFormats = formats(reader)
  return { kind: 'Bind', portal, statement, paramFormats, params, resultFormats }
}

function parameter(reader: ByteReader): Buffer | null {
  const sizeBytes = reader.int32()
  return sizeBytes === -1 ? null : reader.bytes(sizeBytes)
}

function formats(reader: ByteReader): readonly Format[] {
  const count = reader.uint16()
  reader.ensureCount(count, 2)
  const codes: Format[] = []
  for (let index = 0; index < count; index++) codes.push(format(reader))
  return codes
}

function format(reader: ByteReader): Format {
  const code = reader.int16()
  if (code === 0 || code === 1) return code
  throw new PgError(SQL_STATE.invalidParameterValue, `unsupported format code: ${code}`)
}

function target(kind: 'Describe' | 'Close', reader: ByteReader): 'statement' | 'portal' {
  const subtype = reader.uint8()
  if (subtype === 0x53) return 'statement'
  if (subtype === 0x50) return 'portal'
  throw new PgError(
    SQL_STATE.protocolViolation,
    `invalid ${kind.toUpperCase()} message subtype ${subtype}`,
  )
}
