import { createRequire } from 'node:module'
import { join } from 'node:path'
import {
  type Client,
  credentials,
  type GrpcObject,
  loadPackageDefinition,
  Metadata,
  type ServiceClientConstructor,
  type ServiceError,
} from '@grpc/grpc-js'
import { fromJSON } from '@grpc/proto-loader'
import { findPostgresBinaries } from '../../server/companion/postgres-binaries.ts'
import {
  type EmbeddedOptions,
  type EmbeddedServer,
  startEmbedded,
} from '../../server/embedded/embedded-server.ts'
import { SUPERUSER } from '../../server/embedded/instance.ts'
import { makeWorkspace, type Workspace } from '../companion/test-cluster.ts'

/*
 * A client of the embedded server that owes it nothing: Google's protos, read by proto-loader.
 */

const require = createRequire(import.meta.url)
const protos = fromJSON(require('@google-cloud/spanner-api/build/protos/protos.json'), {
  longs: String,
  enums: String,
  defaults: false,
  oneofs: false,
})
const root = loadPackageDefinition(protos)

function serviceAt(path: string): ServiceClientConstructor {
  let at: GrpcObject[string] = root
  for (const part of path.split('.')) at = (at as GrpcObject)[part] as GrpcObject[string]
  return at as ServiceClientConstructor
}

// The tests say in their assertions what an answer looks like.
// biome-ignore lint/suspicious/noExplicitAny: decoded messages of many types
export type Message = any

export interface EmbeddedClient {
  readonly database: string
  readonly session: string
  /** Calls a method of any of the services. */
  call(method: string, request: object): Promise<Message>
  /** ExecuteStreamingSql where no other method is named. */
  stream(
    request: object,
    method?: 'executeStreamingSql' | 'streamingRead' | 'batchWrite',
  ): { messages: Promise<Message[]>; pause(): void; cancel(): void }
  newSession(): Promise<string>
  /** Runs a query or DML and gives columns, rows, count. */
  run(sql: string, options?: RunOptions): Promise<RunResult>
  /** Runs DML in a transaction of its own. */
  write(sql: string, options?: RunOptions): Promise<RunResult>
  ddl(...statements: string[]): Promise<Message>
  close(): void
}

export interface RunOptions {
  readonly session?: string
  readonly params?: readonly unknown[]
  readonly types?: readonly (string | object | undefined)[]
  /** A transaction selector; the id of one is enough. */
  readonly in?: object | Buffer
  readonly seqno?: number
  readonly isLast?: boolean
  readonly queryMode?: string
}

export interface RunResult {
  readonly columns: readonly string[]
  readonly rows: readonly (readonly unknown[])[]
  readonly count: string | undefined
  readonly transaction: Buffer
  readonly metadata: Message
}

export const READ_WRITE = { begin: { readWrite: {} } }
export const READ_ONLY = { begin: { readOnly: { strong: true } } }

const SERVICES = [
  [
    'google.spanner.v1.Spanner',
    [
      'createSession',
      'batchCreateSessions',
      'getSession',
      'listSessions',
      'deleteSession',
      'executeSql',
      'executeBatchDml',
      'beginTransaction',
      'commit',
      'rollback',
      'read',
      'partitionQuery',
      'partitionRead',
    ],
  ],
  [
    'google.spanner.admin.database.v1.DatabaseAdmin',
    [
      'createDatabase',
      'dropDatabase',
      'getDatabase',
      'listDatabases',
      'updateDatabaseDdl',
      'getDatabaseDdl',
    ],
  ],
  [
    'google.spanner.admin.instance.v1.InstanceAdmin',
    ['getInstance', 'listInstances', 'createInstance', 'listInstanceConfigs'],
  ],
  ['google.longrunning.Operations', ['getOperation']],
] as const

