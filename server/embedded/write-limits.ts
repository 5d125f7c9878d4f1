import { status as GRPC } from '@grpc/grpc-js'
import type { EmbeddedConnection } from './connections.ts'
import { GrpcStatus } from './grpc-status.ts'
import type { MutationCost } from './mutation-cost.ts'
import type { Profile } from './profile.ts'
import type { SqlRequest } from './spanner-requests.ts'
import type { CachedStatement } from './statement-cache.ts'
import { type Prelude, runPrelude } from './statement-run.ts'

/** What one DML statement, or the mutations of one Commit, may change ("Quotas and limits"). */
export const MAX_MUTATIONS = 80_000
/** What the changes of one transaction may come to ("Quotas and limits": commit size). */
const MAX_COMMIT_BYTES = 100 * 1024 * 1024

const DELETED = 'SELECT pg_stat_get_xact_tuples_deleted('

/** Of a transaction: how much its DML may change, and how much it has changed. The emulator neither bounds nor counts. */
export class WriteLimits {
  readonly #isBounded: boolean
  #sizeBytes = 0
  #mutations = 0

  constructor(profile: Profile) {
    this.#isBounded = profile === 'production'
  }

  /** For one statement: what goes out before it, and what is asked when it has run. */
  watch(statement: CachedStatement, request: SqlRequest, connection: EmbeddedConnection) {
    const before: number[] = []
    return {
      prelude: (): readonly Prelude[] =>
        this.#cascades(statement).map(({ oid }) => ({
          sql: `${DELETED}${oid})`,
          onRow: ([count]) => before.push(Number(count)),
        })),
      /** Throws INVALID_ARGUMENT where the statement has changed more than Spanner lets one change: it must be undone. */
      counted: async (rows: number): Promise<void> => {
        const cost = statement.description?.cost
        if (!this.#isBounded || cost === undefined) return
        const cascades = this.#cascades(statement)
        const deleted = cascades.length === 0 ? [] : await deletedRows(connection, cascades)
        const along = cascades.map(
          ({ oid, perRow }, index) =>
            ((deleted[index] ?? 0) - (before[index] ?? 0) - (oid === cost.table ? rows : 0)) *
            perRow,
        )
        const mutations = along.reduce((sum, count) => sum + count, rows * cost.perRow)
        if (mutations > MAX_MUTATIONS) throw tooManyMutations()
        this.#mutations += mutations
        if (cost.storesValues) this.#sizeBytes += sizeOf(statement, request)
      },
    }
  }

  /** CommitStats.mutation_count of its DML so far; undefined under the profile of the emulator, which has none. */
  get mutations(): number | undefined {
    return this.#isBounded ? this.#mutations : undefined
  }

  /** Throws INVALID_ARGUMENT where the values of its statements are more than a commit takes. */
  refuseLargeCommit(): void {
    if (!this.#isBounded || this.#sizeBytes <= MAX_COMMIT_BYTES) return
    throw new GrpcStatus(
      GRPC.INVALID_ARGUMENT,
      `The transaction exceeds the maximum total bytes-size that can be handled by Spanner. Please reduce the size or number of the writes, or use fewer indexes. (Maximum size: ${MAX_COMMIT_BYTES})`,
    )
  }

  #cascades({ description }: CachedStatement): MutationCost['cascades'] {
    return this.#isBounded ? (description?.cost?.cascades ?? []) : []
  }
}

/** Spanner's own words. */
export function tooManyMutations(): GrpcStatus {
  return new GrpcStatus(
    GRPC.INVALID_ARGUMENT,
    `The transaction contains too many mutations. Insert and update operations count with the multiplicity of the number of columns they affect. For example, inserting values into one key column and four non-key columns count as five mutations total for the insert. Delete and delete range operations count as one mutation regardless of the number of columns affected. The total mutation count includes any changes to indexes that the transaction generates. Please reduce the number of writes, or use fewer indexes. (Maximum number: ${MAX_MUTATIONS})`,
  )
}

/** Rows of each table that this connection has deleted, by PostgreSQL's own count; it also counts what was rolled back. */
async function deletedRows(
  connection: EmbeddedConnection,
  tables: MutationCost['cascades'],
): Promise<readonly number[]> {
  const counts: number[] = []
  await runPrelude(
    connection,
    tables.map(({ oid }) => ({
      sql: `${DELETED}${oid})`,
      onRow: ([count]) => counts.push(Number(count)),
    })),
  )
  return counts
}

/** Bytes of the constants and parameters: what is computed from rows or by functions comes on top at Spanner. */
function sizeOf({ constantBytes }: CachedStatement, { params }: SqlRequest): number {
  let sizeBytes = constantBytes
  for (const value of params.values()) sizeBytes += value.length
  return sizeBytes
}
