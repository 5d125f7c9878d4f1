import {
  status as GRPC,
  type Server,
  type ServerUnaryCall,
  type ServerWritableStream,
  type ServiceDefinition,
  type sendUnaryData,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js'
import { MalformedMessage } from '../base/protobuf-reader.ts'
import { GrpcStatus, toServiceError } from './grpc-status.ts'

/** Answers one encoded request with one encoded answer. The signal aborts when the client gives up or its deadline has passed. */
export type UnaryHandler = (request: Buffer, signal: AbortSignal) => Promise<Buffer>

/** Sends encoded answers; what `send` returns is to be waited for. */
export type StreamHandler = (
  request: Buffer,
  signal: AbortSignal,
  send: (message: Buffer) => Promise<void> | undefined,
) => Promise<void>

export interface ServiceHandlers {
  readonly unary: Readonly<Record<string, UnaryHandler>>
  readonly stream?: Readonly<Record<string, StreamHandler>>
}

const identity = (bytes: Buffer) => bytes

/** Adds a service whose messages are encoded and decoded by its handlers. `onDefect` hears of errors that are no GrpcStatus. */
export function addService(
  server: Server,
  name: string,
  handlers: ServiceHandlers,
  onDefect: (error: unknown) => void,
): void {
  const definition: Record<string, ServiceDefinition[string]> = {}
  const implementation: UntypedServiceImplementation = {}
  const define = (method: string, isStream: boolean) => {
    definition[method] = {
      path: `/${name}/${method}`,
      requestStream: false,
      responseStream: isStream,
      requestSerialize: identity,
      requestDeserialize: identity,
      responseSerialize: identity,
      responseDeserialize: identity,
    }
  }
  for (const [method, handler] of Object.entries(handlers.unary)) {
    define(method, false)
    implementation[method] = unary(handler, onDefect)
  }
  for (const [method, handler] of Object.entries(handlers.stream ?? {})) {
    define(method, true)
    implementation[method] = stream(handler, onDefect)
  }
  server.addService(definition, implementation)
}

/** A handler may throw before it waits for anything. */
async function settled<T>(handle: () => Promise<T>): Promise<T> {
  return handle()
}

function unary(handler: UnaryHandler, onDefect: (error: unknown) => void) {
  return (call: ServerUnaryCall<Buffer, Buffer>, callback: sendUnaryData<Buffer>): void => {
    settled(() => handler(call.request, signalOf(call))).then(
      (answer) => callback(null, answer),
      (error: unknown) => callback(toServiceError(toStatus(error, onDefect))),
    )
  }
}

function stream(handler: StreamHandler, onDefect: (error: unknown) => void) {
  return (call: ServerWritableStream<Buffer, Buffer>): void => {
    const signal = signalOf(call)
    const send = (message: Buffer) => {
      if (call.write(message) || signal.aborted) return undefined
      return drained(call, signal)
    }
    settled(() => handler(call.request, signal, send)).then(
      () => call.end(),
      (error: unknown) => {
        call.emit('error', toServiceError(toStatus(error, onDefect)))
      },
    )
  }
}

function drained(call: ServerWritableStream<Buffer, Buffer>, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      call.removeListener('drain', done)
      signal.removeEventListener('abort', done)
      resolve()
    }
    call.once('drain', done)
    signal.addEventListener('abort', done, { once: true })
  })
}

function signalOf(call: { on(event: 'cancelled', listener: () => void): unknown }): AbortSignal {
  const controller = new AbortController()
  call.on('cancelled', () =>
    controller.abort(new GrpcStatus(GRPC.CANCELLED, 'The call was cancelled.')),
  )
  return controller.signal
}

function toStatus(error: unknown, onDefect: (error: unknown) => void): GrpcStatus {
  if (error instanceof GrpcStatus) return error
  if (error instanceof MalformedMessage) return new GrpcStatus(GRPC.INVALID_ARGUMENT, error.message)
  onDefect(error)
  return new GrpcStatus(GRPC.INTERNAL, error instanceof Error ? error.message : String(error))
}
