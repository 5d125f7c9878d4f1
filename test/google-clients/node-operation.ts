import type { Database, Instance, Spanner } from '@google-cloud/spanner'

/** What an operation works with: the client's own objects. */
export interface NodeClient {
  readonly spanner: Spanner
  readonly instance: Instance
  readonly database: Database
}

/** One thing that an application does with the client, and the plain values that it gets. */
export interface Operation {
  readonly name: string
  readonly expected: unknown
  run(client: NodeClient): Promise<unknown>
}

/** The gRPC code with which a call fails, under the name that a program's caller sees; its value where it does not fail. */
export async function codeOf(call: Promise<unknown>): Promise<unknown> {
  try {
    return await call
  } catch (error) {
    if (error instanceof Error && 'code' in error) return { code: error.code }
    throw error
  }
}

/** The values of rows without the client's classes, so that JSON carries them. */
export function plainRows(rows: readonly unknown[]): unknown[] {
  return rows.map((row) => plainValue(isRow(row) ? row.toJSON() : row))
}

/** A row of the client is an array that has toJSON. */
function isRow(row: unknown): row is { toJSON(): unknown } {
  return Array.isArray(row) && 'toJSON' in row
}

function plainValue(value: unknown): unknown {
  if (Buffer.isBuffer(value)) return `base64 ${value.toString('base64')}`
  if (typeof value === 'number' && !Number.isFinite(value)) return String(value)
  if (Array.isArray(value)) return value.map(plainValue)
  if (typeof value !== 'object' || value === null) return value
  if ('toJSON' in value && typeof value.toJSON === 'function') return value.toJSON()
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, plainValue(member)]))
}

/** The rows of a query outside of a transaction. */
export async function rowsOf(client: NodeClient, sql: string): Promise<unknown[]> {
  const [rows] = await client.database.run(sql)
  return plainRows(rows)
}
