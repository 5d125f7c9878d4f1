import type { CallOptions } from '../backend/backend.ts'
import type { BackendError } from '../backend/backend-error.ts'
import { encodeExecuteSql } from './requests.ts'
import type { RpcClient, RpcTarget } from './rpc-client.ts'
import type { Session } from './session.ts'
import {
  decodeSession,
  decodeSessions,
  encodeBatchCreateSessions,
  encodeCreateSession,
  encodeDeleteSession,
} from './session-messages.ts'
import { backendFailure, toBackendError } from './status.ts'
import { STRONG_READ } from './transaction-options.ts'
import { GRPC_CODE } from './transport.ts'

const CALL_MS = 10_000

/** The calls about the sessions of one database. */
export class SessionClient {
  readonly rpc: RpcClient
  /** Full name, `projects/p/instances/i/databases/d`. */
  readonly database: string
  readonly #role: string | undefined

  /** `role` is for fine-grained access control. */
  constructor(rpc: RpcClient, database: string, role?: string) {
    this.rpc = rpc
    this.database = database
    this.#role = role
  }

  /** How a call in `session` is addressed. */
  target(session: Session, method: string, toLeader: boolean): RpcTarget {
    return {
      method: `google.spanner.v1.Spanner/${method}`,
      resource: this.database,
      routing: ['session', session.name],
      channel: session.channel,
      toLeader,
    }
  }

  /** Names of regular sessions: at least one, perhaps fewer than asked for. Rejects with a BackendError. */
  async createBatch(count: number, options: CallOptions): Promise<readonly string[]> {
    const names = decodeSessions(
      await this.#create(
        'BatchCreateSessions',
        encodeBatchCreateSessions(this.database, count, this.#role),
        options,
      ),
    )
    if (names.length === 0) throw noSession('BatchCreateSessions')
    return names
  }

  /** The name of a multiplexed session. Rejects with a BackendError. */
  async createMultiplexed(options: CallOptions): Promise<string> {
    const request = encodeCreateSession(this.database, this.#role)
    const name = decodeSession(await this.#create('CreateSession', request, options))
    if (name === '') throw noSession('CreateSession')
    return name
  }

  /** Keeps a session awake. Undefined where that worked. */
  async ping(session: Session): Promise<BackendError | undefined> {
    const request = encodeExecuteSql({
      session: session.name,
      selector: { kind: 'single-use', options: STRONG_READ },
      statement: { sql: 'SELECT 1', params: [] },
    })
    return this.#tellFailure(this.target(session, 'ExecuteSql', false), request)
  }

  /** Never rejects: Spanner drops idle sessions by itself, and a server that is gone has none. */
  async delete(name: string): Promise<void> {
    const session = { name, channel: this.rpc.transport.pickChannel() }
    await this.#tellFailure(this.target(session, 'DeleteSession', false), encodeDeleteSession(name))
  }

  async #create(method: string, request: Buffer, options: CallOptions): Promise<Buffer> {
    return this.rpc.unary(
      {
        method: `google.spanner.v1.Spanner/${method}`,
        resource: this.database,
        routing: ['database', this.database],
        channel: this.rpc.transport.pickChannel(),
        toLeader: true,
      },
      request,
      options,
    )
  }

  async #tellFailure(target: RpcTarget, request: Buffer): Promise<BackendError | undefined> {
    try {
      await this.rpc.unaryOnce(target, request, { timeoutMs: CALL_MS })
      return undefined
    } catch (error) {
      return toBackendError(error)
    }
  }
}

function noSession(method: string): BackendError {
  return backendFailure({ kind: 'internal' }, GRPC_CODE.INTERNAL, `${method} gave no session`)
}
