import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { logVerbosity, Server, ServerCredentials, setLogVerbosity } from '@grpc/grpc-js'
import { bugEvents } from '../base/channels.ts'
import { listenError } from '../base/listen-error.ts'
import type { ClusterRecipe } from '../companion/cluster-template.ts'
import type { PostgresBinaries } from '../companion/postgres-binaries.ts'
import { PostgresCluster } from '../companion/postgres-cluster.ts'
import { makeSocketDirectory, removeSocketDirectory } from '../companion/socket-directory.ts'
import { loadParser } from '../sql/postgres-parser.ts'
import {
  databaseAdminService,
  instanceAdminService,
  Operations,
  operationsService,
} from './admin-services.ts'
import { Incarnations } from './incarnations.ts'
import { EmbeddedInstance, installedVersion, SUPERUSER } from './instance.ts'
import type { Profile } from './profile.ts'
import { addService } from './service.ts'
import { spannerService } from './spanner-service.ts'

export interface EmbeddedOptions {
  readonly binaries: PostgresBinaries
  /** Directory of the PostgreSQL cluster: the data. */
  readonly dataDir: string
  /** Private directory of the gRPC server's Unix socket; chosen below the system's temporary directory where absent, and then removed by `stop`. */
  readonly socketDir?: string | undefined
  /** `host:port` in place of the socket; port 0 is chosen by the system. */
  readonly listen?: string | undefined
  readonly project?: string | undefined
  readonly instance?: string | undefined
  /** What statements are taken; absent: `production`. */
  readonly profile?: Profile | undefined
  /** Settings of PostgreSQL beyond ours, for tests. */
  readonly settings?: Readonly<Record<string, string>> | undefined
  /** Ends a start that is under way. */
  readonly signal: AbortSignal
}

export interface EmbeddedServer {
  /** For a gRPC client: `unix:/...` or `host:port`. */
  readonly address: string
  /** `projects/<project>/instances/<instance>`. */
  readonly instance: string
  readonly cluster: PostgresCluster
  /** Ends calls, the gRPC server and PostgreSQL. */
  stop(): Promise<void>
}

/** Durable, with what answers for commits afterwards; deadlocks are found quickly because clients can only try again. */
const SETTINGS = {
  max_connections: '300',
  shared_buffers: '64MB',
  // For a hundred thousand locks at once, and predicate locks that name rows for long: what they would take is touched at the start.
  max_locks_per_transaction: '256',
  max_pred_locks_per_transaction: '128',
  max_pred_locks_per_relation: '128',
  track_commit_timestamp: 'on',
  deadlock_timeout: '50ms',
  // A crash ends the server, and the cluster starts another: each start gets its number (incarnations.ts).
  restart_after_crash: 'off',
  // Errors of statements are for their clients; statements may hold secrets.
  log_min_messages: 'log',
  log_min_error_statement: 'panic',
  jit: 'off',
  max_wal_senders: '0',
  wal_level: 'minimal',
  // PostgreSQL's own, which initdb would make less because the segments are small.
  max_wal_size: '1GB',
  min_wal_size: '80MB',
  // PostgreSQL waits for the disk before it answers COMMIT.
  fsync: 'on',
  synchronous_commit: 'on',
} as const

/** What an embedded Spanner's cluster begins as; another profile than production's replaces the contents. */
export function embeddedRecipe(): ClusterRecipe {
  return { superuser: SUPERUSER, walSegmentMiB: 4, contents: installedVersion('production') }
}

const SOCKET_NAME = 'spanner.sock'
/** How long calls under way may take to end. */
const STOP_DEADLINE_MS = 2_000

/**
 * Starts a Spanner of the PostgreSQL dialect: google.spanner.v1, its admin services and google.longrunning over gRPC, in front of a PostgreSQL
 * cluster of its own. Rejects with ClusterError where PostgreSQL does not start.
 */
