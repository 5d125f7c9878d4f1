import type { Backend, BackendDatabase, CallOptions } from '../backend/backend.ts'
import type { Capabilities } from '../backend/capabilities.ts'
import { AdminClient, EMULATOR_CONFIG } from './admin.ts'
import { type Plan, probeCapabilities, type ServerKind } from './capabilities.ts'
import {
  type GoogleCredentialOptions,
  googleHeaderSource,
  plaintextCredentials,
  tlsCredentials,
} from './credentials.ts'
import { SpannerDatabase } from './database.ts'
import { Deadline } from './deadline.ts'
import { GrpcJsTransport } from './grpc-js-transport.ts'
import { openSessions, type SessionSettings } from './open-sessions.ts'
import { encodeExecuteSql } from './requests.ts'
import { RpcClient } from './rpc-client.ts'
import type { Session } from './session.ts'
import { SessionClient } from './session-client.ts'
import { SessionLease } from './session-lease.ts'
import { toBackendError } from './status.ts'
import type { TransactionHost } from './transaction-host.ts'
import { STRONG_READ } from './transaction-options.ts'
import type { Transport } from './transport.ts'

/** Where google.spanner.v1 is served. */
export type SpannerEndpoint =
  /** TLS and Google credentials; `host` is spanner.googleapis.com unless a regional endpoint is asked for. */
  | { readonly kind: 'google'; readonly host?: string | undefined }
  /** Plaintext, `host:port`. */
  | { readonly kind: 'emulator'; readonly address: string }
  /** Plaintext over a Unix socket. */
  | { readonly kind: 'socket'; readonly path: string }

export interface SpannerBackendOptions {
  readonly project: string
  readonly instance: string
  readonly endpoint: SpannerEndpoint
  /** TCP connections, 4 if absent. */
  readonly channels?: number | undefined
  readonly credentials?: GoogleCredentialOptions | undefined
  /** Fine-grained access control. */
  readonly databaseRole?: string | undefined
  readonly sessions?: SessionSettings | undefined
  /** Makes the instance where it is missing; true for the emulator if absent. */
  readonly ensureInstance?: boolean | undefined
  /** How long a single call is tried again while the server cannot be reached, 10 s if absent. */
  readonly maxRetryMs?: number | undefined
  readonly userAgent?: string | undefined
  /** Ends connecting. */
  readonly signal?: AbortSignal | undefined
}

const CONNECT_TIMEOUT_MS = 30_000
/** The name of the embedded backend's instance configuration. */
const EMBEDDED_CONFIG = 'spanwire-embedded'

/**
 * Connects to Spanner, to the official emulator or to the embedded backend, all of which serve google.spanner.v1. Rejects with a
 * BackendError where the server cannot be reached within half a minute (the emulator's only; Google's is first asked when a
 * database is opened).
 */
export async function createSpannerBackend(options: SpannerBackendOptions): Promise<Backend> {
  return createBackendOn(await connect(options), options)
}

/** The same over a transport that exists already. */
export async function createBackendOn(
  transport: Transport,
  options: SpannerBackendOptions,
): Promise<Backend> {
  const rpc = new RpcClient(transport, options.maxRetryMs ?? 10_000)
  const admin = new AdminClient(rpc, options.project, options.instance)
  if (options.ensureInstance ?? options.endpoint.kind === 'emulator') {
    try {
      await admin.ensureInstance({ timeoutMs: CONNECT_TIMEOUT_MS, signal: options.signal })
    } catch (error) {
      await transport.close()
      throw error
    }
  }
  return new SpannerBackend(rpc, admin, options)
}

async function connect(options: SpannerBackendOptions): Promise<Transport> {
  const { endpoint } = options
  const shared = { channels: options.channels ?? 4, userAgent: options.userAgent }
  switch (endpoint.kind) {
    case 'google':
      return new GrpcJsTransport({
        ...shared,
        target: endpoint.host ?? 'spanner.googleapis.com:443',
        credentials: tlsCredentials(await googleHeaderSource(options.credentials ?? {})),
      })
    case 'emulator':
      return new GrpcJsTransport({
        ...shared,
        target: endpoint.address,
        credentials: plaintextCredentials(),
      })
    case 'socket':
      return new GrpcJsTransport({
        ...shared,
        target: `unix:${endpoint.path}`,
        credentials: plaintextCredentials(),
      })
  }
}

class SpannerBackend implements Backend {
  readonly description: string
  readonly #rpc: RpcClient
  readonly #admin: AdminClient
  readonly #options: SpannerBackendOptions
  readonly #databases = new Set<BackendDatabase>()
  #kind: ServerKind | undefined
  #capabilities: Capabilities | undefined

