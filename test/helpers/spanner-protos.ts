import { createRequire } from 'node:module'
import type { ServiceDefinition } from '@grpc/grpc-js'
import { fromJSON, type MethodDefinition } from '@grpc/proto-loader'

/**
 * Google's own protos, complete: the independent oracle for messages that the product reads and writes by hand, and the services
 * of the fakes. Names are camelCase, 64-bit integers text, enums numbers, absent fields left out.
 */
const definitions = fromJSON(
  createRequire(import.meta.url)('@google-cloud/spanner-api/build/protos/protos.json'),
  { longs: String, enums: Number, defaults: false, oneofs: true },
)

export type Message = Readonly<Record<string, unknown>>

/** A service by its full name, as grpc-js takes it. */
export function spannerService(name: string): ServiceDefinition {
  const service = definitions[name]
  if (service === undefined) throw new Error(`no service ${name}`)
  return service as ServiceDefinition
}

/** A method by its path without the first slash, `google.spanner.v1.Spanner/Commit`. */
export function spannerMethod(path: string): MethodDefinition<object, object> {
  const [service = '', method = ''] = path.split('/')
  const definition = spannerService(service)[method]
  if (definition === undefined) throw new Error(`no method ${path}`)
  return definition as unknown as MethodDefinition<object, object>
}

export function decodeRequest(path: string, bytes: Buffer): Message {
  return spannerMethod(path).requestDeserialize(bytes) as Message
}

export function encodeRequest(path: string, request: object): Buffer {
  return spannerMethod(path).requestSerialize(request)
}

export function encodeReply(path: string, reply: object): Buffer {
  return spannerMethod(path).responseSerialize(reply)
}

export function decodeReply(path: string, bytes: Buffer): Message {
  return spannerMethod(path).responseDeserialize(bytes) as Message
}