export async function startEmbedded(options: EmbeddedOptions): Promise<EmbeddedServer> {
  await loadParser()
  const incarnations = new Incarnations()
  const cluster = await PostgresCluster.start({
    name: 'embedded',
    binaries: options.binaries,
    dataDir: options.dataDir,
    settings: { ...SETTINGS, ...options.settings },
    recipe: embeddedRecipe(),
    onStarted: (connect) => incarnations.record(connect, SUPERUSER),
    signal: options.signal,
  })
  try {
    const name = `projects/${options.project ?? 'spanwire'}/instances/${options.instance ?? 'spanwire'}`
    const instance = await EmbeddedInstance.open({
      name,
      cluster,
      incarnations,
      profile: options.profile ?? 'production',
    })
    const server = new Server({
      'grpc.max_receive_message_length': -1,
      'grpc.max_send_message_length': -1,
    })
    addServices(server, instance)
    const { address, unbind } = await bind(server, options)
    const end = async () => {
      await stop(server, instance)
      await unbind()
      await cluster.stop()
    }
    return { address, instance: name, cluster, stop: end }
  } catch (error) {
    await cluster.stop()
    throw error
  }
}

function addServices(server: Server, instance: EmbeddedInstance): void {
  const operations = new Operations(instance)
  const onDefect = (error: unknown) => bugEvents.publish({ connId: undefined, error })
  addService(server, 'google.spanner.v1.Spanner', spannerService(instance), onDefect)
  addService(
    server,
    'google.spanner.admin.database.v1.DatabaseAdmin',
    databaseAdminService(instance, operations),
    onDefect,
  )
  addService(
    server,
    'google.spanner.admin.instance.v1.InstanceAdmin',
    instanceAdminService(instance, operations),
    onDefect,
  )
  addService(server, 'google.longrunning.Operations', operationsService(operations), onDefect)
}

interface Bound {
  readonly address: string
  /** Takes away what was made for the address. */
  readonly unbind: () => Promise<void>
}

async function bind(server: Server, options: EmbeddedOptions): Promise<Bound> {
  const { listen, socketDir, dataDir } = options
  if (listen !== undefined) {
    const port = await bindTo(server, listen)
    const address = `${listen.slice(0, listen.lastIndexOf(':'))}:${port}`
    return { address, unbind: async () => undefined }
  }
  // The data directory may lie too deep for a socket's path; the cluster's own socket has another directory.
  const directory = await makeSocketDirectory(socketDir, join(dataDir, SOCKET_NAME), undefined)
  const path = join(directory, SOCKET_NAME)
  // What a predecessor left; the cluster's lock has made sure that there is none alive.
  await rm(path, { force: true })
  await bindTo(server, `unix:${path}`)
  const unbind = () =>
    socketDir === undefined ? removeSocketDirectory(directory) : rm(path, { force: true })
  return { address: `unix:${path}`, unbind }
}

function bindTo(server: Server, target: string): Promise<number> {
  // What fails is told by who started the server, in one line.
  setLogVerbosity(logVerbosity.NONE)
  return new Promise((resolve, reject) => {
    server.bindAsync(target, ServerCredentials.createInsecure(), (error, port) => {
      setLogVerbosity(logVerbosity.ERROR)
      if (error === null) resolve(port)
      else reject(listenError(target, withCode(error)))
    })
  })
}

/** grpc-js tells the platform's error in its own message only. */
function withCode(error: Error): Error {
  const code = /\blisten (E[A-Z]+)/.exec(error.message)?.[1]
  return code === undefined ? error : Object.assign(new Error(error.message), { code })
}

async function stop(server: Server, instance: EmbeddedInstance): Promise<void> {
  await instance.close()
  await new Promise<void>((resolve) => {
    const timer = setTimeout(() => {
      server.forceShutdown()
      resolve()
    }, STOP_DEADLINE_MS)
    server.tryShutdown(() => {
      clearTimeout(timer)
      resolve()
    })
  })
}
