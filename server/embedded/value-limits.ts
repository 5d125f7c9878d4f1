import { status as GRPC } from '@grpc/grpc-js'
import { ProtoReader } from '../base/protobuf-reader.ts'
import type { SpannerType } from '../types/spanner-type.ts'
import { GrpcStatus } from './grpc-status.ts'

/** What a column holds at most ("Quotas and limits"): a text in characters, bytes in bytes. */
const MAX_CHARACTERS = 2_621_440
const MAX_BYTES = 10 * 1024 * 1024

/** Throws FAILED_PRECONDITION for an encoded google.protobuf.Value that is too large for a column of its type. `column` is as messages name it. */
export function refuseLarge(column: string, { code }: SpannerType, value: Buffer): void {
  // In the form that they come in, both take a byte for each of what is counted, or more.
  if (value.length <= MAX_CHARACTERS) return
  if (code === 'STRING') refuse(column, charactersOf(textOf(value)), MAX_CHARACTERS)
  else if (code === 'BYTES') refuse(column, Buffer.byteLength(textOf(value), 'base64'), MAX_BYTES)
}

/** Characters are code points. */
function charactersOf(text: string): number {
  let count = 0
  for (const _ of text) count++
  return count
}

function textOf(value: Buffer): string {
  const reader = new ProtoReader(value)
  return reader.tag() >>> 3 === 3 ? reader.string() : ''
}

function refuse(column: string, size: number, limit: number): void {
  if (size <= limit) return
  throw new GrpcStatus(
    GRPC.FAILED_PRECONDITION,
    `New value exceeds the maximum size limit for this column: ${column}, size: ${size}, limit: ${limit}.`,
  )
}
