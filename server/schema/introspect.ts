import { createHash } from 'node:crypto'
import { INTERLEAVING } from '../backend/backend-error.ts'
import { findPgType, OID } from '../types/pg-type.ts'
import type { SpannerTypeCode } from '../types/spanner-type.ts'
import type {
  DeclaredColumn,
  DeclaredConstraint,
  DeclaredIndex,
  DeclaredSchema,
  QualifiedName,
} from './declared-object.ts'
import { toSpannerExpression } from './physical-expression.ts'
import {
  type PhysicalForeignKey,
  type PhysicalIndex,
  type PhysicalSchema,
  type PhysicalTable,
  type PhysicalTableColumn,
  type PhysicalView,
  physicalSchemaOf,
  type StoredObject,
  type StoredSequence,
  type StoredTable,
  type StoredView,
} from './physical-schema.ts'
import { nextvalSqlOf } from './physical-sequence.ts'
import { quoteIdentifier } from './postgres-text.ts'

/*
 * A schema that somebody else made is taken as declared the way it is stored, name by name. Ids are hashes of Spanner's names, so
 * that every proxy gives an object the same one. Definitions need not be PostgreSQL's own print: once the mirror has
 * them, its catalogs give that.
 */

/** What introspected objects are given that Spanner does not know. */
export interface IntrospectOptions {
  /** The role that owns what no client made. */
  readonly owner: string
  /** `public` as every mirror has it. */
  readonly publicSchema: DeclaredSchema | undefined
}

/** Stored rows, with the identity mapping, for what Spanner holds. */
export function introspect(schema: PhysicalSchema, options: IntrospectOptions): StoredObject[] {
  const { owner, publicSchema } = options
  const schemas = schema.schemas.map((name): StoredObject => {
    return {
      kind: 'schema',
      id: foreignId('schema', name),
      declared: { kind: 'schema', name, owner },
      physical: name,
    }
  })
  if (publicSchema !== undefined) {
    schemas.unshift({
      kind: 'schema',
      id: foreignId('schema', 'public'),
      declared: publicSchema,
      physical: '',
    })
  }
  const sequences = schema.sequences.map((sequence): StoredSequence => {
    const declared = {
      kind: 'sequence' as const,
      ...logicalName(sequence.name),
      owner,
      type: 'bigint' as const,
      start: '1',
      increment: '1',
      min: '1',
      max: '9223372036854775807',
      cache: '1',
      cycle: false,
    }
    const values = 'bit-reversed'
    const nextvalSql = nextvalSqlOf(sequence.name, declared, { values, width: 64 })
    return {
      kind: 'sequence',
      id: foreignId('sequence', sequence.name),
      declared,
      physical: sequence,
      values,
      nextvalSql,
    }
  })
  const names = new Set(schema.sequences.map((sequence) => sequence.name))
  const byName = new Map(schema.tables.map((table) => [table.name, table]))
  const tables = schema.tables.map((table) =>
    toStoredTable(table, { owner, sequences: names, tables: byName }),
  )
  const views = schema.views.map((view) => toStoredView(view, owner))
  return [...schemas, ...sequences, ...tables, ...views]
}

/** Its definition is Spanner's until a mirror has made PostgreSQL's of it. */
function toStoredView(view: PhysicalView, owner: string): StoredView {
  return {
    kind: 'view',
    id: foreignId('view', view.name),
    declared: {
      kind: 'view',
      ...logicalName(view.name),
      owner,
      columns: view.columns.map((name) => ({ name })),
      definition: view.definition,
    },
    physical: view,
  }
}

function foreignId(kind: string, name: string): string {
  return createHash('sha256').update(`${kind} ${name}`).digest('hex').slice(0, 32)
}

function logicalName(physicalName: string): QualifiedName {
  const schema = physicalSchemaOf(physicalName)
  return schema === ''
    ? { schema: 'public', name: physicalName }
    : { schema, name: physicalName.slice(schema.length + 1) }
}

/** What a table is seen among. */
interface Surroundings {
  readonly owner: string
  readonly sequences: ReadonlySet<string>
  readonly tables: ReadonlyMap<string, PhysicalTable>
}

