import type { BackendDatabase, CallOptions } from '../backend/backend.ts'
import type { SpannerType } from '../types/spanner-type.ts'
import {
  type PhysicalCheck,
  type PhysicalForeignKey,
  type PhysicalIndex,
  type PhysicalParent,
  type PhysicalSchema,
  type PhysicalTable,
  type PhysicalTableColumn,
  type PhysicalView,
  qualifyPhysical,
} from './physical-schema.ts'
import { readTextRows, type TextRow } from './spanner-query.ts'

/** Schemas that are no user's: Spanner's own, and where the logical schema is kept. */
const HIDDEN = `('information_schema', 'pg_catalog', 'spanner_sys', 'spanwire')`

/** Spanner's types by the name that information_schema prints, without length (Spanner manual, "PostgreSQL data types"). */
const TYPES: ReadonlyMap<string, SpannerType> = new Map<string, SpannerType>([
  ['boolean', { code: 'BOOL' }],
  ['bigint', { code: 'INT64' }],
  ['double precision', { code: 'FLOAT64' }],
  ['real', { code: 'FLOAT32' }],
  ['numeric', { code: 'NUMERIC', annotation: 'PG_NUMERIC' }],
  ['character varying', { code: 'STRING' }],
  ['text', { code: 'STRING' }],
  ['bytea', { code: 'BYTES' }],
  ['date', { code: 'DATE' }],
  ['timestamp with time zone', { code: 'TIMESTAMP' }],
  ['spanner.commit_timestamp', { code: 'TIMESTAMP' }],
  ['jsonb', { code: 'JSON', annotation: 'PG_JSONB' }],
  ['uuid', { code: 'UUID' }],
])

/** The type that a text of information_schema.columns.spanner_type names; undefined for types that we do not read. */
export function parseSpannerType(text: string): SpannerType | undefined {
  const element = /^(.*)\[\]/.exec(text)?.[1]
  if (element !== undefined) {
    const type = parseSpannerType(element)
    return type === undefined ? undefined : { code: 'ARRAY', element: type }
  }
  return TYPES.get(text.replace(/\(\d+\)$/, ''))
}

/**
 * What Spanner holds, read from its information_schema: tables with all their parts, views, sequences and named schemas. Columns of
 * types that we do not read are left out, and with them the tables whose key they are part of. Where there is no table and no view,
 * nothing is asked about them.
 */
export async function readPhysicalSchema(
  backend: BackendDatabase,
  hasTables: boolean,
  options: CallOptions,
): Promise<PhysicalSchema> {
  const ofTables = [
    TABLES,
    COLUMNS,
    INDEX_COLUMNS,
    KEY_COLUMNS,
    KEY_TARGETS,
    CHECKS,
    VIEWS,
    SEARCH_INDEXES,
  ]
  const queries = [SCHEMAS, SEQUENCES, ...(hasTables ? ofTables : [])]
  const answers = await Promise.all(queries.map((sql) => readTextRows(backend, sql, options)))
  const [schemas, sequences, tables, columns, indexColumns, keyColumns, keyTargets, checks] =
    answers
  const [views, searchIndexes] = hasTables ? answers.slice(queries.indexOf(VIEWS)) : []
  const parts: TableParts = {
    columns: groupByTable(columns, toColumn),
    unreadColumns: groupByTable(columns, (row) => (isReadable(row) ? [] : [row[2] ?? ''])),
    searchIndexes: groupByTable(searchIndexes, ([, , name]) => [name ?? '']),
    indexes: groupIndexes(indexColumns),
    foreignKeys: groupForeignKeys(keyColumns, keyTargets),
    checks: groupByTable(checks, ([, , name, clause]) => [
      { name: name ?? '', expression: clause ?? '' },
    ]),
  }
  return {
    schemas: (schemas ?? []).map(([name]) => name ?? ''),
    sequences: (sequences ?? []).map(([schema, name]) => ({ name: tableName(schema, name) })),
    tables: (tables ?? []).flatMap((row) => toTable(row, parts)),
    views: (views ?? []).map((row) => toView(row, columns ?? [])),
  }
}

const SCHEMAS = `SELECT schema_name FROM information_schema.schemata
WHERE schema_name NOT IN ${HIDDEN} AND schema_name <> 'public' ORDER BY schema_name`

const TABLES = `SELECT table_schema, table_name, parent_table_name, on_delete_action, interleave_type, row_deletion_policy_expression
FROM information_schema.tables
WHERE table_type = 'BASE TABLE' AND table_schema NOT IN ${HIDDEN} ORDER BY table_schema, table_name`

const COLUMNS = `SELECT table_schema, table_name, column_name, spanner_type, is_nullable, column_default, generation_expression
FROM information_schema.columns WHERE table_schema NOT IN ${HIDDEN} ORDER BY table_schema, table_name, ordinal_position`

