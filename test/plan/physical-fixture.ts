import type { Column, LogicalSchema, Sequence, Table } from '../../server/schema/logical-schema.ts'
import { quotePhysical } from '../../server/schema/logical-schema.ts'
import { findStorage } from '../../server/types/storage.ts'

/** DDL of Spanner for the schema of the fixtures: what stands behind each declared table. */
export function physicalDdl(schema: LogicalSchema): readonly string[] {
  const sequences = [...schema.sequences.values()].map(
    (sequence) =>
      `CREATE SEQUENCE ${quotePhysical(physicalSequence(sequence))} BIT_REVERSED_POSITIVE`,
  )
  const tables = [...schema.relations.values()].flatMap((relation) =>
    relation.kind === 'table' ? [tableDdl(schema, relation)] : [],
  )
  const schemas = new Set([...schema.relations.values()].map((relation) => relation.schema))
  schemas.delete('public')
  return [
    ...[...schemas].map((name) => `CREATE SCHEMA ${quotePhysical(name)}`),
    ...sequences,
    ...tables,
  ]
}

function physicalSequence({ schema, name }: Sequence): string {
  return schema === 'public' ? name : `${schema}.${name}`
}

function tableDdl(schema: LogicalSchema, table: Table): string {
  const columns = table.columns.map((column) => columnDdl(schema, table, column))
  const key = table.constraints.find((constraint) => constraint.type === 'primary-key')
  const names = (key?.columns ?? []).flatMap((attribute) =>
    table.columns
      .filter((column) => column.attribute === attribute)
      .map((column) => column.physical.name),
  )
  if (table.hiddenKey !== undefined) {
    columns.push(`${quotePhysical(table.hiddenKey)} varchar DEFAULT (spanner.generate_uuid())`)
    names.push(table.hiddenKey)
  }
  const list = names.map((name) => quotePhysical(name)).join(', ')
  return `CREATE TABLE ${quotePhysical(table.physicalName)} (${columns.join(', ')}, PRIMARY KEY (${list}))`
}

function columnDdl(schema: LogicalSchema, table: Table, column: Column): string {
  const type = findStorage(column.typeOid, column.typmod)?.sqlType ?? 'varchar'
  const name = quotePhysical(column.physical.name)
  if (column.generated) return `${name} ${type} GENERATED ALWAYS AS (${column.defaultText}) STORED`
  const filled = column.physical.hasDefault ? ` DEFAULT (${defaultSql(schema, table, column)})` : ''
  return `${name} ${type}${column.notNull ? ' NOT NULL' : ''}${filled}`
}

function defaultSql(schema: LogicalSchema, table: Table, column: Column): string {
  const text = column.defaultText ?? ''
  if (column.identity !== undefined || text.startsWith('nextval(')) {
    const name = `${table.name}_${column.name}_seq`
    const sequence = [...schema.sequences.values()].find(
      (candidate) => candidate.name === name && candidate.schema === table.schema,
    )
    return sequence?.nextvalSql ?? 'NULL'
  }
  if (text === 'now()') return 'CURRENT_TIMESTAMP'
  return text.startsWith('gen_random_uuid') ? 'spanner.generate_uuid()' : text
}