function toStoredTable(
  table: PhysicalTable,
  { owner, sequences, tables }: Surroundings,
): StoredTable {
  const name = logicalName(table.name)
  const indexes = table.indexes.filter((index) => isSeen(index, table))
  const parent = interleaving(table, tables)
  const constraints = [
    ...primaryKey(table, name),
    ...checks(table),
    ...table.foreignKeys.filter((key) => isSeenKey(key, table, tables)).map(foreignKey),
    ...parent,
  ]
  const same = (names: readonly string[]) => Object.fromEntries(names.map((each) => [each, each]))
  return {
    kind: 'table',
    id: foreignId('table', table.name),
    declared: {
      kind: 'table',
      ...name,
      owner,
      columns: table.columns.map((column) => toDeclaredColumn(column, table, sequences)),
      constraints: constraints.sort((a, b) => (a.name < b.name ? -1 : 1)),
      indexes: indexes.map((index) => toDeclaredIndex(index, name)),
    },
    physical: table,
    names: {
      columns: same(table.columns.map((column) => column.name)),
      constraints: {
        ...same(constraints.map((constraint) => constraint.name)),
        ...Object.fromEntries(parent.map((constraint) => [constraint.name, INTERLEAVING])),
      },
      indexes: same(indexes.map((index) => index.name)),
    },
  }
}

function hasColumns(table: PhysicalTable | undefined, names: readonly string[]): boolean {
  return names.every((name) => table?.columns.some((column) => column.name === name) ?? false)
}

/** Whether an index is about columns that were read. */
function isSeen(index: PhysicalIndex, table: PhysicalTable): boolean {
  return hasColumns(table, [...index.columns.map(({ name }) => name), ...index.include])
}

function isSeenKey(
  key: PhysicalForeignKey,
  table: PhysicalTable,
  tables: ReadonlyMap<string, PhysicalTable>,
): boolean {
  const target = tables.get(key.referencedTable)
  return hasColumns(table, key.columns) && hasColumns(target, key.referencedColumns)
}

/**
 * What PostgreSQL has for INTERLEAVE IN PARENT: a foreign key to the parent, named as PostgreSQL names one that has no name (ChooseConstraintName,
 * src/backend/commands/indexcmds.c).
 */
function interleaving(
  table: PhysicalTable,
  tables: ReadonlyMap<string, PhysicalTable>,
): DeclaredConstraint[] {
  const parent = table.parent === undefined ? undefined : tables.get(table.parent.table)
  if (table.parent === undefined || parent === undefined) return []
  const columns = parent.primaryKey
  const stem = `${logicalName(table.name).name}_${columns.join('_')}`.slice(0, 57)
  const taken = new Set([...table.foreignKeys, ...table.checks].map((part) => part.name))
  let name = `${stem}_fkey`
  for (let n = 1; taken.has(name); n++) name = `${stem}_fkey${n}`
  const { table: referencedTable, onDelete } = table.parent
  return [foreignKey({ name, columns, referencedTable, referencedColumns: columns, onDelete })]
}

const TYPE_OIDS: Readonly<Record<SpannerTypeCode, number>> = {
  BOOL: OID.bool,
  INT64: OID.int8,
  FLOAT64: OID.float8,
  FLOAT32: OID.float4,
  NUMERIC: OID.numeric,
  STRING: OID.varchar,
  BYTES: OID.bytea,
  DATE: OID.date,
  TIMESTAMP: OID.timestamptz,
  JSON: OID.jsonb,
  UUID: OID.uuid,
  INTERVAL: OID.interval,
  ARRAY: 0,
}

const VARLENA_HEADER_BYTES = 4

/** What a client would have declared for a stored column. */
export function toDeclaredColumn(
  column: PhysicalTableColumn,
  table: PhysicalTable,
  sequences: ReadonlySet<string>,
): DeclaredColumn {
  const { type } = column
  const scalarOid = TYPE_OIDS[type.element?.code ?? type.code]
  const scalar = findPgType(scalarOid)
  const length = /\((\d+)\)/.exec(column.sqlType)?.[1]
  const scalarName = length === undefined ? scalar?.name : `${scalar?.name}(${length})`
  const typeName = type.element === undefined ? (scalarName ?? '') : `${scalarName}[]`
  return {
    name: column.name,
    type: typeName,
    typeOid: type.element === undefined ? scalarOid : (scalar?.arrayOid ?? 0),
    typmod: length === undefined ? -1 : Number(length) + VARLENA_HEADER_BYTES,
    notNull: column.notNull,
    ...declaredDefault(column, sequences),
    ...(column.generated === undefined ? {} : { generated: generation(column, table, typeName) }),
  }
}

