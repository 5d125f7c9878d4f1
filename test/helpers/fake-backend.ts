import type {
  BackendDatabase,
  BackendTransaction,
  RowStream,
  SpannerStatement,
} from '../../server/backend/backend.ts'
import { BackendError } from '../../server/backend/backend-error.ts'
import type { Capabilities } from '../../server/backend/capabilities.ts'

export const CAPABILITIES: Capabilities = {
  concurrentWrites: true,
  survivesStatementError: true,
  forUpdate: true,
  uuidType: false,
  interval: true,
  distinctFrom: true,
  generateSeries: true,
  jsonbFunctions: true,
  aggregateOrderBy: true,
  safeNumericKeysAndNullFloats: true,
  partitionedDml: true,
  sequenceStateIsNext: false,
  repeatableRead: true,
}

/** A port that runs nothing and writes down what it was asked. `failures` names the calls that fail, each once. */
export class FakeDatabase implements BackendDatabase {
  readonly id = 'fake'
  readonly capabilities = CAPABILITIES
  readonly calls: string[] = []
  /** The transactions that were made. */
  readonly begun: string[] = []
  readonly failures = new Map<string, Error>()

  singleUse(statement: SpannerStatement): RowStream {
    return this.#stream(`single-use ${statement.sql}`)
  }

  beginReadOnly(): BackendTransaction {
    return this.#transaction('read-only')
  }

  beginReadWrite(): BackendTransaction {
    return this.#transaction('read-write')
  }

  async executePartitionedDml(statement: SpannerStatement): Promise<bigint> {
    this.#call(`partitioned ${statement.sql}`)
    return 1n
  }

  async updateDdl(): Promise<void> {
    this.#call('ddl')
  }

  async getDdl(): Promise<readonly string[]> {
    return []
  }

  async close(): Promise<void> {
    this.#call('close')
  }

  #transaction(mode: 'read-only' | 'read-write'): BackendTransaction {
    let isBegun = false
    this.begun.push(mode)
    return {
      mode,
      get isBegun() {
        return isBegun
      },
      execute: (statement) => {
        isBegun = true
        return this.#stream(`${mode} ${statement.sql}`)
      },
      executeBatch: async () => ({ rowCounts: [] }),
      commit: async () => {
        this.#call('commit')
        return {}
      },
      rollback: async () => this.#call('rollback'),
    }
  }

  #stream(call: string): RowStream {
    this.#call(call)
    let rows = 2
    return {
      columns: async () => [],
      next: async () => {
        if (rows-- <= 0) return undefined
        this.calls.push('row')
        return {
          rowCount: 1,
          columnCount: 0,
          bytes: Buffer.alloc(0),
          starts: new Uint32Array(),
          ends: new Uint32Array(),
        }
      },
      rowCount: () => 1n,
      cancel: () => {
        rows = 0
      },
    }
  }

  #call(call: string): void {
    this.calls.push(call)
    const failure = this.failures.get(call)
    this.failures.delete(call)
    if (failure !== undefined) throw failure
  }
}

export function aborted(): BackendError {
  return new BackendError('aborted', {
    failure: { kind: 'aborted', retryDelayMs: 0 },
    grpcCode: 10,
  })
}
