import type { RpcClient } from './rpc-client.ts'
import type { Sessions } from './session.ts'
import type { SessionClient } from './session-client.ts'

/** What transactions and reads need of their database. */
export interface TransactionHost {
  readonly rpc: RpcClient
  readonly client: SessionClient
  readonly sessions: Sessions
  /**
   * The official emulator keeps the lock of a transaction whose inlined begin came with a statement that failed: only a
   * begin on the same session ends it.
   */
  readonly orphansFailedBegin: boolean
  /** The official emulator looks a sequence up in whichever database was used last, if in any: the next attempt may find it. */
  readonly mixesUpSequences: boolean
}