/** Spanner's default where PostgreSQL has the same; what it has not stays Spanner's alone. */
function declaredDefault(
  column: PhysicalTableColumn,
  sequences: ReadonlySet<string>,
): Pick<DeclaredColumn, 'default' | 'defaultSequences'> {
  const text = column.default
  if (text === undefined) return {}
  const sequence = /nextval\('((?:[^']|'')+)'/.exec(text)?.[1]?.replaceAll("''", "'")
  if (sequence !== undefined) {
    if (!sequences.has(sequence)) return {}
    const name = logicalName(sequence)
    const qualified = `${quoteIdentifier(name.schema)}.${quoteIdentifier(name.name)}`
    return {
      default: `nextval('${qualified.replaceAll("'", "''")}'::regclass)`,
      defaultSequences: [name],
    }
  }
  if (text.includes('spanner.generate_uuid()')) return { default: '(gen_random_uuid())::text' }
  return isShared(text, []) ? { default: text } : {}
}

/** A generation expression that PostgreSQL has not is shown as one of NULL: the column is generated, which is what counts. */
function generation(column: PhysicalTableColumn, table: PhysicalTable, type: string): string {
  const text = column.generated ?? ''
  const names = table.columns.map((each) => each.name)
  return isShared(text, names) ? text : `NULL::${type}`
}

/** Whether an expression is of the vocabulary that both sides have. */
function isShared(text: string, columns: readonly string[]): boolean {
  const scope = new Map(columns.map((name) => [name, { physicalName: name, isPlain: true }]))
  return toSpannerExpression(text, { columns: scope, isVolatileAllowed: true }) !== undefined
}

function quoteList(names: readonly string[]): string {
  return names.map(quoteIdentifier).join(', ')
}

function primaryKey(table: PhysicalTable, { name }: QualifiedName): DeclaredConstraint[] {
  if (table.primaryKey.length === 0) return []
  return [
    {
      // Spanner's name PK_t is no one's choice; PostgreSQL's is what clients expect.
      name: `${name.slice(0, 58)}_pkey`,
      type: 'primary-key',
      columns: table.primaryKey,
      definition: `PRIMARY KEY (${quoteList(table.primaryKey)})`,
    },
  ]
}

function checks(table: PhysicalTable): DeclaredConstraint[] {
  const names = table.columns.map((column) => column.name)
  return table.checks
    .filter((check) => isShared(check.expression, names))
    .map((check) => ({
      name: check.name,
      type: 'check',
      columns: [],
      definition: `CHECK (${check.expression})`,
      expression: check.expression,
    }))
}

function foreignKey(key: PhysicalForeignKey): DeclaredConstraint {
  const target = logicalName(key.referencedTable)
  const name = `${quoteIdentifier(target.schema)}.${quoteIdentifier(target.name)}`
  const action = key.onDelete === 'cascade' ? ' ON DELETE CASCADE' : ''
  return {
    name: key.name,
    type: 'foreign-key',
    columns: key.columns,
    definition: `FOREIGN KEY (${quoteList(key.columns)}) REFERENCES ${name} (${quoteList(key.referencedColumns)})${action}`,
    references: {
      ...target,
      columns: key.referencedColumns,
      onUpdate: 'no-action',
      onDelete: key.onDelete,
    },
  }
}

function toDeclaredIndex(index: PhysicalIndex, table: QualifiedName): DeclaredIndex {
  const columns = index.columns.map(({ name, descending, nullsFirst }) => {
    const nulls = nullsFirst === descending ? '' : nullsFirst ? ' NULLS FIRST' : ' NULLS LAST'
    return `${quoteIdentifier(name)}${descending ? ' DESC' : ''}${nulls}`
  })
  const include = index.include.length === 0 ? '' : ` INCLUDE (${quoteList(index.include)})`
  const where = index.notNull.map((name) => `${quoteIdentifier(name)} IS NOT NULL`).join(' AND ')
  const predicate = where === '' ? '' : ` WHERE ${where}`
  return {
    name: index.name,
    unique: index.unique,
    method: 'btree',
    columns: index.columns.map(({ name, descending, nullsFirst }) => ({
      column: name,
      descending,
      nullsFirst,
    })),
    ...(index.include.length === 0 ? {} : { include: index.include }),
    definition: `CREATE ${index.unique ? 'UNIQUE ' : ''}INDEX ${quoteIdentifier(index.name)} ON ${quoteIdentifier(table.schema)}.${quoteIdentifier(table.name)} (${columns.join(', ')})${include}${predicate}`,
  }
}
