import { status as GRPC } from '@grpc/grpc-js'
import type { EmbeddedDatabase } from './database.ts'
import { GrpcStatus } from './grpc-status.ts'
import { readResumeToken } from './result-writer.ts'
import type { ExecuteSqlRequest, TransactionSelector } from './spanner-requests.ts'

/** How the resume token of a stream's last message ends. */
export const END_OF_STREAM = '.end'

/** Whoever has the last message has missed nothing but the status, whatever has become of the data. */
export function isEndToken(token: Buffer): boolean {
  return token.toString('latin1').endsWith(END_OF_STREAM)
}

/** What comes after a resume token in an answer that is told once more. */
export function messagesAfter(token: Buffer, messages: readonly Buffer[]): readonly Buffer[] {
  if (token.length === 0) return messages
  return messages.slice(messages.findIndex((message) => readResumeToken(message).equals(token)) + 1)
}

/** What resume tokens of a stream begin with: they are good as long as it stays the same. */
export function markOf(selector: TransactionSelector, database: EmbeddedDatabase): string {
  if (selector.kind !== 'single-use') return 't'
  const mark = database.quietMark
  return mark === undefined ? 'x' : `q${mark}`
}

/**
 * Rows of a broken stream that the client has already. Within a transaction the same statement gives the same rows again; outside, it does
 * as long as nothing has been committed. Throws INTERNAL where that cannot be promised, INVALID_ARGUMENT for a token that is none of ours.
 */
export function resumePoint(request: ExecuteSqlRequest, mark: string): number {
  if (request.resumeToken.length === 0) return 0
  const [was, rows] = request.resumeToken.toString('latin1').split('.')
  if (!/^\d+$/.test(rows ?? ''))
    throw new GrpcStatus(GRPC.INVALID_ARGUMENT, 'Invalid resume token.')
  if (was === mark && mark !== 'x') return Number(rows)
  throw new GrpcStatus(
    GRPC.INTERNAL,
    'The stream cannot be resumed: data have changed since it began.',
  )
}
