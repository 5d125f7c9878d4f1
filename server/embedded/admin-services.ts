import { randomBytes } from 'node:crypto'
import { status as GRPC } from '@grpc/grpc-js'
import { ProtoReader } from '../base/protobuf-reader.ts'
import { ProtoWriter } from '../base/protobuf-writer.ts'
import type { ServiceRow } from '../companion/companion-types.ts'
import { quoteText } from './ddl-cursor.ts'
import type { DdlOutcome } from './ddl-executor.ts'
import { printDdl } from './ddl-printer.ts'
import { encodeStatus, GrpcStatus, resourceNotFound } from './grpc-status.ts'
import type { EmbeddedInstance } from './instance.ts'
import { parseOperationName } from './resource-name.ts'
import type { ServiceHandlers } from './service.ts'
import { encodeTimestamp } from './spanner-answers.ts'
import { tokenize } from './sql-tokens.ts'

const DATABASE_V1 = 'type.googleapis.com/google.spanner.admin.database.v1'
const EMPTY_TYPE = 'type.googleapis.com/google.protobuf.Empty'
const EMPTY = Buffer.alloc(0)
/** google.spanner.admin.database.v1: Database.State.READY, DatabaseDialect. */
const READY = 2
const DIALECT = { googleSql: 1, postgresql: 2 } as const
/** UpdateDatabaseDdl answers with an operation under way when it takes longer than this. */
const OPERATION_PATIENCE_MS = 5_000

function any(typeUrl: string, value: Buffer): Buffer {
  return new ProtoWriter().string(1, typeUrl).bytes(2, value).take()
}

function encodeDatabase(name: string): Buffer {
  return new ProtoWriter().string(1, name).uint(2, READY).uint(10, DIALECT.postgresql).take()
}

/** Fields of a request that are texts or numbers, by number; repeated texts keep their order. */
function readFields(bytes: Buffer): {
  text(field: number): string
  texts(field: number): string[]
  number(field: number): number
} {
  const reader = new ProtoReader(bytes)
  const texts = new Map<number, string[]>()
  const numbers = new Map<number, number>()
  while (reader.hasMore) {
    const tag = reader.tag()
    if ((tag & 7) === 2) texts.set(tag >>> 3, [...(texts.get(tag >>> 3) ?? []), reader.string()])
    else if ((tag & 7) === 0) numbers.set(tag >>> 3, reader.uint())
    else reader.skip(tag)
  }
  return {
    text: (field) => texts.get(field)?.at(-1) ?? '',
    texts: (field) => texts.get(field) ?? [],
    number: (field) => numbers.get(field) ?? 0,
  }
}

/** google.spanner.admin.database.v1.DatabaseAdmin. */
export function databaseAdminService(
  instance: EmbeddedInstance,
  operations: Operations,
): ServiceHandlers {
  return {
    unary: {
      ListDatabases: async (bytes) => {
        instance.check(readFields(bytes).text(1))
        const out = new ProtoWriter()
        for (const id of await instance.listDatabases())
          out.message(1, encodeDatabase(`${instance.name}/databases/${id}`))
        return out.take()
      },
      CreateDatabase: (bytes) => createDatabase(instance, operations, bytes),
      GetDatabase: async (bytes) =>
        encodeDatabase((await instance.database(readFields(bytes).text(1))).name),
      UpdateDatabaseDdl: (bytes) => operations.updateDdl(bytes),
      DropDatabase: async (bytes) => {
        await instance.dropDatabase(readFields(bytes).text(1))
        return EMPTY
      },
      GetDatabaseDdl: async (bytes) => {
        const database = await instance.database(readFields(bytes).text(1))
        const query = (text: string) => database.query(text)
        const statements = await printDdl(query, database.id, database.profile)
        const out = new ProtoWriter()
        for (const statement of statements) out.string(1, statement)
        return out.take()
      },
      ListDatabaseOperations: () => Promise.resolve(EMPTY),
    },
  }
}

async function createDatabase(
  instance: EmbeddedInstance,
  operations: Operations,
  bytes: Buffer,
): Promise<Buffer> {
  const request = readFields(bytes)
  instance.check(request.text(1))
  if (request.number(5) !== DIALECT.postgresql) {
    throw new GrpcStatus(
      GRPC.UNIMPLEMENTED,
      'This server has databases of the PostgreSQL dialect only.',
    )
  }
  const [create, database, name, end] = tokenize(request.text(2).replaceAll('`', '"'))
  if (
    create?.value !== 'create' ||
    database?.value !== 'database' ||
    name === undefined ||
    (end !== undefined && end.text !== ';')
  ) {
    throw new GrpcStatus(GRPC.INVALID_ARGUMENT, `Invalid "create_statement": ${request.text(2)}`)
  }
  if (request.texts(3).length > 0) {
    throw new GrpcStatus(
      GRPC.INVALID_ARGUMENT,
      'Extra statements are not supported for databases of the PostgreSQL dialect.',
    )
  }
  await instance.createDatabase(name.value)
  const path = `${instance.name}/databases/${name.value}`
  return operations.finished(path, {
    metadata: any(
      `${DATABASE_V1}.CreateDatabaseMetadata`,
      new ProtoWriter().string(1, path).take(),
    ),
    response: any(`${DATABASE_V1}.Database`, encodeDatabase(path)),
  })
}