  constructor(rpc: RpcClient, admin: AdminClient, options: SpannerBackendOptions) {
    this.#rpc = rpc
    this.#admin = admin
    this.#options = options
    this.description = describeBackend(options)
  }

  async openDatabase(id: string, options: CallOptions): Promise<BackendDatabase> {
    const deadline = new Deadline(options.timeoutMs)
    const remaining = (): CallOptions => deadline.options(options.signal)
    const kind = await this.#findKind(remaining())
    const client = new SessionClient(
      this.#rpc,
      this.#admin.databaseName(id),
      this.#options.databaseRole,
    )
    const sessions = await openSessions(client, kind, this.#options.sessions ?? {}, remaining())
    const isEmulator = kind === 'emulator'
    const host = {
      rpc: this.#rpc,
      client,
      sessions,
      orphansFailedBegin: isEmulator,
      mixesUpSequences: isEmulator,
    }
    try {
      this.#capabilities ??= await this.#probe(kind, host, deadline, options.signal)
      const database = new SpannerDatabase(id, this.#capabilities, host, this.#admin)
      this.#databases.add(database)
      return database
    } catch (error) {
      await sessions.close()
      throw toBackendError(error)
    }
  }

  /** In production the database's time zone is set to UTC as well, which is possible only while it has no table. */
  async createDatabase(id: string, options: CallOptions): Promise<void> {
    const deadline = new Deadline(options.timeoutMs)
    await this.#admin.createDatabase(id, options)
    if ((await this.#findKind(deadline.options(options.signal))) !== 'google') return
    try {
      const statement = `ALTER DATABASE "${id}" SET spanner.default_time_zone = 'UTC'`
      await this.#admin.updateDdl(id, [statement], deadline.options(options.signal))
    } catch (error) {
      // Statements name their zone explicitly: a server without the option is as good.
      if (toBackendError(error).failure.kind !== 'unsupported') throw error
    }
  }

  async dropDatabase(id: string, options: CallOptions): Promise<void> {
    await this.#admin.dropDatabase(id, options)
  }

  listDatabases(options: CallOptions): Promise<readonly string[]> {
    return this.#admin.listDatabases(options)
  }

  async close(): Promise<void> {
    await Promise.all([...this.#databases].map((database) => database.close()))
    await this.#rpc.transport.close()
  }

  /** An instance whose configuration cannot be read (no permission, no such service) is taken as production. */
  async #findKind(options: CallOptions): Promise<ServerKind> {
    if (this.#kind !== undefined) return this.#kind
    let config: string | undefined
    try {
      config = await this.#admin.findInstanceConfig(options)
    } catch (error) {
      const { kind } = toBackendError(error).failure
      if (kind !== 'permission-denied' && kind !== 'unsupported') throw error
    }
    this.#kind =
      config === EMULATOR_CONFIG ? 'emulator' : config === EMBEDDED_CONFIG ? 'embedded' : 'google'
    return this.#kind
  }

  async #probe(
    kind: ServerKind,
    { client, sessions }: TransactionHost,
    deadline: Deadline,
    signal: AbortSignal | undefined,
  ): Promise<Capabilities> {
    const lease = new SessionLease(sessions)
    try {
      for (;;) {
        const session = await lease.get(deadline, signal)
        try {
          const plan = this.#planIn(client, session)
          return await probeCapabilities(kind, plan, deadline.options(signal))
        } catch (error) {
          const { failure } = toBackendError(error)
          if (failure.kind !== 'session-not-found' || !lease.replace()) throw error
        }
      }
    } finally {
      lease.release()
    }
  }

  #planIn(client: SessionClient, session: Session): Plan {
    return async (sql, options) => {
      await this.#rpc.unary(
        client.target(session, 'ExecuteSql', false),
        encodeExecuteSql({
          session: session.name,
          selector: { kind: 'single-use', options: STRONG_READ },
          statement: { sql, params: [] },
          isPlanOnly: true,
        }),
        options,
      )
    }
  }
}

/** What is behind, for people: the instance and the server that has it, or `embedded`. */
export function describeBackend(options: SpannerBackendOptions): string {
  const { project, instance, endpoint } = options
  const name = `projects/${project}/instances/${instance}`
  switch (endpoint.kind) {
    case 'google':
      return `${name} at ${endpoint.host ?? 'spanner.googleapis.com'}`
    case 'emulator':
      return `${name} at ${endpoint.address}`
    case 'socket':
      return 'embedded'
  }
}
