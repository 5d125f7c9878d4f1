import type { ByteWriter } from '../base/byte-writer.ts'
import type { Format } from './field-description.ts'
import type { FrontendMessage } from './frontend-message.ts'
import { beginMessage, endMessage, writeEmpty } from './message-frame.ts'
import {
  CANCEL_REQUEST_CODE,
  NEGOTIATE_GSS_CODE,
  NEGOTIATE_SSL_CODE,
  PROTOCOL_VERSION_3_0,
} from './startup-packet.ts'

// What a client sends, one function a message, into a ByteWriter (manual, section 55.7): for our own connections to PostgreSQL.
// Strings hold no zero byte: a caller that has them from elsewhere checks first.

/** StartupMessage of protocol 3.0, or of `minorVersion`. */
export function writeStartup(
  out: ByteWriter,
  parameters: Iterable<readonly [string, string]>,
  minorVersion = 0,
): void {
  const start = beginPacket(out, PROTOCOL_VERSION_3_0 | minorVersion)
  for (const [name, value] of parameters) {
    out.cstring(name)
    out.cstring(value)
  }
  out.int8(0)
  endMessage(out, start)
}

/** CancelRequest: goes over a connection of its own, which the server closes without an answer. */
export function writeCancelRequest(out: ByteWriter, processId: number, secretKey: Buffer): void {
  const start = beginPacket(out, CANCEL_REQUEST_CODE)
  out.int32(processId)
  out.bytes(secretKey)
  endMessage(out, start)
}

/** SSLRequest: the answer is one byte, `S` or `N`. */
export function writeSslRequest(out: ByteWriter): void {
  endMessage(out, beginPacket(out, NEGOTIATE_SSL_CODE))
}

/** GSSENCRequest: the answer is one byte, `G` or `N`. */
export function writeGssEncRequest(out: ByteWriter): void {
  endMessage(out, beginPacket(out, NEGOTIATE_GSS_CODE))
}

/** Query: a simple query. */
export function writeQuery(out: ByteWriter, text: string): void {
  const start = beginMessage(out, 'Q')
  out.cstring(text)
  endMessage(out, start)
}

/** What Parse takes beside the statement's name. */
export interface ParseFields {
  readonly text: string
  /** 0 leaves a type to the server. */
  readonly paramTypes: readonly number[]
}

/** Parse. The unnamed statement is ''. */
export function writeParse(out: ByteWriter, statement: string, fields: ParseFields): void {
  const start = beginMessage(out, 'P')
  out.cstring(statement)
  out.cstring(fields.text)
  out.uint16(fields.paramTypes.length)
  for (const typeOid of fields.paramTypes) out.uint32(typeOid)
  endMessage(out, start)
}

/** The fields of Bind, under the same rules as when it is received. */
export type BindFields = Omit<Extract<FrontendMessage, { kind: 'Bind' }>, 'kind'>

/** Bind. */
export function writeBind(out: ByteWriter, bind: BindFields): void {
  const start = beginMessage(out, 'B')
  out.cstring(bind.portal)
  out.cstring(bind.statement)
  writeFormats(out, bind.paramFormats)
  out.uint16(bind.params.length)
  for (const param of bind.params) {
    out.int32(param === null ? -1 : param.length)
    if (param !== null) out.bytes(param)
  }
  writeFormats(out, bind.resultFormats)
  endMessage(out, start)
}

/** Describe. */
export function writeDescribe(out: ByteWriter, target: 'statement' | 'portal', name: string): void {
  writeTarget(out, 'D', target === 'statement' ? 'S' : 'P', name)
}

/** Close. */
export function writeClose(out: ByteWriter, target: 'statement' | 'portal', name: string): void {
  writeTarget(out, 'C', target === 'statement' ? 'S' : 'P', name)
}

/** Execute: `maxRows` 0 is no limit. */
export function writeExecute(out: ByteWriter, portal: string, maxRows: number): void {
  const start = beginMessage(out, 'E')
  out.cstring(portal)
  out.int32(maxRows)
  endMessage(out, start)
}

/** Sync. */
export function writeSync(out: ByteWriter): void {
  writeEmpty(out, 'S')
}

/** Flush. */
export function writeFlush(out: ByteWriter): void {
  writeEmpty(out, 'H')
}

/** Terminate. */
export function writeTerminate(out: ByteWriter): void {
  writeEmpty(out, 'X')
}

/** PasswordMessage, SASLInitialResponse, SASLResponse or GSSResponse: `body` as the exchange wants it. */
export function writePassword(out: ByteWriter, body: Uint8Array): void {
  const start = beginMessage(out, 'p')
  out.bytes(body)
  endMessage(out, start)
}

/** CopyFail: ends COPY FROM STDIN without success. CopyData and CopyDone are the same both ways. */
export function writeCopyFail(out: ByteWriter, reason: string): void {
  const start = beginMessage(out, 'f')
  out.cstring(reason)
  endMessage(out, start)
}

function writeTarget(out: ByteWriter, letter: string, subtype: string, name: string): void {
  const start = beginMessage(out, letter)
  out.int8(subtype.charCodeAt(0))
  out.cstring(name)
  endMessage(out, start)
}

function writeFormats(out: ByteWriter, formats: readonly Format[]): void {
  out.uint16(formats.length)
  for (const format of formats) out.int16(format)
}

/** A packet of the startup phase has no type byte. */
function beginPacket(out: ByteWriter, code: number): number {
  const start = out.length
  out.int32(0)
  out.int32(code)
  return start
}
