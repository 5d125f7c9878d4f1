import { status as GRPC } from '@grpc/grpc-js'
import { GrpcStatus } from './grpc-status.ts'

const DATABASE = /^(projects\/[^/]+\/instances\/[^/]+)\/databases\/([^/]+)$/
const SESSION = /^(projects\/[^/]+\/instances\/[^/]+\/databases\/[^/]+)\/sessions\/[^/]+$/
const OPERATION = /^(.+)\/operations\/([^/]+)$/

function invalid(kind: string, name: string): GrpcStatus {
  return new GrpcStatus(GRPC.INVALID_ARGUMENT, `Invalid ${kind} name: "${name}".`)
}

/** Instance and id of a database's name. Throws INVALID_ARGUMENT. */
export function parseDatabaseName(name: string): { instance: string; id: string } {
  const match = DATABASE.exec(name)
  if (match?.[1] === undefined || match[2] === undefined) throw invalid('database', name)
  return { instance: match[1], id: match[2] }
}

/** The name of the database that a session belongs to. Throws INVALID_ARGUMENT. */
export function databaseOfSession(name: string): string {
  const match = SESSION.exec(name)
  if (match?.[1] === undefined) throw invalid('session', name)
  return match[1]
}

/** The resource that an operation belongs to (a database or an instance), and the operation's id. Throws INVALID_ARGUMENT. */
export function parseOperationName(name: string): { parent: string; id: string } {
  const match = OPERATION.exec(name)
  if (match?.[1] === undefined || match[2] === undefined) throw invalid('operation', name)
  return { parent: match[1], id: match[2] }
}
