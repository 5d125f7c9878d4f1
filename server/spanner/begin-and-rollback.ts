import type { CallOptions } from '../backend/backend.ts'
import { ProtoReader } from '../base/protobuf-reader.ts'
import { encodeBeginTransaction, encodeRollback } from './requests.ts'
import { readTransaction, type TransactionReply } from './responses.ts'
import type { Session } from './session.ts'
import type { SessionClient } from './session-client.ts'
import { backendFailure } from './status.ts'
import { GRPC_CODE } from './transport.ts'

const ROLLBACK_TIMEOUT_MS = 5000

/** A transaction as Spanner gives it, with an id. */
export interface BegunTransaction extends TransactionReply {
  readonly id: Buffer
}

/** What the answer to a begin must hold. Throws a BackendError of kind `internal` where it does not. */
export function demandTransaction(reply: TransactionReply | undefined): BegunTransaction {
  if (reply?.id !== undefined) return { ...reply, id: reply.id }
  throw backendFailure(
    { kind: 'internal' },
    GRPC_CODE.INTERNAL,
    'the server returned no transaction for a begin',
  )
}

/** BeginTransaction; `transactionOptions` are encoded. Rejects with a BackendError. */
export async function beginTransaction(
  client: SessionClient,
  session: Session,
  transactionOptions: Buffer,
  options: CallOptions,
): Promise<BegunTransaction> {
  const reply = await client.rpc.unary(
    client.target(session, 'BeginTransaction', true),
    encodeBeginTransaction(session.name, transactionOptions),
    options,
  )
  return demandTransaction(readTransaction(new ProtoReader(reply)))
}

/** Rollback, which succeeds for transactions that have ended too. Rejects with a BackendError. */
export async function rollbackTransaction(
  client: SessionClient,
  session: Session,
  id: Buffer,
): Promise<void> {
  await client.rpc.unary(
    client.target(session, 'Rollback', true),
    encodeRollback(session.name, id),
    { timeoutMs: ROLLBACK_TIMEOUT_MS },
  )
}

/** Ends a transaction of a regular session whose id nobody knows: a begin on the session voids it. Rejects with a BackendError. */
export async function rollbackOrphan(
  client: SessionClient,
  session: Session,
  transactionOptions: Buffer,
): Promise<void> {
  const { id } = await beginTransaction(client, session, transactionOptions, {
    timeoutMs: ROLLBACK_TIMEOUT_MS,
  })
  await rollbackTransaction(client, session, id)
}
