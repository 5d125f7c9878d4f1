import {
  type Column,
  type Constraint,
  type Index,
  type LogicalSchema,
  NO_USER_FUNCTIONS,
  NO_USER_TYPES,
  type Relation,
  type Sequence,
  type Table,
} from '../../server/schema/logical-schema.ts'
import { findStorage } from '../../server/types/storage.ts'

/** Where fixtures and golden files are, also for the built tests. */
export const PLAN_TESTS = new URL('../../../test/plan/', import.meta.url)

interface RelationRow {
  readonly oid: number
  readonly kind: 'table' | 'view'
  readonly schema: string
  readonly name: string
  readonly columns: readonly ColumnRow[]
  readonly constraints: readonly Omit<Constraint, 'physicalName'>[]
  readonly indexes: readonly Omit<Index, 'physicalName'>[]
}

interface ColumnRow {
  readonly attribute: number
  readonly name: string
  readonly typeOid: number
  readonly typmod: number
  readonly notNull: boolean
  readonly defaultText: string | null
  readonly identity: '' | 'a' | 'd'
  readonly generated: boolean
}

/** What {@link SCHEMA_QUERY} answers. */
export interface SchemaRows {
  readonly relations: readonly RelationRow[]
  readonly sequences: readonly {
    readonly oid: number
    readonly schema: string
    readonly name: string
    readonly typeOid: number
  }[]
}

/** The client's objects as one JSON value. */
export const SCHEMA_QUERY = `
SELECT json_build_object(
  'relations', (SELECT coalesce(json_agg(json_build_object(
    'oid', c.oid::int8, 'kind', CASE c.relkind WHEN 'v' THEN 'view' ELSE 'table' END,
    'schema', n.nspname, 'name', c.relname,
    'columns', (SELECT coalesce(json_agg(json_build_object('attribute', a.attnum, 'name', a.attname, 'typeOid', a.atttypid::int8,
        'typmod', a.atttypmod, 'notNull', a.attnotnull, 'defaultText', pg_get_expr(d.adbin, d.adrelid),
        'identity', a.attidentity, 'generated', a.attgenerated <> '') ORDER BY a.attnum), '[]')
      FROM pg_attribute a LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
      WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped),
    'constraints', (SELECT coalesce(json_agg(json_build_object('oid', k.oid::int8, 'name', k.conname,
        'type', CASE k.contype WHEN 'p' THEN 'primary-key' WHEN 'u' THEN 'unique' WHEN 'f' THEN 'foreign-key' ELSE 'check' END,
        'columns', coalesce(k.conkey, '{}'), 'referencedTable', nullif(k.confrelid::int8, 0), 'referencedColumns', coalesce(k.confkey, '{}'),
        'definition', pg_get_constraintdef(k.oid)) ORDER BY k.conname), '[]') FROM pg_constraint k WHERE k.conrelid = c.oid),
    'indexes', (SELECT coalesce(json_agg(json_build_object('oid', i.indexrelid::int8, 'name', ic.relname, 'unique', i.indisunique,
        'columns', i.indkey::int2[], 'definition', pg_get_indexdef(i.indexrelid)) ORDER BY ic.relname), '[]')
      FROM pg_index i JOIN pg_class ic ON ic.oid = i.indexrelid WHERE i.indrelid = c.oid)
    ) ORDER BY c.oid), '[]')
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'v') AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname !~ '^pg_'),
  'sequences', (SELECT coalesce(json_agg(json_build_object('oid', c.oid::int8, 'schema', n.nspname, 'name', c.relname,
      'typeOid', s.seqtypid::int8) ORDER BY c.oid), '[]')
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_sequence s ON s.seqrelid = c.oid))`

/** Maps every name to itself; Spanner fills in defaults that draw from sequences, the clock, or are constants. */
export function toLogicalSchema(rows: SchemaRows): LogicalSchema {
  const relations = new Map(
    rows.relations.map((row): [number, Relation] => [row.oid, toRelation(row)]),
  )
  const tables = [...relations.values()].filter(
    (relation): relation is Table => relation.kind === 'table',
  )
  return {
    version: 1n,
    relations,
    sequences: new Map(rows.sequences.map((row): [number, Sequence] => [row.oid, toSequence(row)])),
    userTypes: NO_USER_TYPES,
    userFunctions: NO_USER_FUNCTIONS,
    tablesByPhysicalName: new Map(tables.map((table) => [table.physicalName, table])),
  }
}

function toRelation(row: RelationRow): Relation {
  const { oid, schema, name } = row
  if (row.kind === 'view') return { kind: 'view', oid, schema, name }
  return {
    kind: 'table',
    oid,
    schema,
    name,
    columns: row.columns.map(toColumn),
    constraints: row.constraints.map((constraint) => ({
      ...constraint,
      physicalName: constraint.name,
    })),
    indexes: row.indexes.map((index) => ({ ...index, physicalName: index.name })),
    physicalName: schema === 'public' ? name : `${schema}.${name}`,
    hiddenKey: row.constraints.some((constraint) => constraint.type === 'primary-key')
      ? undefined
      : '_key',
  }
}

const HAS_PHYSICAL_DEFAULT =
  /^(nextval\(|now\(\)|CURRENT_TIMESTAMP|gen_random_uuid|\d+$|true$|false$|'[^']*'::)/

function toColumn(row: ColumnRow): Column {
  const storage = findStorage(row.typeOid, row.typmod)
  const defaultText = row.defaultText ?? undefined
  const isFilled =
    row.identity !== '' || (!row.generated && HAS_PHYSICAL_DEFAULT.test(defaultText ?? ''))
  return {
    attribute: row.attribute,
    name: row.name,
    typeOid: row.typeOid,
    typmod: row.typmod,
    notNull: row.notNull,
    defaultText,
    identity: row.identity === '' ? undefined : row.identity === 'a' ? 'always' : 'by-default',
    generated: row.generated,
    physical: { name: row.name, type: storage?.type ?? { code: 'STRING' }, hasDefault: isFilled },
  }
}

function toSequence(row: SchemaRows['sequences'][number]): Sequence {
  const name = row.schema === 'public' ? row.name : `${row.schema}.${row.name}`
  const isSmall = row.typeOid !== 20
  return {
    ...row,
    declared: {
      kind: 'sequence',
      schema: row.schema,
      name: row.name,
      owner: 'tester',
      type: isSmall ? 'integer' : 'bigint',
      start: '1',
      increment: '1',
      min: '1',
      max: isSmall ? '2147483647' : '9223372036854775807',
      cache: '1',
      cycle: false,
    },
    physicalName: name,
    values: 'bit-reversed',
    nextvalSql: isSmall ? `(nextval('${name}') >> 32)` : `nextval('${name}')`,
  }
}