/** `p1`, `p2` ... of plain values: text, boolean, number, null, lists. */
export function value(of: unknown): object {
  if (of === null) return { nullValue: 0 }
  if (typeof of === 'boolean') return { boolValue: of }
  if (typeof of === 'number') return { numberValue: of }
  if (Array.isArray(of)) return { listValue: { values: of.map(value) } }
  return { stringValue: String(of) }
}

function plain(of: Message): unknown {
  if (of.listValue !== undefined) return (of.listValue.values ?? []).map(plain)
  return of.stringValue ?? of.boolValue ?? of.numberValue ?? null
}

function statement(sql: string, options: RunOptions) {
  const params = options.params ?? []
  const types = options.types ?? []
  return {
    sql,
    params: {
      fields: Object.fromEntries(params.map((param, index) => [`p${index + 1}`, value(param)])),
    },
    paramTypes: Object.fromEntries(
      types.flatMap((type, index) =>
        type === undefined
          ? []
          : [[`p${index + 1}`, typeof type === 'string' ? { code: type } : type]],
      ),
    ),
  }
}

function selector(of: RunOptions['in']): object | undefined {
  return Buffer.isBuffer(of) ? { id: of } : of
}

/** Makes the instance of an emulator that has none, and tells its name. */
export async function makeInstance(address: string): Promise<string> {
  const parent = 'projects/spanwire'
  const name = `${parent}/instances/emulator`
  const config = `${parent}/instanceConfigs/emulator-config`
  const client: Message = new (serviceAt('google.spanner.admin.instance.v1.InstanceAdmin'))(
    address,
    credentials.createInsecure(),
  )
  const instance = { name, config, displayName: 'emulator', nodeCount: 1 }
  await new Promise<void>((resolve, reject) => {
    client.createInstance(
      { parent, instanceId: 'emulator', instance },
      (error: ServiceError | null) => (error === null ? resolve() : reject(error)),
    )
  })
  client.close()
  return name
}

/** Opens a client on a new database, or on one that is there. */
export async function connectTo(
  server: { address: string; instance: string },
  id: string,
): Promise<EmbeddedClient> {
  const clients: Client[] = []
  const calls = new Map<string, (request: object) => Promise<Message>>()
  const options = { 'grpc.max_receive_message_length': -1, 'grpc.use_local_subchannel_pool': 1 }
  let spanner: Message
  for (const [path, methods] of SERVICES) {
    const client: Message = new (serviceAt(path))(
      server.address,
      credentials.createInsecure(),
      options,
    )
    if (path.endsWith('v1.Spanner')) spanner = client
    clients.push(client)
    for (const method of methods) {
      calls.set(
        method,
        (request) =>
          new Promise((resolve, reject) => {
            client[method](
              request,
              new Metadata(),
              { deadline: Date.now() + 60_000 },
              (error: ServiceError | null, answer: Message) =>
                error === null ? resolve(answer) : reject(error),
            )
          }),
      )
    }
  }
  const call = (method: string, request: object): Promise<Message> => {
    const method_ = calls.get(method)
    if (method_ === undefined) throw new Error(`no method ${method}`)
    return method_(request)
  }
  const database = `${server.instance}/databases/${id}`
  await call('createDatabase', {
    parent: server.instance,
    createStatement: `CREATE DATABASE "${id}"`,
    databaseDialect: 'POSTGRESQL',
  }).catch((error: ServiceError) => {
    if (error.code !== 6) throw error
  })
  const newSession = async (): Promise<string> => (await call('createSession', { database })).name
  const session = await newSession()

  const run: EmbeddedClient['run'] = async (sql, given = {}) => {
    const answer = await call('executeSql', {
      session: given.session ?? session,
      transaction: selector(given.in),
      seqno: given.seqno ?? 0,
      lastStatement: given.isLast ?? false,
      queryMode: given.queryMode ?? 'NORMAL',
      ...statement(sql, given),
    })
    const fields: Message[] = answer.metadata.rowType?.fields ?? []
    return {
      columns: fields.map((field) => `${field.name} ${typeName(field.type)}`),
      rows: (answer.rows ?? []).map((row: Message) => row.values.map(plain)),
      count: answer.stats?.rowCountExact ?? answer.stats?.rowCountLowerBound,
      transaction: answer.metadata.transaction?.id,
      metadata: answer.metadata,
    }
  }
  return {
    database,
    session,
    call,
    newSession,
    run,
    stream: (request, method = 'executeStreamingSql') => {
      const stream = spanner[method]({ session, ...request }, new Metadata(), {
        deadline: Date.now() + 60_000,
      })
      const messages = new Promise<Message[]>((resolve, reject) => {
        const got: Message[] = []
        stream.on('data', (message: Message) => got.push(message))
        stream.on('end', () => resolve(got))
        stream.on('error', reject)
      })
      return { messages, pause: () => stream.pause(), cancel: () => stream.cancel() }
    },
    write: async (sql, given = {}) => {
      const own = given.session ?? (await newSession())
      const result = await run(sql, { in: READ_WRITE, seqno: 1, ...given, session: own })
      await call('commit', { session: own, transactionId: result.transaction })
      return result
    },
    ddl: async (...statements) => call('updateDatabaseDdl', { database, statements }),
    close: () => {
      for (const client of clients) client.close()
    },
  }
}

