import { status as GRPC } from '@grpc/grpc-js'
import type { ServiceRow } from '../companion/companion-types.ts'
import type { SpannerType } from '../types/spanner-type.ts'
import { GrpcStatus, missingField } from './grpc-status.ts'
import { spannerTypeOf } from './pg-types.ts'
import { readTableWrites, TABLE_WRITES, type TableWrites } from './table-writes.ts'

/** A column as reads and mutations need it. */
export interface ColumnShape {
  readonly name: string
  /** As PostgreSQL counts the table's columns. */
  readonly number: number
  readonly type: SpannerType
  /** Takes the timestamp of the commit. */
  readonly isCommitTimestamp: boolean
  readonly isGenerated: boolean
  /** Stored in the index that the shape was asked for; always of the primary key. */
  readonly isHeld: boolean
}

/** A column of a key, as its index is sorted. */
export interface KeyPart extends ColumnShape {
  readonly isDescending: boolean
  readonly areNullsFirst: boolean
}

/** A table with one of its keys: the primary key, or that of an index. */
export interface TableShape {
  /** As the client wrote it. */
  readonly name: string
  /** What the key is of: the table, or its index. */
  readonly keyName: string
  /** Quoted, for SQL. */
  readonly sql: string
  /** Condition of SQL on the rows that the index holds; undefined where it holds all. */
  readonly heldRows: string | undefined
  readonly columns: ReadonlyMap<string, ColumnShape>
  readonly key: readonly KeyPart[]
  /** The columns of the primary key that are not in the index's: they tell its equal keys apart. */
  readonly rest: readonly ColumnShape[]
  readonly writes: TableWrites
}

const SHAPE_QUERY = `
SELECT a.attname AS name, c.relname AS relation, pg_get_expr(x.indpred, c.oid) AS held_rows, a.attnum::text AS number, CASE WHEN row_number() OVER () = 1 THEN ${TABLE_WRITES} ELSE '' END AS writes, (CASE t.typtype WHEN 'd' THEN t.typbasetype ELSE t.oid END)::text AS oid,
  (t.oid = 'spanner.commit_timestamp'::regtype)::text AS stamped, (a.attgenerated <> '')::text AS generated, k.pos::text AS pos, (k.options & 1)::text AS descending, (k.options & 2)::text AS nulls_first,
  array_position(p.indkey::int2[], a.attnum)::text AS primary_pos,
  (x.indisprimary OR a.attnum = ANY (x.indkey::int2[]) OR a.attnum = ANY (p.indkey::int2[]))::text AS held
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
JOIN pg_type t ON t.oid = a.atttypid
JOIN pg_index x ON x.indrelid = c.oid
JOIN pg_index p ON p.indrelid = c.oid AND p.indisprimary
LEFT JOIN LATERAL (SELECT u.num, u.pos, x.indoption[u.pos - 1] AS options FROM unnest(x.indkey::int2[]) WITH ORDINALITY u(num, pos)
  WHERE u.pos <= x.indnkeyatts AND u.num = a.attnum) k ON true
WHERE n.nspname = $1 AND lower(c.relname) = lower($2) AND c.relkind = 'r'
  AND CASE WHEN $3 = '' THEN x.indisprimary ELSE x.indexrelid = (SELECT i.oid FROM pg_class i WHERE lower(i.relname) = lower($3) AND i.relnamespace = c.relnamespace) END
ORDER BY k.pos, array_position(p.indkey::int2[], a.attnum), a.attnum`

/** `name` in double quotes. */
export function quoteIdentifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

/** Asks what a table looks like; names of tables and indexes differ in more than case. Throws NOT_FOUND for a table or index that is not there. */
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
  const rest: ColumnShape[] = []
  for (const row of rows) {
    const type = spannerTypeOf(Number(row['oid']))
    if (type === undefined) continue
    const column = {
      name: row['name'] ?? '',
      number: Number(row['number']),
      type,
      isCommitTimestamp: row['stamped'] === 'true',
      isGenerated: row['generated'] === 'true',
      isHeld: row['held'] === 'true',
    }
    columns.set(column.name, column)
    if (row['pos'] !== null)
      key.push({
        ...column,
        isDescending: row['descending'] === '1',
        areNullsFirst: row['nulls_first'] === '2',
      })
    else if (row['primary_pos'] !== null) rest.push(column)
  }
  const sql = `${quoteIdentifier(schema)}.${quoteIdentifier(rows[0]?.['relation'] ?? '')}`
  const writes = readTableWrites(rows.map((row) => row['writes'] ?? '').join(''))
  return {
    name: table,
    keyName: index === '' ? table : index,
    sql,
    heldRows: rows[0]?.['held_rows'] ?? undefined,
    columns,
    key,
    rest,
    writes,
  }
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
  if (table === '') return missingField('table')
  return new GrpcStatus(GRPC.NOT_FOUND, `Table not found: ${table}`)
}

/** A column, in whatever case it is written: no table has two that differ in case alone. */
export function findColumn({ columns }: TableShape, name: string): ColumnShape | undefined {
  const folded = name.toLowerCase()
  return columns.get(name) ?? [...columns.values()].find((one) => one.name.toLowerCase() === folded)
}

/** Throws NOT_FOUND. */
export function mustFindColumn(table: TableShape, name: string): ColumnShape {
  const column = findColumn(table, name)
  if (column !== undefined) return column
  throw new GrpcStatus(GRPC.NOT_FOUND, `Column not found in table ${table.name}: ${name}`)
}
