import type { PartitionedDmlOptions, SpannerStatement } from '../backend/backend.ts'
import { isAborted } from '../backend/backend-error.ts'
import { beginTransaction } from './begin-and-rollback.ts'
import { Deadline, pause } from './deadline.ts'
import { encodeExecuteSql } from './requests.ts'
import { Pauses } from './retries.ts'
import { SpannerRowStream } from './row-stream.ts'
import { SessionLease } from './session-lease.ts'
import type { TransactionHost } from './transaction-host.ts'
import { partitionedDmlOptions } from './transaction-options.ts'

/**
 * One UPDATE or DELETE in pieces (Spanner's page on partitioned DML): BeginTransaction, ExecuteStreamingSql, no Commit. It runs
 * at least once by its nature, so that one which was aborted is simply begun again, until its deadline. Gives the lower bound
 * of the rows changed. Rejects with a BackendError.
 */
export async function runPartitionedDml(
  host: TransactionHost,
  statement: SpannerStatement,
  options: PartitionedDmlOptions,
): Promise<bigint> {
  const deadline = new Deadline(options.timeoutMs)
  const pauses = new Pauses()
  for (;;) {
    const lease = new SessionLease(host.sessions)
    try {
      return await attempt({ host, lease, deadline, options }, statement)
    } catch (error) {
      if (!isAborted(error)) throw error
      const { failure } = error
      const delayMs =
        (failure.kind === 'aborted' ? failure.retryDelayMs : undefined) ?? pauses.nextMs()
      if (!(await pause(delayMs, deadline, options.signal))) throw error
    } finally {
      lease.release()
    }
  }
}

interface Attempt {
  readonly host: TransactionHost
  readonly lease: SessionLease
  readonly deadline: Deadline
  readonly options: PartitionedDmlOptions
}

async function attempt(
  { host, lease, deadline, options }: Attempt,
  statement: SpannerStatement,
): Promise<bigint> {
  const { signal } = options
  let id: Buffer | undefined
  const stream = new SpannerRowStream({
    startRetries: () => host.rpc.startRetries(deadline, signal),
    open: async (resumeToken) => {
      const session = await lease.get(deadline, signal)
      if (id === undefined) {
        const begin = partitionedDmlOptions(options.excludeFromChangeStreams === true)
        const begun = await beginTransaction(host.client, session, begin, deadline.options(signal))
        id = begun.id
      }
      const request = encodeExecuteSql({
        session: session.name,
        selector: { kind: 'id', id },
        statement,
        resumeToken,
        seqno: 1,
        requestOptions: options.requestOptions,
      })
      return host.rpc.stream(
        host.client.target(session, 'ExecuteStreamingSql', true),
        request,
        deadline.options(signal),
      )
    },
    onMetadata: () => undefined,
    onPrecommitToken: () => undefined,
    replaceSession: () => {
      id = undefined
      return lease.replace()
    },
    onEnd: () => undefined,
  })
  while ((await stream.next()) !== undefined);
  return stream.rowCount() ?? 0n
}
