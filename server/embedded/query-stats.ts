import { ProtoWriter } from '../base/protobuf-writer.ts'
import type { RowSink } from './result-writer.ts'
import { QUERY_MODE } from './spanner-requests.ts'

/** Fields of google.spanner.v1.ResultSetStats. */
const STATS = { queryPlan: 1, queryStats: 2 } as const

/** google.spanner.v1.QueryPlan of one PlanNode: PostgreSQL's plan has no operators of Spanner's. The emulator gives the same. */
function encodeNoPlan(): Buffer {
  const node = new ProtoWriter().string(3, 'No query plan').take()
  return new ProtoWriter().message(1, node).take()
}

/** google.protobuf.Struct of texts. */
function encodeTexts(texts: Readonly<Record<string, string>>): Buffer {
  const out = new ProtoWriter()
  for (const [name, text] of Object.entries(texts)) {
    const value = new ProtoWriter().string(3, text).take()
    out.message(1, new ProtoWriter().string(1, name).message(2, value).take())
  }
  return out.take()
}

/**
 * A sink that tells, beside the rows, what the query mode asks for: of PLAN the plan, of PROFILE also how many rows came in which time. As
 * the emulator, a stream has no plan.
 */
export function withQueryStats(
  sink: RowSink,
  { queryMode, isStream }: { readonly queryMode: number; readonly isStream: boolean },
): RowSink {
  const isProfile = queryMode === QUERY_MODE.profile
  if (!isProfile && queryMode !== QUERY_MODE.plan) return sink
  const startMs = performance.now()
  let rows = 0
  return {
    start: (metadata, columns) => sink.start(metadata, columns),
    row: (frame) => {
      rows++
      return sink.row(frame)
    },
    end: (stats) => {
      const out = new ProtoWriter()
      if (!isStream) out.message(STATS.queryPlan, encodeNoPlan())
      if (isProfile) {
        const elapsed = `${(performance.now() - startMs).toFixed(6)}ms`
        out.message(
          STATS.queryStats,
          encodeTexts({ rows_returned: String(rows), elapsed_time: elapsed }),
        )
      }
      if (stats !== undefined) out.raw(stats)
      return sink.end(out.length === 0 ? undefined : out.take())
    },
  }
}
