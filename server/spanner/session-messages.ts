import { ProtoReader } from '../base/protobuf-reader.ts'
import { ProtoWriter } from '../base/protobuf-writer.ts'

/** google.spanner.v1.BatchCreateSessionsRequest: database = 1, session_template = 2 { creator_role = 5 }, session_count = 3. */
export function encodeBatchCreateSessions(
  database: string,
  count: number,
  role: string | undefined,
): Buffer {
  const writer = new ProtoWriter(128).string(1, database)
  if (role !== undefined) writer.message(2, new ProtoWriter(64).string(5, role).take())
  return writer.uint(3, count).take()
}

/** google.spanner.v1.BatchCreateSessionsResponse: session = 1. There may be fewer than asked for. */
export function decodeSessions(bytes: Buffer): string[] {
  const reader = new ProtoReader(bytes)
  const names: string[] = []
  while (reader.hasMore) {
    const tag = reader.tag()
    if (tag === 0x0a) names.push(readName(reader.message()))
    else reader.skip(tag)
  }
  return names
}

/** google.spanner.v1.CreateSessionRequest of a multiplexed session: database = 1, session = 2 { creator_role = 5, multiplexed = 6 }. */
export function encodeCreateSession(database: string, role: string | undefined): Buffer {
  const session = new ProtoWriter(64).string(5, role ?? '').bool(6, true)
  return new ProtoWriter(128).string(1, database).message(2, session.take()).take()
}

/** The name of a google.spanner.v1.Session; empty where it has none. */
export function decodeSession(bytes: Buffer): string {
  return readName(new ProtoReader(bytes))
}

/** google.spanner.v1.DeleteSessionRequest: name = 1. */
export function encodeDeleteSession(name: string): Buffer {
  return new ProtoWriter(128).string(1, name).take()
}

/** google.spanner.v1.Session.name = 1. */
function readName(reader: ProtoReader): string {
  let name = ''
  while (reader.hasMore) {
    const tag = reader.tag()
    if (tag === 0x0a) name = reader.string()
    else reader.skip(tag)
  }
  return name
}
