import { once } from 'node:events'
import {
  Metadata,
  Server,
  ServerCredentials,
  type ServerUnaryCall,
  type ServerWritableStream,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js'
import { type Message, spannerService } from './spanner-protos.ts'

const SERVICES = [
  'google.spanner.v1.Spanner',
  'google.spanner.admin.database.v1.DatabaseAdmin',
  'google.spanner.admin.instance.v1.InstanceAdmin',
  'google.longrunning.Operations',
]

/** What a handler throws to end a call with a status. */
export class FakeStatus extends Error {
  readonly code: number
  readonly details: string
  readonly metadata: Metadata

  constructor(code: number, details: string, trailers: Readonly<Record<string, Buffer>> = {}) {
    super(details)
    this.code = code
    this.details = details
    this.metadata = new Metadata()
    for (const [name, value] of Object.entries(trailers)) this.metadata.set(name, value)
  }
}

export interface FakeCall {
  /** Without its service, `Commit`. */
  readonly method: string
  readonly request: Message
  readonly metadata: Readonly<Record<string, unknown>>
  /** Fires when the client gives up. */
  readonly signal: AbortSignal
  /** Messages of a stream that the handler has given away so far. */
  sentMessages: number
}

/** Gives the reply of a unary call, or yields the messages of a stream. */
export type FakeHandler = (
  call: FakeCall,
) => Message | Promise<Message> | Iterable<Message> | AsyncIterable<Message>

/**
 * A Spanner whose every answer is scripted: a real gRPC server with Google's protos. Sessions, transactions and commits work
 * by themselves as long as a test does not say otherwise.
 */
export class FakeSpanner {
  readonly address: string
  /** Every call, in the order of their arrival. */
  readonly calls: FakeCall[] = []
  readonly #server: Server
  readonly #handlers: Map<string, FakeHandler>

  private constructor(server: Server, address: string, handlers: Map<string, FakeHandler>) {
    this.#server = server
    this.address = address
    this.#handlers = handlers
  }

  static async start(
    options: { credentials?: ServerCredentials; port?: number } = {},
  ): Promise<FakeSpanner> {
    const server = new Server({
      'grpc.max_receive_message_length': -1,
      'grpc.max_send_message_length': -1,
    })
    const handlers = new Map<string, FakeHandler>(Object.entries(defaultHandlers()))
    let fake: FakeSpanner | undefined
    for (const name of SERVICES) {
      const service = spannerService(name)
      const implementation: UntypedServiceImplementation = {}
      for (const [method, definition] of Object.entries(service)) {
        implementation[method] = definition.responseStream
          ? (call: ServerWritableStream<Message, Message>) => void fake?.serveStream(method, call)
          : (call: ServerUnaryCall<Message, Message>, callback: UnaryCallback) =>
              void fake?.serveUnary(method, call, callback)
      }
      server.addService(service, implementation)
    }
    const port = await new Promise<number>((resolve, reject) => {
      const credentials = options.credentials ?? ServerCredentials.createInsecure()
      server.bindAsync(`127.0.0.1:${options.port ?? 0}`, credentials, (error, bound) => {
        if (error === null) resolve(bound)
        else reject(error)
      })
    })
    fake = new FakeSpanner(server, `127.0.0.1:${port}`, handlers)
    return fake
  }

  /** Replaces the handler of a method. */
  on(method: string, handler: FakeHandler): void {
    this.#handlers.set(method, handler)
  }

  /** The names of the methods called, without those that manage sessions. */
  methods(): string[] {
    return this.calls
      .map(({ method }) => method)
      .filter((method) => !/Session|GetInstance/.test(method))
  }

  requests(method: string): Message[] {
    return this.calls.filter((call) => call.method === method).map(({ request }) => request)
  }

  stop(): void {
    this.#server.forceShutdown()
  }

  async serveUnary(
    method: string,
    call: ServerUnaryCall<Message, Message>,
    callback: UnaryCallback,
  ): Promise<void> {
    try {
      callback(null, (await this.#record(method, call).answer()) as Message)
    } catch (error) {
      callback(toStatus(error))
    }
  }

  async serveStream(method: string, call: ServerWritableStream<Message, Message>): Promise<void> {
    try {
      const { record, answer } = this.#record(method, call)
      const messages = (await answer()) as Iterable<Message> | AsyncIterable<Message>
      for await (const message of messages) {
        if (call.cancelled) return
        const hasRoom = call.write(message)
        record.sentMessages++
        if (!hasRoom) await Promise.race([once(call, 'drain'), once(call, 'cancelled')])
      }
      call.end()
    } catch (error) {
      call.emit('error', toStatus(error))
    }
  }

  #record(
    method: string,
    call: ServerUnaryCall<Message, Message> | ServerWritableStream<Message, Message>,
  ): { readonly record: FakeCall; readonly answer: () => ReturnType<FakeHandler> } {
    const controller = new AbortController()
    call.on('cancelled', () => controller.abort())
    const record: FakeCall = {
      method,
      request: call.request,
      metadata: call.metadata.getMap(),
      signal: controller.signal,
      sentMessages: 0,
    }
    this.calls.push(record)
    const handler = this.#handlers.get(method) ?? unscripted
    return { record, answer: () => handler(record) }
  }
}

function unscripted({ method }: FakeCall): never {
  throw new FakeStatus(12, `nothing scripted for ${method}`)
}

type UnaryCallback = (error: FakeStatus | null, reply?: Message) => void

function toStatus(error: unknown): FakeStatus {
  return error instanceof FakeStatus ? error : new FakeStatus(13, `fake: ${String(error)}`)
}

function defaultHandlers(): Record<string, FakeHandler> {
  let sessions = 0
  let transactions = 0
  const newTransaction = (): Message => ({ id: Buffer.from(`tx${++transactions}`) })
  return {
    BatchCreateSessions: ({ request }) => ({
      session: Array.from({ length: Number(request['sessionCount']) }, () => ({
        name: `${String(request['database'])}/sessions/${++sessions}`,
      })),
    }),
    DeleteSession: () => ({}),
    GetInstance: ({ request }) => ({ ...request, config: 'projects/p/instanceConfigs/regional-x' }),
    ExecuteSql: () => ({ metadata: { rowType: { fields: [] } } }),
    ExecuteStreamingSql: ({ request }) => {
      const transaction = isBegin(request) ? { transaction: newTransaction() } : {}
      return [
        {
          metadata: { rowType: { fields: [] }, ...transaction },
          stats: { rowCountExact: '1' },
        },
      ]
    },
    ExecuteBatchDml: ({ request }) => ({
      resultSets: (request['statements'] as unknown[]).map((_, index) => ({
        metadata: {
          rowType: { fields: [] },
          ...(index === 0 && isBegin(request) ? { transaction: newTransaction() } : {}),
        },
        stats: { rowCountExact: '1' },
      })),
      status: {},
    }),
    BeginTransaction: newTransaction,
    Commit: () => ({ commitTimestamp: { seconds: '1700000000', nanos: 5000 } }),
    Rollback: () => ({}),
  }
}

/** Whether the statement of the request is to begin a transaction. */
export function isBegin(request: Message): boolean {
  return (request['transaction'] as { readonly begin?: unknown } | undefined)?.begin !== undefined
}
