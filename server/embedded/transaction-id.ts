import { randomBytes } from 'node:crypto'
import type { TransactionMark } from './incarnations.ts'

/*
 * PostgreSQL's transaction id is part of the id that a client gets: when the answer of a Commit was lost, with this process or its server,
 * pg_xact_status tells later what became of it.
 */

/** The id of a read-write transaction; nobody can guess it. */
export function readWriteId({ incarnation, xid }: TransactionMark): string {
  return `rw-${incarnation}-${xid}-${nonce()}`
}

/** The id of a read-only transaction, which is forgotten with the process. */
export function readOnlyId(): string {
  return `ro-${nonce()}`
}

/** PostgreSQL's transaction in the id that the client got; undefined where there is none. */
export function markOfTransaction(transactionId: string): TransactionMark | undefined {
  const match = /^rw-(\d{1,15})-(\d{1,20})-/.exec(transactionId)
  if (match?.[1] === undefined || match[2] === undefined) return undefined
  return { incarnation: Number(match[1]), xid: match[2] }
}

function nonce(): string {
  return randomBytes(8).toString('hex')
}
