import { MalformedMessage, ProtoReader } from '../base/protobuf-reader.ts'

/** google.rpc.Status with the details that anybody here reads. */
export interface RpcStatus {
  readonly code: number
  readonly message: string
  readonly retryDelayMs: number | undefined
  /** google.rpc.ResourceInfo: what was missing, `type.googleapis.com/google.spanner.v1.Session` for instance. */
  readonly resourceType: string | undefined
  /** google.rpc.ErrorInfo of the embedded backend. */
  readonly violation?: Violation | undefined
}

/** A violated constraint, as the embedded backend tells of it (violationInfo in embedded/grpc-status.ts). */
export interface Violation {
  readonly constraint: string | undefined
  /** The values of its key as PostgreSQL prints them, `1, x`. */
  readonly key: string | undefined
}

/** Decodes google.rpc.Status, as in the trailer grpc-status-details-bin; undefined where the bytes are no such message. */
export function decodeRpcStatus(bytes: Buffer): RpcStatus | undefined {
  return readOrUndefined(() => readRpcStatus(new ProtoReader(bytes)))
}

/** Decodes google.rpc.RetryInfo to milliseconds; undefined where the bytes are no such message or say nothing. */
export function decodeRetryInfo(bytes: Buffer): number | undefined {
  return readOrUndefined(() => readRetryInfo(new ProtoReader(bytes)))
}

/** Reads an embedded google.rpc.Status. Throws {@link MalformedMessage}. */
export function readRpcStatus(reader: ProtoReader): RpcStatus {
  let code = 0
  let message = ''
  const details: StatusDetails = {
    retryDelayMs: undefined,
    resourceType: undefined,
    violation: undefined,
  }
  while (reader.hasMore) {
    const tag = reader.tag()
    if (tag === 0x08) code = reader.uint()
    else if (tag === 0x12) message = reader.string()
    else if (tag === 0x1a) readDetail(reader.message(), details)
    else reader.skip(tag)
  }
  return { code, message, ...details }
}

type StatusDetails = {
  -readonly [Name in 'retryDelayMs' | 'resourceType' | 'violation']: RpcStatus[Name]
}

function readDetail(reader: ProtoReader, details: StatusDetails): void {
  const { typeUrl, value } = readAny(reader)
  if (typeUrl.endsWith('/google.rpc.RetryInfo')) {
    details.retryDelayMs = readRetryInfo(new ProtoReader(value))
  } else if (typeUrl.endsWith('/google.rpc.ResourceInfo')) {
    details.resourceType = readFirstText(new ProtoReader(value))
  } else if (typeUrl.endsWith('/google.rpc.ErrorInfo')) {
    details.violation = readViolation(new ProtoReader(value))
  }
}

/** google.protobuf.Any: type_url = 1, value = 2. */
function readAny(reader: ProtoReader): { readonly typeUrl: string; readonly value: Buffer } {
  let typeUrl = ''
  let value: Buffer = Buffer.alloc(0)
  while (reader.hasMore) {
    const tag = reader.tag()
    if (tag === 0x0a) typeUrl = reader.string()
    else if (tag === 0x12) value = reader.bytes()
    else reader.skip(tag)
  }
  return { typeUrl, value }
}

/** google.rpc.RetryInfo: retry_delay = 1, a google.protobuf.Duration of seconds = 1 and nanos = 2. */
function readRetryInfo(reader: ProtoReader): number | undefined {
  let delayMs: number | undefined
  while (reader.hasMore) {
    const tag = reader.tag()
    if (tag !== 0x0a) {
      reader.skip(tag)
      continue
    }
    const duration = reader.message()
    delayMs = 0
    while (duration.hasMore) {
      const field = duration.uint()
      if (field === 0x08) delayMs += Number(duration.int64()) * 1000
      else if (field === 0x10) delayMs += Number(duration.int64()) / 1_000_000
      else duration.skip(field)
    }
  }
  return delayMs
}

/** google.rpc.ErrorInfo: reason = 1, domain = 2, metadata = 3 (a map: key = 1, value = 2). */
function readViolation(reader: ProtoReader): Violation | undefined {
  let domain = ''
  const metadata = new Map<string, string>()
  while (reader.hasMore) {
    const tag = reader.tag()
    if (tag === 0x12) domain = reader.string()
    else if (tag === 0x1a) {
      const { name, text } = readMapEntry(reader.message())
      metadata.set(name, text)
    } else reader.skip(tag)
  }
  if (domain !== 'spanwire') return undefined
  return { constraint: metadata.get('constraint'), key: metadata.get('key') }
}

function readMapEntry(reader: ProtoReader): { readonly name: string; readonly text: string } {
  let name = ''
  let text = ''
  while (reader.hasMore) {
    const tag = reader.tag()
    if (tag === 0x0a) name = reader.string()
    else if (tag === 0x12) text = reader.string()
    else reader.skip(tag)
  }
  return { name, text }
}

function readFirstText(reader: ProtoReader): string | undefined {
  let text: string | undefined
  while (reader.hasMore) {
    const tag = reader.tag()
    if (tag === 0x0a) text = reader.string()
    else reader.skip(tag)
  }
  return text
}

function readOrUndefined<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch (error) {
    if (error instanceof MalformedMessage) return undefined
    throw error
  }
}
