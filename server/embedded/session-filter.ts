import { status as GRPC } from '@grpc/grpc-js'
import { ProtoReader } from '../base/protobuf-reader.ts'
import { GrpcStatus } from './grpc-status.ts'
import type { Session } from './session.ts'

/** `labels.env:*`: it is there. `labels.env:dev`: it holds that. */
const TERM = /^labels\.([^:\s]+):(\S+)$/

/**
 * ListSessionsRequest.filter: terms of labels, in any case, all of which must hold. Throws INVALID_ARGUMENT for what is no such term.
 */
export function sessionFilter(filter: string): (session: Session) => boolean {
  const written = filter.trim() === '' ? [] : filter.trim().toLowerCase().split(/\s+/)
  const terms = written.map((text) => {
    const [, key, wanted] = TERM.exec(text) ?? []
    if (key === undefined || wanted === undefined)
      throw new GrpcStatus(GRPC.INVALID_ARGUMENT, `Invalid filter: ${filter}`)
    return { key, wanted }
  })
  if (terms.length === 0) return () => true
  return ({ labels }) => {
    const known = readLabels(labels)
    return terms.every(({ key, wanted }) => {
      const value = known.get(key)
      return value !== undefined && (wanted === '*' || value.includes(wanted))
    })
  }
}

/** The `labels` fields of a Session message: entries of a map. */
function readLabels(bytes: Buffer): ReadonlyMap<string, string> {
  const labels = new Map<string, string>()
  const reader = new ProtoReader(bytes)
  while (reader.hasMore) {
    reader.tag()
    const entry = reader.message()
    const texts = ['', '']
    while (entry.hasMore) texts[(entry.tag() >>> 3) - 1] = entry.string()
    labels.set(texts[0] ?? '', texts[1] ?? '')
  }
  return labels
}