function typeName(type: Message): string {
  if (type.code === 'ARRAY') return `ARRAY<${typeName(type.arrayElementType)}>`
  return type.typeAnnotation === undefined ? type.code : `${type.code}/${type.typeAnnotation}`
}

/** Code and text of the error that a call must end with. */
export async function failure(
  of: Promise<unknown>,
): Promise<{ code: number; details: string; metadata: Metadata }> {
  try {
    await of
  } catch (error) {
    return error as ServiceError
  }
  throw new Error('the call should have failed')
}

/** `5 relation "x" does not exist`. */
export async function failureText(of: Promise<unknown>): Promise<string> {
  const { code, details } = await failure(of)
  return `${code} ${details}`
}

export interface TestServer extends EmbeddedServer {
  readonly workspace: Workspace
  /** Stops it and removes its files. */
  remove(): Promise<void>
}

/** Asks PostgreSQL itself what Spanner does not tell. */
export async function askPostgres(
  server: TestServer,
  sql: string,
): Promise<readonly Readonly<Record<string, string | null>>[]> {
  const connection = await server.cluster.connect({
    user: SUPERUSER,
    database: 'postgres',
    settings: {},
    signal: AbortSignal.timeout(30_000),
  })
  try {
    return await connection.query(sql)
  } finally {
    await connection.close()
  }
}

/** {@link startTestServer} in the profile of the official emulator: what the emulator takes is taken. */
export async function startEmulatorProfile(): Promise<TestServer> {
  const workspace = await makeWorkspace()
  return startTestServer(workspace, {
    dataDir: workspace.dataDir,
    socketDir: join(workspace.root, 'grpc'),
    profile: 'emulator-1.5.28',
  })
}

/** Starts an embedded server in a directory of its own, without waiting for the disk. */
export async function startTestServer(
  given?: Workspace,
  options: Pick<EmbeddedOptions, 'dataDir' | 'socketDir' | 'profile'> | undefined = undefined,
): Promise<TestServer> {
  const workspace = given ?? (await makeWorkspace())
  const signal = AbortSignal.timeout(120_000)
  const server = await startEmbedded({
    binaries: await findPostgresBinaries({ stateDir: workspace.stateDir, signal }),
    ...(options ?? { dataDir: workspace.dataDir, socketDir: join(workspace.root, 'grpc') }),
    settings: { fsync: 'off', shared_buffers: '16MB', autovacuum: 'off' },
    signal,
  })
  return {
    ...server,
    workspace,
    remove: async () => {
      await server.stop()
      await workspace.remove()
    },
  }
}
