import { status as GRPC, Metadata } from '@grpc/grpc-js'
import { ProtoWriter } from '../base/protobuf-writer.ts'

/** A detail message of a status: google.protobuf.Any. */
export interface StatusDetail {
  readonly typeUrl: string
  readonly value: Buffer
}

/** What a call fails with: a gRPC code (google.rpc.Code), a text and details. */
export class GrpcStatus extends Error {
  readonly code: number
  readonly details: readonly StatusDetail[]

  constructor(code: number, message: string, details: readonly StatusDetail[] = []) {
    super(message)
    this.name = 'GrpcStatus'
    this.code = code
    this.details = details
  }
}

const RETRY_INFO = 'type.googleapis.com/google.rpc.RetryInfo'
const RESOURCE_INFO = 'type.googleapis.com/google.rpc.ResourceInfo'
/** How long whoever was aborted should wait: a conflict is over when the other transaction is. */
const RETRY_DELAY_NANOS = 5_000_000

/** ABORTED with the delay that Spanner asks for (google.rpc.RetryInfo). */
export function aborted(message: string): GrpcStatus {
  const delay = new ProtoWriter().uint(2, RETRY_DELAY_NANOS).take()
  const value = new ProtoWriter().message(1, delay).take()
  return new GrpcStatus(GRPC.ABORTED, message, [{ typeUrl: RETRY_INFO, value }])
}

/** NOT_FOUND of a resource, with google.rpc.ResourceInfo, as Spanner says it. */
export function resourceNotFound(
  kind: 'Session' | 'Database' | 'Instance' | 'Operation',
  name: string,
): GrpcStatus {
  const value = new ProtoWriter()
    .string(1, `type.googleapis.com/google.spanner.${RESOURCE_PACKAGE[kind]}.${kind}`)
    .string(2, name)
    .string(4, `${kind} does not exist.`)
    .take()
  return new GrpcStatus(GRPC.NOT_FOUND, `${kind} not found: ${name}`, [
    { typeUrl: RESOURCE_INFO, value },
  ])
}

const RESOURCE_PACKAGE = {
  Session: 'v1',
  Database: 'admin.database.v1',
  Instance: 'admin.instance.v1',
  Operation: 'longrunning',
} as const

const ERROR_INFO = 'type.googleapis.com/google.rpc.ErrorInfo'
/** Trailers are headers of HTTP/2, which are bounded. */
const MAX_INFO_BYTES = 1024

/**
 * google.rpc.ErrorInfo of a violated constraint, beside the texts that are Spanner's: the constraint, and the key as PostgreSQL
 * prints it. Spanner itself says neither for foreign keys. None where it would be too large.
 */
export function violationInfo(constraint: string, key: string): readonly StatusDetail[] {
  const entry = (name: string, text: string) =>
    new ProtoWriter().string(1, name).string(2, text).take()
  const value = new ProtoWriter()
    .string(1, 'CONSTRAINT_VIOLATION')
    .string(2, 'spanwire')
    .message(3, entry('constraint', constraint))
    .message(3, entry('key', key))
    .take()
  return value.length > MAX_INFO_BYTES ? [] : [{ typeUrl: ERROR_INFO, value }]
}

/** INVALID_ARGUMENT of a request without a field that it must have. */
export function missingField(field: string): GrpcStatus {
  return new GrpcStatus(GRPC.INVALID_ARGUMENT, `No value provided for required field: ${field}`)
}

/** google.rpc.Status. */
export function encodeStatus(error: GrpcStatus): Buffer {
  const out = new ProtoWriter().uint(1, error.code).string(2, error.message)
  for (const detail of error.details) {
    out.message(3, new ProtoWriter().string(1, detail.typeUrl).bytes(2, detail.value).take())
  }
  return out.take()
}

/** The error object that grpc-js sends as trailers; details in `grpc-status-details-bin` and, each, in a trailer of its own name. */
export function toServiceError(error: GrpcStatus): {
  code: number
  details: string
  metadata: Metadata
} {
  const metadata = new Metadata()
  if (error.details.length > 0) {
    metadata.set('grpc-status-details-bin', encodeStatus(error))
    for (const detail of error.details) {
      const name = detail.typeUrl.slice(detail.typeUrl.lastIndexOf('/') + 1).toLowerCase()
      metadata.set(`${name}-bin`, detail.value)
    }
  }
  return { code: error.code, details: error.message, metadata }
}