/** google.spanner.admin.instance.v1.InstanceAdmin: one instance, which is always there. */
export function instanceAdminService(
  instance: EmbeddedInstance,
  operations: Operations,
): ServiceHandlers {
  const [, project = ''] = instance.name.split('/')
  const config = `projects/${project}/instanceConfigs/spanwire-embedded`
  const id = instance.name.slice(instance.name.lastIndexOf('/') + 1)
  const encoded = new ProtoWriter()
    .string(1, instance.name)
    .string(2, config)
    .string(3, id)
    .uint(5, 1)
    .uint(6, READY)
    .uint(9, 1000)
    .take()
  const encodedConfig = new ProtoWriter().string(1, config).string(2, 'Spanwire, embedded').take()
  return {
    unary: {
      ListInstanceConfigs: () =>
        Promise.resolve(new ProtoWriter().message(1, encodedConfig).take()),
      GetInstanceConfig: (bytes) => {
        const name = readFields(bytes).text(1)
        return name === config
          ? Promise.resolve(encodedConfig)
          : Promise.reject(new GrpcStatus(GRPC.NOT_FOUND, `Instance config not found: ${name}`))
      },
      ListInstances: () => Promise.resolve(new ProtoWriter().message(1, encoded).take()),
      GetInstance: (bytes) => {
        instance.check(readFields(bytes).text(1))
        return Promise.resolve(encoded)
      },
      CreateInstance: (bytes) => {
        const request = readFields(bytes)
        const name = `${request.text(1)}/instances/${request.text(2)}`
        const error =
          name === instance.name
            ? new GrpcStatus(GRPC.ALREADY_EXISTS, `Instance already exists: ${name}`)
            : new GrpcStatus(GRPC.UNIMPLEMENTED, `This server has one instance: ${instance.name}.`)
        return Promise.reject(error)
      },
      ListInstanceOperations: () => operations.none(),
    },
  }
}

/** google.longrunning.Operations. */
export function operationsService(operations: Operations): ServiceHandlers {
  return {
    unary: {
      GetOperation: (bytes) => operations.get(readFields(bytes).text(1)),
      WaitOperation: (bytes) => operations.get(readFields(bytes).text(1)),
      ListOperations: () => operations.none(),
      // Nothing is under way for long enough to be cancelled, and what is done stays known.
      CancelOperation: () => Promise.resolve(EMPTY),
      DeleteOperation: () => Promise.resolve(EMPTY),
    },
  }
}

interface OperationState {
  readonly metadata: Buffer
  readonly isDone: boolean
  readonly error?: GrpcStatus | undefined
  readonly response?: Buffer | undefined
}

const KEPT_OPERATIONS = 1_000

/** Long-running operations. Those of DDL are kept in their database, so that they outlive the process. */
export class Operations {
  readonly #instance: EmbeddedInstance
  readonly #states = new Map<string, OperationState>()

  constructor(instance: EmbeddedInstance) {
    this.#instance = instance
  }

  none(): Promise<Buffer> {
    return Promise.resolve(EMPTY)
  }

  /** An operation that is over already. */
  finished(
    parent: string,
    state: { readonly metadata: Buffer; readonly response: Buffer },
  ): Buffer {
    const name = `${parent}/operations/_auto_op_${randomBytes(8).toString('hex')}`
    return this.#keep(name, { ...state, isDone: true })
  }

  async get(name: string): Promise<Buffer> {
    const state = this.#states.get(name)
    if (state !== undefined) return encodeOperation(name, state)
    const { parent, id } = parseOperationName(name)
    const database = await this.#instance.database(parent)
    const [row] = await database.query(OPERATION_QUERY, [id])
    if (row === undefined) throw resourceNotFound('Operation', name)
    return encodeOperation(name, storedState(database.name, row))
  }

