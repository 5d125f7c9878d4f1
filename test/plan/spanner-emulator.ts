import type { ChildProcess } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import {
  credentials,
  type GrpcObject,
  loadPackageDefinition,
  type ServiceError,
} from '@grpc/grpc-js'
import { fromJSON } from '@grpc/proto-loader'
import type { SpannerType } from '../../server/types/spanner-type.ts'
import { spawnEmulator } from '../helpers/emulator.ts'

/** Where the official emulator is usually found; SPANNER_EMULATOR_BIN comes first. */
const USUAL_PLACES = [
  '/usr/lib/google-cloud-sdk/bin/cloud_spanner_emulator/emulator_main',
  '/usr/local/google-cloud-sdk/bin/cloud_spanner_emulator/emulator_main',
]
const DEADLINE_MS = 60_000
const INSTANCE = 'projects/test/instances/test'

/** The emulator's program on this machine, undefined where there is none. */
export function findEmulator(): string | undefined {
  const named = process.env['SPANNER_EMULATOR_BIN']
  return [...(named === undefined ? [] : [named]), ...USUAL_PLACES].find((path) => existsSync(path))
}

/** What a call answers, as JSON of the proto messages. */
type Message = Record<string, unknown>
type Call = (request: Message) => Promise<Message>

/** A running emulator with one database of the PostgreSQL dialect. */
export interface Emulator {
  /** Runs one statement in a transaction of its own that is rolled back; values as Spanner's JSON encoding has them. */
  run(sql: string, params: readonly EmulatorParam[]): Promise<EmulatorAnswer>
  /** Runs one DML statement and commits it. */
  write(sql: string): Promise<void>
  isAlive(): boolean
  stop(): Promise<void>
}

export interface EmulatorParam {
  readonly type: SpannerType
  readonly value: unknown
}

export interface EmulatorAnswer {
  readonly columnTypes: readonly string[]
  readonly rows: readonly (readonly unknown[])[]
}

/** Starts an emulator on a free port of the loopback interface and creates a database with these DDL statements. */
export async function startEmulator(program: string, ddl: readonly string[]): Promise<Emulator> {
  const { child, address } = await spawnEmulator(program)
  const calls = connect(address)
  await calls.createInstance({
    parent: 'projects/test',
    instanceId: 'test',
    instance: {
      name: INSTANCE,
      config: 'projects/test/instanceConfigs/emulator-config',
      displayName: 'test',
      nodeCount: 1,
    },
  })
  await calls.createDatabase({
    parent: INSTANCE,
    createStatement: 'CREATE DATABASE "plans"',
    databaseDialect: 'POSTGRESQL',
  })
  const database = `${INSTANCE}/databases/plans`
  const changed = await calls.updateDatabaseDdl({ database, statements: ddl })
  const failure = changed['error'] as { message?: string } | null | undefined
  if (failure?.message) throw new Error(`DDL: ${failure.message}`)
  return new RunningEmulator(
    child,
    calls,
    String((await calls.createSession({ database }))['name']),
  )
}

interface Calls {
  readonly createInstance: Call
  readonly createDatabase: Call
  readonly updateDatabaseDdl: Call
  readonly createSession: Call
  readonly beginTransaction: Call
  readonly executeSql: Call
  readonly commit: Call
  readonly rollback: Call
  readonly close: () => void
}

class RunningEmulator implements Emulator {
  readonly #child: ChildProcess
  readonly #calls: Calls
  readonly #session: string

  constructor(child: ChildProcess, calls: Calls, session: string) {
    this.#child = child
    this.#calls = calls
    this.#session = session
  }

  isAlive(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null
  }

  async run(sql: string, params: readonly EmulatorParam[]): Promise<EmulatorAnswer> {
    const id = await this.#begin()
    try {
      return await this.#execute(id, sql, params)
    } finally {
      if (this.isAlive()) await this.#calls.rollback({ session: this.#session, transactionId: id })
    }
  }

  async write(sql: string): Promise<void> {
    const id = await this.#begin()
    await this.#execute(id, sql, [])
    await this.#calls.commit({ session: this.#session, transactionId: id })
  }

