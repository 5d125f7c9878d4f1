import { randomBytes } from 'node:crypto'
import type { CallOptions } from '../backend/backend.ts'
import { BackendError, type BackendFailureKind } from '../backend/backend-error.ts'
import {
  decodeDatabaseDdl,
  decodeInstanceConfig,
  decodeListDatabases,
  decodeOperation,
  encodeCreateDatabase,
  encodeCreateInstance,
  encodeListDatabases,
  encodeName,
  encodeUpdateDatabaseDdl,
  isBeingCreated,
  type Operation,
} from './admin-messages.ts'
import { Backoff, Deadline, pause } from './deadline.ts'
import { isConnectionLost, type Retries } from './retries.ts'
import type { RpcClient, RpcTarget } from './rpc-client.ts'
import { backendFailure, cancelledFailure, fromStatus, toBackendError } from './status.ts'
import { GRPC_CODE } from './transport.ts'

const DATABASE_ADMIN = 'google.spanner.admin.database.v1.DatabaseAdmin'
const INSTANCE_ADMIN = 'google.spanner.admin.instance.v1.InstanceAdmin'

/** Polls count against five admin calls a second for a project. */
const POLL_FIRST_MS = 250
const POLL_FACTOR = 1.5
const POLL_MAX_MS = 5000

export const EMULATOR_CONFIG = 'emulator-config'

/** The admin services of one instance. Every method rejects with a BackendError. */
export class AdminClient {
  readonly #rpc: RpcClient
  readonly #project: string
  readonly #instanceId: string
  readonly instance: string

  constructor(rpc: RpcClient, project: string, instanceId: string) {
    this.#rpc = rpc
    this.#project = project
    this.#instanceId = instanceId
    this.instance = `projects/${project}/instances/${instanceId}`
  }

  databaseName(id: string): string {
    return `${this.instance}/databases/${id}`
  }