const INDEX_COLUMNS = `SELECT c.table_schema, c.table_name, c.index_name, c.index_type, i.is_unique, i.is_null_filtered,
  c.column_name, c.ordinal_position, c.column_ordering
FROM information_schema.index_columns c JOIN information_schema.indexes i
  ON i.table_schema = c.table_schema AND i.table_name = c.table_name AND i.index_name = c.index_name
WHERE c.table_schema NOT IN ${HIDDEN} AND i.spanner_is_managed = 'NO' AND c.index_type IN ('PRIMARY_KEY', 'INDEX')
ORDER BY c.table_schema, c.table_name, c.index_name, c.ordinal_position`

const KEY_COLUMNS = `SELECT t.table_schema, t.table_name, t.constraint_name, k.column_name, r.delete_rule
FROM information_schema.table_constraints t
JOIN information_schema.key_column_usage k ON k.constraint_schema = t.constraint_schema AND k.constraint_name = t.constraint_name
JOIN information_schema.referential_constraints r ON r.constraint_schema = t.constraint_schema AND r.constraint_name = t.constraint_name
WHERE t.constraint_type = 'FOREIGN KEY' AND t.table_schema NOT IN ${HIDDEN}
ORDER BY t.table_schema, t.table_name, t.constraint_name, k.ordinal_position`

/**
 * The columns that a key references, in order, are those of its unique constraint, which may be a hidden one. Of that, the
 * emulator gives the wrong schema: constraint_column_usage says which table it is.
 */
const KEY_TARGETS = `SELECT DISTINCT r.constraint_schema, r.constraint_name, k.table_schema, k.table_name, k.column_name, k.ordinal_position
FROM information_schema.referential_constraints r
JOIN information_schema.constraint_column_usage u
  ON u.constraint_schema = r.constraint_schema AND u.constraint_name = r.constraint_name
JOIN information_schema.key_column_usage k
  ON k.constraint_name = r.unique_constraint_name AND k.table_schema = u.table_schema AND k.table_name = u.table_name
ORDER BY r.constraint_schema, r.constraint_name, k.ordinal_position`

const CHECKS = `SELECT t.table_schema, t.table_name, t.constraint_name, c.check_clause
FROM information_schema.table_constraints t
JOIN information_schema.check_constraints c ON c.constraint_schema = t.constraint_schema AND c.constraint_name = t.constraint_name
WHERE t.constraint_type = 'CHECK' AND t.constraint_name NOT LIKE 'CK_IS_NOT_NULL_%' AND t.table_schema NOT IN ${HIDDEN}
ORDER BY t.table_schema, t.table_name, t.constraint_name`

const VIEWS = `SELECT table_schema, table_name, view_definition FROM information_schema.views
WHERE table_schema NOT IN ${HIDDEN} ORDER BY table_schema, table_name`

const SEARCH_INDEXES = `SELECT table_schema, table_name, index_name FROM information_schema.indexes
WHERE table_schema NOT IN ${HIDDEN} AND index_type = 'SEARCH' ORDER BY table_schema, table_name, index_name`

const SEQUENCES = `SELECT sequence_schema, sequence_name FROM information_schema.sequences
WHERE sequence_schema NOT IN ${HIDDEN} ORDER BY sequence_schema, sequence_name`

interface FoundIndex extends PhysicalIndex {
  readonly isPrimaryKey: boolean
}

interface TableParts {
  readonly columns: ReadonlyMap<string, readonly PhysicalTableColumn[]>
  readonly indexes: ReadonlyMap<string, readonly FoundIndex[]>
  readonly foreignKeys: ReadonlyMap<string, readonly PhysicalForeignKey[]>
  readonly checks: ReadonlyMap<string, readonly PhysicalCheck[]>
  readonly searchIndexes: ReadonlyMap<string, readonly string[]>
  readonly unreadColumns: ReadonlyMap<string, readonly string[]>
}

type Cell = string | null | undefined

function tableName(schema: Cell, name: Cell): string {
  return qualifyPhysical(schema === 'public' ? '' : (schema ?? ''), name ?? '')
}

/** Rows whose first two cells name a table, as parts of it. */
function groupByTable<T>(
  rows: readonly TextRow[] = [],
  toParts: (row: TextRow) => readonly T[],
): Map<string, T[]> {
  const groups = new Map<string, T[]>()
  for (const row of rows) {
    const table = tableName(row[0], row[1])
    groups.set(table, [...(groups.get(table) ?? []), ...toParts(row)])
  }
  return groups
}

function isReadable([, , , sqlType]: TextRow): boolean {
  return parseSpannerType(sqlType ?? '') !== undefined
}

function toColumn(row: TextRow): PhysicalTableColumn[] {
  const [, , name, sqlType, nullable, defaultSql, generated] = row
  const type = parseSpannerType(sqlType ?? '')
  if (type === undefined) return []
  return [
    {
      name: name ?? '',
      type,
      sqlType: sqlType ?? '',
      notNull: nullable === 'NO',
      ...(defaultSql == null ? {} : { default: asWritten(defaultSql) }),
      ...(generated == null ? {} : { generated }),
    },
  ]
}