  async stop(): Promise<void> {
    this.#calls.close()
    const ended = new Promise((resolve) => this.#child.once('exit', resolve))
    if (this.isAlive()) {
      this.#child.kill('SIGKILL')
      await ended
    }
  }

  async #begin(): Promise<unknown> {
    const begun = await this.#calls.beginTransaction({
      session: this.#session,
      options: { readWrite: {} },
    })
    return begun['id']
  }

  async #execute(
    id: unknown,
    sql: string,
    params: readonly EmulatorParam[],
  ): Promise<EmulatorAnswer> {
    const fields = Object.fromEntries(params.map((param, i) => [`p${i + 1}`, toValue(param.value)]))
    const types = Object.fromEntries(params.map((param, i) => [`p${i + 1}`, toType(param.type)]))
    const answer = await this.#calls.executeSql({
      session: this.#session,
      transaction: { id },
      sql,
      params: { fields },
      paramTypes: types,
      seqno: 1,
    })
    return toAnswer(answer)
  }
}

function toType(type: SpannerType): Message {
  return {
    code: type.code,
    ...(type.annotation === undefined ? {} : { typeAnnotation: type.annotation }),
    ...(type.element === undefined ? {} : { arrayElementType: toType(type.element) }),
  }
}

function toValue(value: unknown): Message {
  if (value === null) return { nullValue: 'NULL_VALUE' }
  if (Array.isArray(value)) return { listValue: { values: value.map(toValue) } }
  if (typeof value === 'boolean') return { boolValue: value }
  if (typeof value === 'number') return { numberValue: value }
  return { stringValue: String(value) }
}

interface WireType {
  readonly code: string
  readonly arrayElementType?: WireType | null
}

function toAnswer(answer: Message): EmulatorAnswer {
  const set = answer as {
    metadata?: { rowType?: { fields?: readonly { type: WireType }[] } }
    rows?: readonly { values: readonly Message[] }[]
  }
  return {
    columnTypes: (set.metadata?.rowType?.fields ?? []).map((field) => typeName(field.type)),
    rows: (set.rows ?? []).map((row) => row.values.map(fromValue)),
  }
}

function typeName(type: WireType): string {
  return type.arrayElementType ? `${typeName(type.arrayElementType)}[]` : type.code
}

function fromValue(value: Message): unknown {
  const kind = String(value['kind'])
  if (kind === 'nullValue') return null
  const held = value[kind] as { values?: readonly Message[] } | undefined
  return kind.startsWith('list') ? (held?.values ?? []).map(fromValue) : held
}

const PROTOS = fileURLToPath(
  new URL(
    './build/protos/protos.json',
    import.meta.resolve('@google-cloud/spanner-api/package.json'),
  ),
)

function connect(address: string): Calls {
  const definition = fromJSON(JSON.parse(readFileSync(PROTOS, 'utf8')), {
    longs: String,
    enums: String,
    oneofs: true,
  })
  const root = loadPackageDefinition(definition)
  const data = client(root, 'google.spanner.v1.Spanner', address)
  const admin = client(root, 'google.spanner.admin.database.v1.DatabaseAdmin', address)
  const instances = client(root, 'google.spanner.admin.instance.v1.InstanceAdmin', address)
  return {
    createInstance: instances.method('CreateInstance'),
    createDatabase: admin.method('CreateDatabase'),
    updateDatabaseDdl: admin.method('UpdateDatabaseDdl'),
    createSession: data.method('CreateSession'),
    beginTransaction: data.method('BeginTransaction'),
    executeSql: data.method('ExecuteSql'),
    commit: data.method('Commit'),
    rollback: data.method('Rollback'),
    close: () => {
      for (const each of [data, admin, instances]) each.close()
    },
  }
}

type Method = (
  request: Message,
  options: object,
  done: (error: ServiceError | null, answer: Message) => void,
) => void

function client(root: GrpcObject, name: string, address: string) {
  const path = name.split('.')
  const Service = path.reduce((at: unknown, part) => (at as GrpcObject)[part], root) as new (
    address: string,
    creds: unknown,
  ) => Record<string, Method> & { close(): void }
  const stub = new Service(address, credentials.createInsecure())
  return {
    close: () => stub.close(),
    method:
      (method: string): Call =>
      (request) =>
        new Promise((resolve, reject) => {
          const call = stub[method]
          if (call === undefined) throw new Error(`no method ${method}`)
          call.call(stub, request, { deadline: Date.now() + DEADLINE_MS }, (error, answer) => {
            if (error === null) resolve(answer)
            else reject(new Error(describe(error), { cause: error }))
          })
        }),
  }
}

/** INTERNAL errors of the emulator have their text in the details trailer only. */
function describe(error: ServiceError): string {
  if (error.details !== '') return `${error.code} ${error.details}`
  const trailer = error.metadata.get('grpc-status-details-bin')[0]
  return `${error.code} ${trailer === undefined ? '' : trailer.toString().replaceAll(/[^ -~]+/g, ' ')}`
}
