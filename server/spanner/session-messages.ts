import { ProtoReader, ProtoWriter } from './protobuf-wire.ts'

/** google.spanner.v1.BatchCreateSessionsRequest: database = 1, session_template = 2 { creator_role = 5 }, session_count = 3. */
export function encodeBatchCreateSessions(
  database: string,
  count: number,
  role: string | undefined,
): Buffer {
  const writer = new ProtoWriter(128).textField(1, database)
  if (role !== undefined) writer.bytesField(2, new ProtoWriter(64).textField(5, role).finish())
  return writer.uintField(3, count).finish()
}

/** google.spanner.v1.BatchCreateSessionsResponse: session = 1. There may be fewer than asked for. */
export function decodeSessions(bytes: Buffer): string[] {
  const reader = new ProtoReader(bytes)
  const names: string[] = []
  while (reader.hasMore) {
    const tag = reader.uint()
    if (tag === 0x0a) names.push(readName(reader.message()))
    else reader.skip(tag)
  }
  return names
}

/** google.spanner.v1.CreateSessionRequest of a multiplexed session: database = 1, session = 2 { creator_role = 5, multiplexed = 6 }. */
export function encodeCreateSession(database: string, role: string | undefined): Buffer {
  const session = new ProtoWriter(64).textField(5, role ?? '').boolField(6, true)
  return new ProtoWriter(128).textField(1, database).bytesField(2, session.finish()).finish()
}

/** The name of a google.spanner.v1.Session; empty where it has none. */
export function decodeSession(bytes: Buffer): string {
  return readName(new ProtoReader(bytes))
}

/** google.spanner.v1.DeleteSessionRequest: name = 1. */
export function encodeDeleteSession(name: string): Buffer {
  return new ProtoWriter(128).textField(1, name).finish()
}

/** google.spanner.v1.Session.name = 1. */
function readName(reader: ProtoReader): string {
  let name = ''
  while (reader.hasMore) {
    const tag = reader.uint()
    if (tag === 0x0a) name = reader.text()
    else reader.skip(tag)
  }
  return name
}
