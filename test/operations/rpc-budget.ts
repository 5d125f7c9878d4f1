import type { Test } from 'tap'
import type { RecordedCall, RecordingProxy } from '../helpers/recording-proxy.ts'
import { beginsSchemaLook, isSchemaLook } from '../helpers/schema-look.ts'

/** One row of the budget: what a client does, and every call that Spanner gets for it. */
export interface BudgetRow {
  readonly what: string
  readonly run: () => Promise<unknown>
  /** In order, as {@link describeCall} writes them. */
  readonly calls: readonly string[]
}

export const DATABASE = 'budget'
export const USER = 'tester'

/** What a DDL transaction costs, however many statements it has: the batch, then rows, journal and version. */
export const DDL_CALLS = ['UpdateDatabaseDdl', 'ExecuteBatchDml: begin', 'Commit']

/** {@link checkRows}, bound to a proxy. */
export type CheckRows = (t: Test, rows: readonly BudgetRow[]) => Promise<void>

const MINUTE_MS = 60_000

/**
 * Runs rows one after the other, and counts: sessions included, the polls of DDL operations left out, and the look at the schema that comes once a
 * minute.
 */
export async function checkRows(
  t: Test,
  proxy: RecordingProxy,
  rows: readonly BudgetRow[],
): Promise<void> {
  const startedMs = performance.now()
  let looks = 0
  for (const { what, run, calls } of rows) {
    proxy.clear()
    await run()
    looks += proxy.calls.filter(beginsSchemaLook).length
    const made = proxy.calls.filter((call) => call.method !== 'GetOperation' && !isSchemaLook(call))
    t.strictSame(made.map(describeCall), calls, what)
  }
  const minutes = (performance.now() - startedMs) / MINUTE_MS
  t.ok(looks <= minutes + 1, `${looks} looks at the schema in ${minutes} minutes`)
}

/** The method, and for a statement the transaction that it runs in: `read` is a single-use strong read. */
function describeCall(call: RecordedCall): string {
  const { method } = call
  if (method !== 'ExecuteStreamingSql' && method !== 'ExecuteBatchDml') return method
  const selector = call.request()['transaction'] as TransactionSelector
  const mode = describeSelector(selector)
  return method === 'ExecuteBatchDml' ? `${method}: ${mode}` : mode
}

interface TransactionSelector {
  readonly id?: Buffer
  readonly begin?: TransactionOptions
  readonly singleUse?: TransactionOptions
}

interface TransactionOptions {
  readonly readOnly?: { readonly strong?: boolean }
  readonly readWrite?: object
}

function describeSelector({ id, begin, singleUse }: TransactionSelector): string {
  if (id !== undefined) return 'execute'
  if (begin?.readWrite !== undefined) return 'begin'
  if (begin?.readOnly?.strong === true) return 'begin read only'
  if (singleUse?.readOnly?.strong === true) return 'read'
  return 'unknown transaction'
}
