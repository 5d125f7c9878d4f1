import { status as GRPC } from '@grpc/grpc-js'
import { ProtoReader } from '../base/protobuf-reader.ts'
import { ProtoWriter } from '../base/protobuf-writer.ts'
import { GrpcStatus } from './grpc-status.ts'
import type { EmbeddedInstance } from './instance.ts'
import { databaseOfSession } from './resource-name.ts'
import type { UnaryHandler } from './service.ts'
import { sessionFilter } from './session-filter.ts'
import { encodeSession } from './spanner-answers.ts'

const EMPTY = Buffer.alloc(0)
/** BatchCreateSessions may return fewer than were asked for. */
const BATCH_LIMIT = 100

/** The methods of google.spanner.v1.Spanner that are about sessions. */
export function sessionHandlers(instance: EmbeddedInstance): Record<string, UnaryHandler> {
  return {
    CreateSession: async (bytes) => {
      const { database, template } = readSessionRequest(bytes)
      const target = await instance.database(database)
      return encodeSession(target.sessions.create(template))
    },
    BatchCreateSessions: async (bytes) => {
      const { database, template, count } = readSessionRequest(bytes)
      const target = await instance.database(database)
      if (template.isMultiplexed || count < 1) {
        throw new GrpcStatus(
          GRPC.INVALID_ARGUMENT,
          'Session count must be at least 1, and sessions must not be multiplexed.',
        )
      }
      const out = new ProtoWriter()
      for (let made = 0; made < Math.min(count, BATCH_LIMIT); made++) {
        out.message(1, encodeSession(target.sessions.create(template)))
      }
      return out.take()
    },
    GetSession: async (bytes) => {
      const name = readFirstString(bytes)
      const database = await instance.database(databaseOfSession(name))
      return encodeSession(database.sessions.get(name))
    },
    ListSessions: async (bytes) => {
      const request = readListRequest(bytes)
      const { sessions, profile } = await instance.database(request.database)
      // The emulator looks at no filter.
      const isMeant = sessionFilter(profile === 'production' ? request.filter : '')
      const rest = sessions.list().filter((one) => one.name >= request.pageToken && isMeant(one))
      const size = request.pageSize > 0 ? request.pageSize : rest.length
      const out = new ProtoWriter()
      for (const session of rest.slice(0, size)) out.message(1, encodeSession(session))
      return out.string(2, rest[size]?.name ?? '').take()
    },
    DeleteSession: async (bytes) => {
      const name = readFirstString(bytes)
      const database = await instance.database(databaseOfSession(name))
      database.sessions.delete(name)
      return EMPTY
    },
  }
}

function readFirstString(bytes: Buffer): string {
  const reader = new ProtoReader(bytes)
  let value = ''
  while (reader.hasMore) {
    const tag = reader.tag()
    if (tag >>> 3 === 1) value = reader.string()
    else reader.skip(tag)
  }
  return value
}

/** ListSessionsRequest. A page token is the name of the page's first session. */
function readListRequest(bytes: Buffer): {
  readonly database: string
  readonly pageSize: number
  readonly pageToken: string
  readonly filter: string
} {
  const reader = new ProtoReader(bytes)
  let database = ''
  let pageSize = 0
  let pageToken = ''
  let filter = ''
  while (reader.hasMore) {
    const tag = reader.tag()
    if (tag >>> 3 === 1) database = reader.string()
    else if (tag >>> 3 === 2) pageSize = Number(reader.int64())
    else if (tag >>> 3 === 3) pageToken = reader.string()
    else if (tag >>> 3 === 4) filter = reader.string()
    else reader.skip(tag)
  }
  return { database, pageSize, pageToken, filter }
}

interface SessionRequest {
  readonly database: string
  readonly template: { readonly labels: Buffer; readonly isMultiplexed: boolean }
  readonly count: number
}

/** CreateSessionRequest and BatchCreateSessionsRequest: the same fields up to the count. */
function readSessionRequest(bytes: Buffer): SessionRequest {
  const reader = new ProtoReader(bytes)
  let database = ''
  let template: SessionRequest['template'] = { labels: EMPTY, isMultiplexed: false }
  let count = 0
  while (reader.hasMore) {
    const tag = reader.tag()
    if (tag >>> 3 === 1) database = reader.string()
    else if (tag >>> 3 === 2) template = readTemplate(reader.message())
    else if (tag >>> 3 === 3) count = Number(reader.int64())
    else reader.skip(tag)
  }
  return { database, template, count }
}

/** Session.labels: keys of 1 to 63 characters, values of 0 to 63. */
const LABEL = { key: /^[a-z][-_a-z0-9]{0,62}$/, value: /^[-_a-z0-9]{0,63}$/ }

/** An encoded label, which is an entry of a map. Throws INVALID_ARGUMENT for characters that labels lack. */
function checkLabel(bytes: Buffer): Buffer {
  const reader = new ProtoReader(bytes)
  const texts = ['', '']
  while (reader.hasMore) texts[(reader.tag() >>> 3) - 1] = reader.string()
  const [key = '', value = ''] = texts
  if (LABEL.key.test(key) && LABEL.value.test(value)) return bytes
  throw new GrpcStatus(GRPC.INVALID_ARGUMENT, `Invalid label: ${key}=${value}`)
}

function readTemplate(reader: ProtoReader): SessionRequest['template'] {
  const labels = new ProtoWriter()
  let isMultiplexed = false
  while (reader.hasMore) {
    const tag = reader.tag()
    if (tag >>> 3 === 2) labels.message(2, checkLabel(reader.bytes()))
    else if (tag >>> 3 === 6) isMultiplexed = reader.bool()
    else reader.skip(tag)
  }
  return { labels: labels.take(), isMultiplexed }
}