/** A draw from a sequence as DDL has it (physical-sequence.ts): Spanner prints the type of the constant, too. */
function asWritten(defaultSql: string): string {
  return defaultSql.replace(/^nextval\(('(?:[^']|'')+')::text\)$/, 'nextval($1)')
}

function groupIndexes(rows: readonly TextRow[] = []): ReadonlyMap<string, readonly FoundIndex[]> {
  const byName = new Map<string, TextRow[]>()
  for (const row of rows) {
    const key = JSON.stringify(row.slice(0, 3))
    byName.set(key, [...(byName.get(key) ?? []), row])
  }
  const groups = new Map<string, FoundIndex[]>()
  for (const members of byName.values()) {
    const [schema, table, name, kind, unique, isNullFiltered] = members[0] ?? []
    const keys = members.filter((row) => row[7] !== null)
    const key = tableName(schema, table)
    const index: FoundIndex = {
      isPrimaryKey: kind === 'PRIMARY_KEY',
      name: name ?? '',
      unique: unique === 'YES',
      columns: keys.map(([, , , , , , column, , ordering]) => ({
        name: column ?? '',
        descending: ordering?.startsWith('DESC') ?? false,
        nullsFirst: ordering === 'DESC' || (ordering?.endsWith('NULLS FIRST') ?? false),
      })),
      include: members.filter((row) => row[7] === null).map((row) => row[6] ?? ''),
      notNull: isNullFiltered === 'YES' ? keys.map((row) => row[6] ?? '') : [],
    }
    groups.set(key, [...(groups.get(key) ?? []), index])
  }
  return groups
}

function groupForeignKeys(
  rows: readonly TextRow[] = [],
  targetRows: readonly TextRow[] = [],
): ReadonlyMap<string, readonly PhysicalForeignKey[]> {
  const groups = new Map<string, PhysicalForeignKey[]>()
  for (const [schema, table, name, column, rule] of rows) {
    const key = tableName(schema, table)
    const keys = groups.get(key) ?? []
    groups.set(key, keys)
    const last = keys.at(-1)
    if (last !== undefined && last.name === name) {
      keys[keys.length - 1] = { ...last, columns: [...last.columns, column ?? ''] }
      continue
    }
    const targets = targetRows.filter((row) => row[0] === schema && row[1] === name)
    keys.push({
      name: name ?? '',
      columns: [column ?? ''],
      referencedTable: tableName(targets[0]?.[2], targets[0]?.[3]),
      referencedColumns: targets.map((row) => row[4] ?? ''),
      onDelete: rule === 'CASCADE' ? 'cascade' : 'no-action',
    })
  }
  return groups
}

function toTable(row: TextRow, parts: TableParts): PhysicalTable[] {
  const [schema, name] = row
  const key = tableName(schema, name)
  const columns = parts.columns.get(key) ?? []
  const indexes = parts.indexes.get(key) ?? []
  const primaryKey = indexes.find((index) => index.isPrimaryKey)?.columns.map((c) => c.name) ?? []
  if (!primaryKey.every((keyName) => columns.some((column) => column.name === keyName))) return []
  return [
    {
      name: key,
      columns,
      primaryKey,
      checks: parts.checks.get(key) ?? [],
      foreignKeys: parts.foreignKeys.get(key) ?? [],
      indexes: indexes
        .filter((index) => !index.isPrimaryKey)
        .map(({ isPrimaryKey: _, ...index }) => index),
      ...foreignParts(row, parts),
    },
  ]
}

/** What only somebody else's DDL can have given a table. */
function foreignParts(
  [schema, name, parent, onDelete, interleaving, ttl]: TextRow,
  parts: TableParts,
): Pick<PhysicalTable, 'parent' | 'searchIndexes' | 'unseen'> {
  const key = tableName(schema, name)
  const searchIndexes = parts.searchIndexes.get(key) ?? []
  const isChild = parent != null && parent !== ''
  const unseen = [
    ...(parts.unreadColumns.get(key) ?? []).map((column) => `column "${column}"`),
    ...searchIndexes.map((index) => `search index "${index}"`),
    ...(ttl == null ? [] : ['a row deletion policy']),
    ...(isChild ? [`its place in table "${parent}"`] : []),
  ]
  return {
    ...(isChild && interleaving === 'IN PARENT'
      ? { parent: toParent(schema, parent, onDelete) }
      : {}),
    ...(searchIndexes.length === 0 ? {} : { searchIndexes }),
    ...(unseen.length === 0 ? {} : { unseen }),
  }
}

/** Spanner leaves the schema out where it is the child's. */
function toParent(schema: Cell, parent: string, onDelete: Cell): PhysicalParent {
  return {
    table: parent.includes('.') ? parent : tableName(schema, parent),
    onDelete: onDelete === 'CASCADE' ? 'cascade' : 'no-action',
  }
}

function toView([schema, name, definition]: TextRow, columns: readonly TextRow[]): PhysicalView {
  return {
    name: tableName(schema, name),
    columns: columns
      .filter((column) => column[0] === schema && column[1] === name)
      .map((column) => column[2] ?? ''),
    definition: definition ?? '',
  }
}
