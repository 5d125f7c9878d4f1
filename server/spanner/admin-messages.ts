import { ProtoReader } from '../base/protobuf-reader.ts'
import { ProtoWriter } from '../base/protobuf-writer.ts'
import { type RpcStatus, readRpcStatus } from './status-details.ts'

/** google.spanner.admin.database.v1.DatabaseDialect. */
const DIALECT = { unspecified: 0, googleSql: 1, postgreSql: 2 } as const

/** google.spanner.admin.database.v1.Database.State. */
const STATE_CREATING = 1

/** A message whose only field is its first, a name: Get..., Drop... and GetOperation requests. */
export function encodeName(name: string): Buffer {
  return new ProtoWriter(128).string(1, name).take()
}

/** ListDatabasesRequest: parent = 1, page_size = 3, page_token = 4. */
export function encodeListDatabases(parent: string, pageToken: string): Buffer {
  return new ProtoWriter(128).string(1, parent).uint(3, 1000).string(4, pageToken).take()
}

export interface DatabasePage {
  /** Full names. */
  readonly names: readonly string[]
  readonly nextPageToken: string
}

/** ListDatabasesResponse: databases = 1, next_page_token = 2; without those that say that their dialect is GoogleSQL. */
export function decodeListDatabases(bytes: Buffer): DatabasePage {
  const reader = new ProtoReader(bytes)
  const names: string[] = []
  let nextPageToken = ''
  while (reader.hasMore) {
    const tag = reader.tag()
    if (tag === 0x0a) {
      const database = readDatabase(reader.message())
      if (database.dialect !== DIALECT.googleSql) names.push(database.name)
    } else if (tag === 0x12) nextPageToken = reader.string()
    else reader.skip(tag)
  }
  return { names, nextPageToken }
}

/** Whether a Database (the answer to GetDatabase) cannot be used yet. */
export function isBeingCreated(database: Buffer): boolean {
  return readDatabase(new ProtoReader(database)).state === STATE_CREATING
}

/** Database: name = 1, state = 2, database_dialect = 10. */
function readDatabase(reader: ProtoReader): { name: string; state: number; dialect: number } {
  let name = ''
  let state = 0
  let dialect: number = DIALECT.unspecified
  while (reader.hasMore) {
    const tag = reader.tag()
    if (tag === 0x0a) name = reader.string()
    else if (tag === 0x10) state = reader.uint()
    else if (tag === 0x50) dialect = reader.uint()
    else reader.skip(tag)
  }
  return { name, state, dialect }
}

/** CreateDatabaseRequest of the PostgreSQL dialect: parent = 1, create_statement = 2, database_dialect = 5. */
export function encodeCreateDatabase(parent: string, createStatement: string): Buffer {
  return new ProtoWriter(256)
    .string(1, parent)
    .string(2, createStatement)
    .uint(5, DIALECT.postgreSql)
    .take()
}

/** UpdateDatabaseDdlRequest: database = 1, statements = 2, operation_id = 3. */
export function encodeUpdateDatabaseDdl(
  database: string,
  statements: readonly string[],
  operationId: string,
): Buffer {
  const writer = new ProtoWriter(1024).string(1, database)
  for (const statement of statements) writer.message(2, Buffer.from(statement))
  return writer.string(3, operationId).take()
}

/** GetDatabaseDdlResponse: statements = 1. */
export function decodeDatabaseDdl(bytes: Buffer): string[] {
  const reader = new ProtoReader(bytes)
  const statements: string[] = []
  while (reader.hasMore) {
    const tag = reader.tag()
    if (tag === 0x0a) statements.push(reader.string())
    else reader.skip(tag)
  }
  return statements
}

/** CreateInstanceRequest: parent = 1, instance_id = 2, instance = 3 { name = 1, config = 2, display_name = 3, node_count = 5 }. */
export function encodeCreateInstance(project: string, instanceId: string, config: string): Buffer {
  const parent = `projects/${project}`
  const instance = new ProtoWriter(256)
    .string(1, `${parent}/instances/${instanceId}`)
    .string(2, `${parent}/instanceConfigs/${config}`)
    .string(3, instanceId)
    .uint(5, 1)
    .take()
  return new ProtoWriter(256).string(1, parent).string(2, instanceId).message(3, instance).take()
}

/** Instance.config = 2: the full name of the instance's configuration. */
export function decodeInstanceConfig(bytes: Buffer): string {
  const reader = new ProtoReader(bytes)
  let config = ''
  while (reader.hasMore) {
    const tag = reader.tag()
    if (tag === 0x12) config = reader.string()
    else reader.skip(tag)
  }
  return config
}

/** google.longrunning.Operation. */
export interface Operation {
  readonly name: string
  readonly isDone: boolean
  readonly error: RpcStatus | undefined
  /** Statements of an UpdateDatabaseDdl that are in force: the number of its metadata's commit timestamps. */
  readonly appliedStatements: number
}

/** Decodes name = 1, metadata = 2, done = 3 and error = 4. */
export function decodeOperation(bytes: Buffer): Operation {
  const reader = new ProtoReader(bytes)
  let name = ''
  let isDone = false
  let error: RpcStatus | undefined
  let appliedStatements = 0
  while (reader.hasMore) {
    const tag = reader.tag()
    if (tag === 0x0a) name = reader.string()
    else if (tag === 0x12) appliedStatements = countCommitTimestamps(reader.message())
    else if (tag === 0x18) isDone = reader.uint() !== 0
    else if (tag === 0x22) error = readRpcStatus(reader.message())
    else reader.skip(tag)
  }
  return { name, isDone, error, appliedStatements }
}

/** An Any (value = 2) with UpdateDatabaseDdlMetadata, whose commit_timestamps are field 3. */
function countCommitTimestamps(any: ProtoReader): number {
  let typeUrl = ''
  let value: ProtoReader | undefined
  while (any.hasMore) {
    const tag = any.tag()
    if (tag === 0x0a) typeUrl = any.string()
    else if (tag === 0x12) value = any.message()
    else any.skip(tag)
  }
  if (value === undefined || !typeUrl.endsWith('UpdateDatabaseDdlMetadata')) return 0
  let count = 0
  while (value.hasMore) {
    const tag = value.tag()
    if (tag === 0x1a) count++
    value.skip(tag)
  }
  return count
}
