import { startCompanion } from '../../server/companion/companion.ts'
import type {
  AnalyseRequest,
  ReadAnswer,
  ReadRequest,
  ServiceRow,
  SessionContext,
} from '../../server/companion/companion-types.ts'
import { findPostgresBinaries } from '../../server/companion/postgres-binaries.ts'
import { parseDataRow } from '../../server/wire/backend-decoder.ts'
import { makeWorkspace, type Workspace } from './test-cluster.ts'

export const signal = AbortSignal.timeout(120_000)

/** Starts a companion in a workspace; `end` stops it and removes the workspace. */
export async function startTestCompanion(existing?: Workspace) {
  const workspace = existing ?? (await makeWorkspace())
  const binaries = await findPostgresBinaries({ stateDir: workspace.stateDir, signal })
  const companion = await startCompanion({
    binaries,
    dataDir: workspace.dataDir,
    socketDir: workspace.socketDir,
    signal,
  })
  return {
    companion,
    workspace,
    end: async () => {
      await companion.stop()
      await workspace.remove()
    },
  }
}

export function session(settings: Record<string, string> = {}, user = 'alice'): SessionContext {
  return {
    user,
    settings: new Map(Object.entries(settings)),
    backendPid: 4711,
  }
}

export function statement(text: string, context = session()): ReadRequest {
  const request: AnalyseRequest = { text, paramTypes: [], session: context, signal }
  return { ...request, paramFormats: [], params: [], resultFormats: [] }
}

/** Rows of an answer in text format, by column name. */
export function textRows(answer: ReadAnswer): ServiceRow[] {
  return answer.rows.map((row) => {
    const values = parseDataRow(row.subarray(5))
    return Object.fromEntries(
      (answer.fields ?? []).map((field, index) => [
        field.name,
        values[index]?.toString('utf8') ?? null,
      ]),
    )
  })
}
