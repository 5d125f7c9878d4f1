import type {
  BackendDatabase,
  BackendTransaction,
  BatchResult,
  ReadWriteOptions,
  RowBatch,
  RowStream,
  SpannerStatement,
} from '../../server/backend/backend.ts'
import { BackendError } from '../../server/backend/backend-error.ts'
import type { Capabilities } from '../../server/backend/capabilities.ts'
import { isAnswer } from '../../server/transaction/statement-failure.ts'
import { CAPABILITIES } from './fake-backend.ts'

/** What a statement comes to. */
export interface ScriptedAnswer {
  /** Rows of one cell, one batch each. */
  readonly rows?: readonly string[]
  /** Of DML. */
  readonly count?: bigint
  /** Instead of an answer; after the rows where there are some. */
  readonly error?: Error
}

/** Answers the statement `sql` in attempt number `attempt` (from 1). */
export type Script = (sql: string, attempt: number) => ScriptedAnswer

/** A port that answers by a script, attempt for attempt, and writes down what it was asked. */
export class ScriptedDatabase implements BackendDatabase {
  readonly id = 'scripted'
  readonly capabilities: Capabilities
  readonly calls: string[] = []
  readonly #script: Script
  #attempts = 0

  constructor(script: Script, capabilities: Partial<Capabilities> = {}) {
    this.#script = script
    this.capabilities = { ...CAPABILITIES, ...capabilities }
  }

  singleUse(statement: SpannerStatement): RowStream {
    this.calls.push(`single-use ${statement.sql}`)
    return streamOf(this.#script(statement.sql, 0))
  }

  beginReadOnly(): BackendTransaction {
    throw new Error('not scripted')
  }

  beginReadWrite(options: ReadWriteOptions): BackendTransaction {
    const attempt = ++this.#attempts
    const seniority = options.previousAttempt === undefined ? '' : ' again'
    this.calls.push(`begin ${attempt}${seniority}`)
    return {
      mode: 'read-write',
      isBegun: true,
      execute: ({ sql }) => {
        this.calls.push(`${attempt}: ${sql}`)
        return streamOf(this.#script(sql, attempt))
      },
      executeBatch: async (statements) => {
        this.calls.push(`${attempt}: [${statements.map(({ sql }) => sql).join(', ')}]`)
        return batchOf(statements.map(({ sql }) => this.#script(sql, attempt)))
      },
      commit: async () => {
        this.calls.push(`${attempt}: commit`)
        const { error } = this.#script('commit', attempt)
        if (error !== undefined) throw error
        return {}
      },
      rollback: async () => {
        this.calls.push(`${attempt}: rollback`)
      },
    }
  }

  async executePartitionedDml(): Promise<bigint> {
    throw new Error('not scripted')
  }

  async updateDdl(): Promise<void> {}

  async getDdl(): Promise<readonly string[]> {
    return []
  }

  async close(): Promise<void> {}
}

function batchOf(answers: readonly ScriptedAnswer[]): BatchResult {
  const failed = answers.findIndex(({ error }) => error !== undefined)
  const error = answers[failed]?.error
  if (error instanceof BackendError && !isAnswer(error.failure)) throw error
  const ran = failed < 0 ? answers : answers.slice(0, failed)
  return { rowCounts: ran.map(({ count = 0n }) => count), error }
}

function streamOf({ rows = [], count, error }: ScriptedAnswer): RowStream {
  let at = 0
  return {
    columns: async () => [],
    next: async () => {
      const cell = rows[at++]
      if (cell !== undefined) return batchOfRow(cell)
      if (error !== undefined) throw error
      return undefined
    },
    rowCount: () => count,
    cancel: () => {
      at = rows.length
    },
  }
}

function batchOfRow(cell: string): RowBatch {
  const bytes = Buffer.from(cell)
  return {
    rowCount: 1,
    columnCount: 1,
    bytes,
    starts: Uint32Array.of(0),
    ends: Uint32Array.of(bytes.length),
  }
}
