import { status as GRPC } from '@grpc/grpc-js'
import type { ServiceRow } from '../companion/companion-types.ts'
import type { SpannerType } from '../types/spanner-type.ts'
import { GrpcStatus } from './grpc-status.ts'
import { spannerTypeOf } from './pg-types.ts'

/** A column as reads and mutations need it. */
export interface ColumnShape {
  readonly name: string
  readonly type: SpannerType
  /** Takes the timestamp of the commit. */
  readonly isCommitTimestamp: boolean
}

/** A column of a key; `isDescending` as its index is sorted. */
export interface KeyPart extends ColumnShape {
  readonly isDescending: boolean
}

/** A table with one of its keys: the primary key, or that of an index. */
export interface TableShape {
  /** As the client wrote it. */
  readonly name: string
  /** Quoted, for SQL. */
  readonly sql: string
  readonly columns: ReadonlyMap<string, ColumnShape>
  readonly key: readonly KeyPart[]
}

const SHAPE_QUERY = `
SELECT a.attname AS name, (CASE t.typtype WHEN 'd' THEN t.typbasetype ELSE t.oid END)::text AS oid,
  (t.oid = 'spanner.commit_timestamp'::regtype)::text AS stamped, k.pos::text AS pos, (k.options & 1)::text AS descending
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
JOIN pg_type t ON t.oid = a.atttypid
JOIN pg_index x ON x.indrelid = c.oid
LEFT JOIN LATERAL (SELECT u.num, u.pos, x.indoption[u.pos - 1] AS options FROM unnest(x.indkey::int2[]) WITH ORDINALITY u(num, pos)
  WHERE u.pos <= x.indnkeyatts AND u.num = a.attnum) k ON true
WHERE n.nspname = $1 AND c.relname = $2 AND c.relkind = 'r'
  AND CASE WHEN $3 = '' THEN x.indisprimary ELSE x.indexrelid = (SELECT i.oid FROM pg_class i WHERE i.relname = $3 AND i.relnamespace = c.relnamespace) END
ORDER BY k.pos, a.attnum`

/** `name` in double quotes. */
export function quoteIdentifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

/** Asks what a table looks like. Throws NOT_FOUND for a table or index that is not there. */
export async function loadTableShape(
  query: (text: string, params: readonly string[]) => Promise<readonly ServiceRow[]>,
  table: string,
  index: string,
): Promise<TableShape> {
  const dot = table.indexOf('.')
  const schema = dot < 0 ? 'public' : table.slice(0, dot)
  const relation = table.slice(dot + 1)
  const indexName = index.slice(index.indexOf('.') + 1)
  const isSystem = schema === 'spanner' || /^(?:_spanner|pg_|information_schema)/.test(schema)
  const rows = isSystem ? [] : await query(SHAPE_QUERY, [schema, relation, indexName])
  if (rows.length === 0) throw await notFound(query, table, index)
  const columns = new Map<string, ColumnShape>()
  const key: KeyPart[] = []
  for (const row of rows) {
    const type = spannerTypeOf(Number(row['oid']))
    if (type === undefined) continue
    const column = { name: row['name'] ?? '', type, isCommitTimestamp: row['stamped'] === 'true' }
    columns.set(column.name, column)
    if (row['pos'] !== null) key.push({ ...column, isDescending: row['descending'] === '1' })
  }
  const sql = `${quoteIdentifier(schema)}.${quoteIdentifier(relation)}`
  return { name: table, sql, columns, key }
}

async function notFound(
  query: (text: string, params: readonly string[]) => Promise<readonly ServiceRow[]>,
  table: string,
  index: string,
): Promise<GrpcStatus> {
  if (index !== '') {
    await loadTableShape(query, table, '')
    return new GrpcStatus(GRPC.NOT_FOUND, `Index not found on table ${table}: ${index}`)
  }
  return new GrpcStatus(GRPC.NOT_FOUND, `Table not found: ${table}`)
}

/** Throws NOT_FOUND. */
export function mustFindColumn(table: TableShape, name: string): ColumnShape {
  const column = table.columns.get(name)
  if (column !== undefined) return column
  throw new GrpcStatus(GRPC.NOT_FOUND, `Column not found in table ${table.name}: ${name}`)
}