  /** The last part of the name of the instance's configuration; undefined where there is no such instance. */
  async findInstanceConfig(options: CallOptions): Promise<string | undefined> {
    try {
      const reply = await this.#rpc.unary(
        this.#target(INSTANCE_ADMIN, 'GetInstance', this.instance),
        encodeName(this.instance),
        options,
      )
      const config = decodeInstanceConfig(reply)
      return config.slice(config.lastIndexOf('/') + 1)
    } catch (error) {
      const failure = toBackendError(error)
      if (failure.failure.kind === 'object-not-found') return undefined
      throw failure
    }
  }

  /** Makes the instance, on the emulator, where it does not exist. */
  async ensureInstance(options: CallOptions): Promise<void> {
    const deadline = new Deadline(options.timeoutMs)
    if ((await this.findInstanceConfig(options)) !== undefined) return
    try {
      const reply = await this.#rpc.unary(
        this.#target(INSTANCE_ADMIN, 'CreateInstance', `projects/${this.#project}`),
        encodeCreateInstance(this.#project, this.#instanceId, EMULATOR_CONFIG),
        deadline.options(options.signal),
      )
      await this.#finish(decodeOperation(reply), deadline, options.signal)
    } catch (error) {
      const failure = toBackendError(error)
      // Another proxy that starts at the same moment has made it.
      if (failure.failure.kind !== 'object-exists') throw failure
    }
  }

  /** The ids of the databases of the PostgreSQL dialect, sorted. */
  async listDatabases(options: CallOptions): Promise<readonly string[]> {
    const deadline = new Deadline(options.timeoutMs)
    const ids: string[] = []
    let pageToken = ''
    do {
      const reply = await this.#rpc.unary(
        this.#target(DATABASE_ADMIN, 'ListDatabases', this.instance),
        encodeListDatabases(this.instance, pageToken),
        deadline.options(options.signal),
      )
      const page = decodeListDatabases(reply)
      ids.push(...page.names.map((name) => name.slice(name.lastIndexOf('/') + 1)))
      pageToken = page.nextPageToken
    } while (pageToken !== '')
    return ids.sort()
  }

  /**
   * The request bears no id by which one that is sent twice could be recognised. So it is asked first whether the database exists: one that
   * did not, and does when the request is sent again, is taken as ours.
   */
  async createDatabase(id: string, { timeoutMs, signal }: CallOptions): Promise<void> {
    const deadline = new Deadline(timeoutMs)
    const request = encodeCreateDatabase(this.instance, `CREATE DATABASE "${id}"`)
    const target = this.#target(DATABASE_ADMIN, 'CreateDatabase', this.instance)
    const isNew = await this.#isMissing(id, deadline.options(signal))
    let retries: Retries | undefined
    let operation: Operation | undefined
    while (operation === undefined) {
      try {
        operation = decodeOperation(
          await this.#rpc.unaryOnce(target, request, deadline.options(signal)),
        )
      } catch (error) {
        const failure = renamed(error, 'object-exists', { kind: 'database-exists' })
        const wasSentBefore = retries !== undefined
        if (failure.failure.kind === 'database-exists' && isNew && wasSentBefore) {
          return this.#untilReady(id, deadline, signal)
        }
        retries ??= this.#rpc.startRetries(deadline, signal)
        await retries.beforeNext(isConnectionLost(failure.cause) ? failure.cause : failure)
      }
    }
    await this.#finish(operation, deadline, signal)
  }

  /** Asks first whether the database exists: DropDatabase says nothing of one that does not, or the same as when it is sent again. */
  async dropDatabase(id: string, options: CallOptions): Promise<void> {
    const name = this.databaseName(id)
    try {
      await this.#getDatabase(id, options)
    } catch (error) {
      throw renamed(error, 'object-not-found', { kind: 'database-not-found' })
    }
    try {
      await this.#rpc.unary(
        this.#target(DATABASE_ADMIN, 'DropDatabase', name),
        encodeName(name),
        options,
      )
    } catch (error) {
      const failure = toBackendError(error)
      // It went with a request whose answer got lost.
      if (!MISSING.has(failure.failure.kind)) throw failure
    }
  }

  async getDdl(databaseId: string, options: CallOptions): Promise<readonly string[]> {
    const name = this.databaseName(databaseId)
    const reply = await this.#rpc.unary(
      this.#target(DATABASE_ADMIN, 'GetDatabaseDdl', name),
      encodeName(name),
      options,
    )
    return decodeDatabaseDdl(reply)
  }

  /**
   * One UpdateDatabaseDdl and its polls. The operation's id makes a request that is sent twice recognisable. Rejects with the
   * error of the first statement that failed; `appliedStatements` says how many stay in force.
   */
  async updateDdl(
    databaseId: string,
    statements: readonly string[],
    options: CallOptions,
  ): Promise<void> {
    if (statements.length === 0) return
    const deadline = new Deadline(options.timeoutMs)
    const name = this.databaseName(databaseId)
    const operationId = `spanwire_${randomBytes(8).toString('hex')}`
    let operation: Operation
    try {
      const reply = await this.#rpc.unary(
        this.#target(DATABASE_ADMIN, 'UpdateDatabaseDdl', name),
        encodeUpdateDatabaseDdl(name, statements, operationId),
        deadline.options(options.signal),
      )
      operation = decodeOperation(reply)
    } catch (error) {
      const failure = toBackendError(error)
      const isOurs =
        failure.grpcCode === GRPC_CODE.ALREADY_EXISTS && failure.message.includes(operationId)
      if (!isOurs) throw withApplied(failure, 0)
      operation = unfinished(`${name}/operations/${operationId}`)
    }
    await this.#finish(operation, deadline, options.signal)
  }

  async #finish(
    first: Operation,
    deadline: Deadline,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const backoff = new Backoff(POLL_FIRST_MS, POLL_FACTOR, POLL_MAX_MS)
    let operation = first
    while (!operation.isDone) {
      if (!(await pause(backoff.nextDelayMs(), deadline, signal))) {
        if (signal?.aborted === true) throw cancelledFailure()
        throw stillRunning(operation.name)
      }
      const reply = await this.#poll(operation.name, deadline.options(signal))
      if (reply !== undefined) operation = reply
    }
    if (operation.error !== undefined && operation.error.code !== 0) {
      throw fromStatus(operation.error, undefined, operation.appliedStatements)
    }
  }

  /** False where that is not certain. */
  async #isMissing(id: string, options: CallOptions): Promise<boolean> {
    try {
      await this.#getDatabase(id, options)
      return false
    } catch (error) {
      return MISSING.has(toBackendError(error).failure.kind)
    }
  }

  #getDatabase(id: string, options: CallOptions): Promise<Buffer> {
    const name = this.databaseName(id)
    return this.#rpc.unary(
      this.#target(DATABASE_ADMIN, 'GetDatabase', name),
      encodeName(name),
      options,
    )
  }

  /** Waits for a database whose operation is not known. */
  async #untilReady(
    id: string,
    deadline: Deadline,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const backoff = new Backoff(POLL_FIRST_MS, POLL_FACTOR, POLL_MAX_MS)
    while (isBeingCreated(await this.#getDatabase(id, deadline.options(signal)))) {
      if (await pause(backoff.nextDelayMs(), deadline, signal)) continue
      throw signal?.aborted === true ? cancelledFailure() : stillRunning(this.databaseName(id))
    }
  }

  /** Undefined where the quota of admin calls is used up for the moment. */
  async #poll(name: string, options: CallOptions): Promise<Operation | undefined> {
    try {
      const reply = await this.#rpc.unary(
        this.#target('google.longrunning.Operations', 'GetOperation', name),
        encodeName(name),
        options,
      )
      return decodeOperation(reply)
    } catch (error) {
      const failure = toBackendError(error)
      if (failure.failure.kind === 'resource-exhausted') return undefined
      throw failure
    }
  }

  #target(service: string, method: string, name: string): RpcTarget {
    return {
      method: `${service}/${method}`,
      resource: name,
      routing: [routingKey(method), name],
      channel: 0,
      toLeader: false,
    }
  }
}

/** The field of the request that holds the resource (google.api.http annotations of the services). */
function routingKey(method: string): string {
  if (method === 'ListDatabases' || method.startsWith('Create')) return 'parent'
  return ['GetInstance', 'GetDatabase', 'GetOperation'].includes(method) ? 'name' : 'database'
}

function unfinished(name: string): Operation {
  return { name, isDone: false, error: undefined, appliedStatements: 0 }
}

function stillRunning(name: string): BackendError {
  return backendFailure(
    { kind: 'deadline-exceeded' },
    GRPC_CODE.DEADLINE_EXCEEDED,
    `the operation ${name} is still running`,
  )
}

function withApplied(error: BackendError, appliedStatements: number): BackendError {
  return new BackendError(error.message, {
    failure: error.failure,
    grpcCode: error.grpcCode,
    safeToRetry: error.safeToRetry,
    appliedStatements,
    cause: error.cause,
  })
}

const MISSING: ReadonlySet<BackendFailureKind> = new Set<BackendFailureKind>([
  'database-not-found',
  'object-not-found',
])

/** What is missing or there already is a database, where the call was about one. */
function renamed(
  error: unknown,
  from: BackendError['failure']['kind'],
  to: BackendError['failure'],
): BackendError {
  const failure = toBackendError(error)
  if (failure.failure.kind !== from) return failure
  return backendFailure(to, failure.grpcCode, failure.message, failure)
}
