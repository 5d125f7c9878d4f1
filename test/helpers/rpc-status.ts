/** How a call ends, as gRPC puts it into trailers. */
export interface StatusTrailers {
  /** google.rpc.Code */
  readonly code: number
  readonly message: string
  /** An encoded google.rpc.Status, for `grpc-status-details-bin`. */
  readonly details?: Buffer | undefined
}

/** The fields of an answer that is nothing but a status. */
export function statusHeaders(status: StatusTrailers): Record<string, string | number> {
  return {
    ':status': 200,
    'content-type': 'application/grpc+proto',
    'grpc-status': String(status.code),
    // Printable ASCII but % stands for itself (gRPC over HTTP/2, Responses).
    'grpc-message': encodeURI(status.message),
    ...(status.details === undefined
      ? {}
      : { 'grpc-status-details-bin': status.details.toString('base64') }),
  }
}

/** ABORTED as Spanner says it, with google.rpc.RetryInfo where a delay is given. */
export function abortedStatus(message: string, retryDelayMs?: number): StatusTrailers {
  return withDetail({ code: 10, message }, retryDelayMs)
}

/** UNAVAILABLE, with google.rpc.RetryInfo where a delay is given. */
export function unavailableStatus(message: string, retryDelayMs?: number): StatusTrailers {
  return withDetail({ code: 14, message }, retryDelayMs)
}

/** NOT_FOUND of a session, with google.rpc.ResourceInfo. */
export function sessionNotFoundStatus(session: string): StatusTrailers {
  const message = `Session not found: ${session}`
  const info = Buffer.concat([
    field(1, 'type.googleapis.com/google.spanner.v1.Session'),
    field(2, session),
  ])
  return { code: 5, message, details: rpcStatus(5, message, any('ResourceInfo', info)) }
}

function withDetail(
  status: { readonly code: number; readonly message: string },
  retryDelayMs: number | undefined,
): StatusTrailers {
  if (retryDelayMs === undefined) return status
  // RetryInfo.retry_delay = 1, a Duration whose nanos = 2.
  const duration = Buffer.concat([Buffer.from([0x10]), varint(Math.round(retryDelayMs * 1e6))])
  const detail = any('RetryInfo', field(1, duration))
  return { ...status, details: rpcStatus(status.code, status.message, detail) }
}

/** google.rpc.Status: code = 1, message = 2, details = 3. */
function rpcStatus(code: number, message: string, detail: Buffer): Buffer {
  return Buffer.concat([Buffer.from([0x08, code]), field(2, message), field(3, detail)])
}

/** google.protobuf.Any: type_url = 1, value = 2. */
function any(name: string, value: Buffer): Buffer {
  return Buffer.concat([field(1, `type.googleapis.com/google.rpc.${name}`), field(2, value)])
}

/** A field of wire type 2. */
function field(number: number, value: string | Buffer): Buffer {
  const bytes = Buffer.from(value as string)
  return Buffer.concat([Buffer.from([(number << 3) | 2]), varint(bytes.length), bytes])
}

function varint(value: number): Buffer {
  const bytes: number[] = []
  let rest = value
  for (; rest > 127; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 128)
  return Buffer.from([...bytes, rest])
}
