import { createHmac, randomBytes } from 'node:crypto'
import type { TransactionMark } from './incarnations.ts'

/*
 * PostgreSQL's transaction id is part of the id that a client gets: when the answer of a Commit was lost, with this process or its server,
 * pg_xact_status tells later what became of it. A seal shows that the id was given out here.
 */

/** Bytes of a seal. */
const SEAL_BYTES = 16

/** The id of a read-write transaction; nobody can make one up without the secret of its incarnation. */
export function readWriteId(mark: TransactionMark, secret: string): string {
  return `rw-${mark.incarnation}-${mark.xid}-${sealOf(mark, secret)}`
}

/** The id of a read-only transaction, which is forgotten with the process. */
export function readOnlyId(): string {
  return `ro-${randomBytes(SEAL_BYTES).toString('hex')}`
}

/** PostgreSQL's transaction in an id; undefined where there is none, or the id is not of ours. */
export function markOfTransaction(
  transactionId: string,
  secretOf: (incarnation: number) => string | undefined,
): TransactionMark | undefined {
  const match = /^rw-(\d{1,15})-(\d{1,20})-/.exec(transactionId)
  if (match?.[1] === undefined || match[2] === undefined) return undefined
  const mark = { incarnation: Number(match[1]), xid: match[2] }
  const secret = secretOf(mark.incarnation)
  if (secret === undefined || transactionId !== readWriteId(mark, secret)) return undefined
  return mark
}

function sealOf({ incarnation, xid }: TransactionMark, secret: string): string {
  const hmac = createHmac('sha256', secret).update(`${incarnation}-${xid}`)
  return hmac.digest().subarray(0, SEAL_BYTES).toString('hex')
}
