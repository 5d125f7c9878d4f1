import { MalformedMessage, ProtoReader } from './protobuf-wire.ts'

/** google.rpc.Status with the details that anybody here reads. */
export interface RpcStatus {
  readonly code: number
  readonly message: string
  readonly retryDelayMs: number | undefined
  /** google.rpc.ResourceInfo: what was missing, `type.googleapis.com/google.spanner.v1.Session` for instance. */
  readonly resourceType: string | undefined
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
  let retryDelayMs: number | undefined
  let resourceType: string | undefined
  while (reader.hasMore) {
    const tag = reader.uint()
    if (tag === 0x08) code = reader.uint()
    else if (tag === 0x12) message = reader.text()
    else if (tag === 0x1a) {
      const detail = readAny(reader.message())
      if (detail.typeUrl.endsWith('/google.rpc.RetryInfo')) {
        retryDelayMs = readRetryInfo(new ProtoReader(detail.value))
      } else if (detail.typeUrl.endsWith('/google.rpc.ResourceInfo')) {
        resourceType = readFirstText(new ProtoReader(detail.value))
      }
    } else reader.skip(tag)
  }
  return { code, message, retryDelayMs, resourceType }
}

/** google.protobuf.Any: type_url = 1, value = 2. */
function readAny(reader: ProtoReader): { readonly typeUrl: string; readonly value: Buffer } {
  let typeUrl = ''
  let value: Buffer = Buffer.alloc(0)
  while (reader.hasMore) {
    const tag = reader.uint()
    if (tag === 0x0a) typeUrl = reader.text()
    else if (tag === 0x12) value = reader.bytes()
    else reader.skip(tag)
  }
  return { typeUrl, value }
}

/** google.rpc.RetryInfo: retry_delay = 1, a google.protobuf.Duration of seconds = 1 and nanos = 2. */
function readRetryInfo(reader: ProtoReader): number | undefined {
  let delayMs: number | undefined
  while (reader.hasMore) {
    const tag = reader.uint()
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

function readFirstText(reader: ProtoReader): string | undefined {
  let text: string | undefined
  while (reader.hasMore) {
    const tag = reader.uint()
    if (tag === 0x0a) text = reader.text()
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