  async updateDdl(bytes: Buffer): Promise<Buffer> {
    const request = readFields(bytes)
    const { database, ddl } = await this.#instance.ddl(request.text(1))
    const statements = request.texts(2)
    if (statements.length === 0) {
      throw new GrpcStatus(GRPC.INVALID_ARGUMENT, 'Missing statements in the request.')
    }
    const wanted = request.text(3)
    if (wanted !== '' && !/^[a-z][a-z0-9_]*$/.test(wanted)) {
      throw new GrpcStatus(GRPC.INVALID_ARGUMENT, `Invalid operation_id: ${wanted}.`)
    }
    const id = wanted === '' ? `_auto_op_${randomBytes(8).toString('hex')}` : wanted
    const name = `${database.name}/operations/${id}`
    if (wanted !== '') await this.#refuseKnown(name)
    this.#keep(name, { metadata: ddlMetadata(database.name, statements, []), isDone: false })
    const running = ddl
      .run(statements, (outcome) => storeOperation(id, statements, outcome))
      .then(
        (outcome) => this.#keep(name, doneState(database.name, statements, outcome)),
        (error: unknown) => {
          this.#states.delete(name)
          throw error
        },
      )
    let timer: NodeJS.Timeout | undefined
    const patience = new Promise<undefined>((resolve) => {
      timer = setTimeout(() => resolve(undefined), OPERATION_PATIENCE_MS)
    })
    const answer = await Promise.race([running, patience]).finally(() => clearTimeout(timer))
    if (answer !== undefined) return answer
    running.catch((error: unknown) => {
      const status =
        error instanceof GrpcStatus ? error : new GrpcStatus(GRPC.INTERNAL, String(error))
      this.#keep(name, {
        metadata: ddlMetadata(database.name, statements, []),
        isDone: true,
        error: status,
      })
    })
    return this.get(name)
  }

  async #refuseKnown(name: string): Promise<void> {
    const known = await this.get(name).catch((error: unknown) => {
      if (error instanceof GrpcStatus && error.code === GRPC.NOT_FOUND) return undefined
      throw error
    })
    if (known !== undefined)
      throw new GrpcStatus(GRPC.ALREADY_EXISTS, `Operation already exists: ${name}`)
  }

  #keep(name: string, state: OperationState): Buffer {
    this.#states.set(name, state)
    const [oldest] = this.#states.keys()
    if (this.#states.size > KEPT_OPERATIONS && oldest !== undefined) this.#states.delete(oldest)
    return encodeOperation(name, state)
  }
}

const OPERATION_QUERY = `SELECT to_json(statements)::text AS statements, error_code::text AS code, error_message AS message,
  to_json(ARRAY(SELECT (extract(epoch FROM f) * 1000000)::bigint::text FROM unnest(finished) f))::text AS finished
  FROM _spanner_meta.operations WHERE id = $1`

function storeOperation(id: string, statements: readonly string[], outcome: DdlOutcome): string {
  const texts = statements.map(quoteText).join(', ')
  const times = outcome.commitMicros
    .map((micros) => `to_timestamp(${micros / 1_000_000})`)
    .join(', ')
  const error =
    outcome.error === undefined
      ? 'NULL, NULL'
      : `${outcome.error.code}, ${quoteText(outcome.error.message)}`
  return `INSERT INTO _spanner_meta.operations VALUES (${quoteText(id)}, ARRAY[${texts}]::text[], now(), ARRAY[${times}]::timestamptz[], true, ${error})`
}

function storedState(database: string, row: ServiceRow): OperationState {
  const statements = strings(row['statements'])
  const commitMicros = strings(row['finished']).map(Number)
  const error =
    row['code'] === null || row['code'] === undefined
      ? undefined
      : new GrpcStatus(Number(row['code']), row['message'] ?? '')
  return doneState(database, statements, { commitMicros, error })
}

function strings(json: string | null | undefined): string[] {
  const parsed: unknown = JSON.parse(json ?? '[]')
  return Array.isArray(parsed) ? parsed.map(String) : []
}

function doneState(
  database: string,
  statements: readonly string[],
  outcome: DdlOutcome,
): OperationState {
  return {
    metadata: ddlMetadata(database, statements, outcome.commitMicros),
    isDone: true,
    error: outcome.error,
    response: outcome.error === undefined ? any(EMPTY_TYPE, EMPTY) : undefined,
  }
}

/** UpdateDatabaseDdlMetadata: as many timestamps as statements are in force. */
function ddlMetadata(
  database: string,
  statements: readonly string[],
  commitMicros: readonly number[],
): Buffer {
  const out = new ProtoWriter().string(1, database)
  for (const statement of statements) out.string(2, statement)
  for (const micros of commitMicros) out.message(3, encodeTimestamp(micros))
  for (let index = 0; index < statements.length; index++) {
    out.message(5, new ProtoWriter().uint(1, index < commitMicros.length ? 100 : 0).take())
  }
  return any(`${DATABASE_V1}.UpdateDatabaseDdlMetadata`, out.take())
}

function encodeOperation(name: string, state: OperationState): Buffer {
  const out = new ProtoWriter().string(1, name).message(2, state.metadata).bool(3, state.isDone)
  if (state.error !== undefined) out.message(4, encodeStatus(state.error))
  else if (state.response !== undefined) out.message(5, state.response)
  return out.take()
}
