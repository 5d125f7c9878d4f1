import type { DeclaredColumn, DeclaredConstraint, DeclaredIndex } from './declared-object.ts'
import type {
  Column,
  Constraint,
  EnumTypes,
  Index,
  LogicalSchema,
  Relation,
  Sequence,
  Table,
} from './logical-schema.ts'
import type { StoredObject, StoredTable } from './physical-schema.ts'
import { emitPostgresName } from './postgres-text.ts'
import type { CatalogTable, Snapshot } from './snapshot.ts'

/**
 * Joins the stored rows with the mirror's OIDs. Indexes that have no form in Spanner are left out: they are access paths that
 * nobody can take.
 */
export function buildLogicalSchema(
  version: bigint,
  snapshot: Snapshot,
  byOid: ReadonlyMap<number, StoredObject>,
): LogicalSchema {
  const relations = new Map<number, Relation>()
  const tablesByPhysicalName = new Map<string, Table>()
  const oids = new TableOids(snapshot)
  for (const catalog of snapshot.tables.values()) {
    const row = byOid.get(catalog.oid)
    if (row?.kind !== 'table') continue
    const table = toTable(catalog, row, oids)
    relations.set(table.oid, table)
    tablesByPhysicalName.set(table.physicalName, table)
  }
  for (const { oid, declared } of snapshot.views.values()) {
    relations.set(oid, { kind: 'view', oid, schema: declared.schema, name: declared.name })
  }
  const sequences = toSequences(snapshot, byOid)
  return { version, relations, sequences, enums: toEnums(snapshot), tablesByPhysicalName }
}

function toEnums(snapshot: Snapshot): EnumTypes {
  const labels = new Map<number, string>()
  const names = new Map<number, string>()
  for (const { oid, arrayOid, declared, labelOids } of snapshot.enums.values()) {
    const name = emitPostgresName(declared)
    names.set(oid, name)
    names.set(arrayOid, `${name}[]`)
    labelOids.forEach((label, i) => {
      labels.set(label, declared.labels[i] ?? '')
    })
  }
  return { labels, names }
}

function toSequences(
  snapshot: Snapshot,
  byOid: ReadonlyMap<number, StoredObject>,
): ReadonlyMap<number, Sequence> {
  const sequences = new Map<number, Sequence>()
  for (const { oid, declared, typeOid } of snapshot.sequences.values()) {
    const row = byOid.get(oid)
    if (row?.kind !== 'sequence') continue
    const { schema, name } = declared
    const { physical, values, nextvalSql } = row
    const physicalName = physical.name
    sequences.set(oid, { oid, schema, name, typeOid, declared, physicalName, values, nextvalSql })
  }
  return sequences
}

/** Tables by declared name, and their columns' attribute numbers. */
class TableOids {
  readonly #tables = new Map<string, CatalogTable>()

  constructor(snapshot: Snapshot) {
    for (const table of snapshot.tables.values()) {
      this.#tables.set(JSON.stringify([table.declared.schema, table.declared.name]), table)
    }
  }

  find(schema: string, name: string): CatalogTable | undefined {
    return this.#tables.get(JSON.stringify([schema, name]))
  }
}

function attributeOf(table: CatalogTable, name: string): number {
  return table.attributes[table.declared.columns.findIndex((column) => column.name === name)] ?? 0
}

function toTable(catalog: CatalogTable, row: StoredTable, oids: TableOids): Table {
  const { declared } = catalog
  return {
    kind: 'table',
    oid: catalog.oid,
    schema: declared.schema,
    name: declared.name,
    columns: declared.columns.flatMap((column, i) =>
      toColumn(column, catalog.attributes[i] ?? 0, row),
    ),
    constraints: declared.constraints.map((constraint, i) =>
      toConstraint(constraint, catalog.constraintOids[i] ?? 0, { catalog, row, oids }),
    ),
    indexes: declared.indexes.flatMap((index, i) =>
      toIndex(index, catalog.indexOids[i] ?? 0, { catalog, row }),
    ),
    physicalName: row.physical.name,
    hiddenKey: row.physical.hiddenKey,
  }
}

function toColumn(column: DeclaredColumn, attribute: number, row: StoredTable): Column[] {
  const physicalName = row.names.columns[column.name]
  const physical = row.physical.columns.find((candidate) => candidate.name === physicalName)
  if (physical === undefined) return []
  return [
    {
      attribute,
      name: column.name,
      typeOid: column.typeOid,
      typmod: column.typmod,
      notNull: column.notNull,
      defaultText: column.default ?? column.generated,
      identity: column.identity,
      generated: column.generated !== undefined,
      physical: {
        name: physical.name,
        type: physical.type,
        hasDefault: physical.default !== undefined,
      },
    },
  ]
}

interface TableParts {
  readonly catalog: CatalogTable
  readonly row: StoredTable
}

function toConstraint(
  constraint: DeclaredConstraint,
  oid: number,
  { catalog, row, oids }: TableParts & { readonly oids: TableOids },
): Constraint {
  const { references } = constraint
  const target =
    references === undefined ? undefined : oids.find(references.schema, references.name)
  return {
    oid,
    name: constraint.name,
    type: constraint.type,
    columns: constraint.columns.map((name) => attributeOf(catalog, name)),
    referencedTable: target?.oid,
    referencedColumns:
      target === undefined
        ? []
        : (references?.columns ?? []).map((name) => attributeOf(target, name)),
    definition: constraint.definition,
    physicalName: row.names.constraints[constraint.name] ?? constraint.name,
  }
}

function toIndex(index: DeclaredIndex, oid: number, { catalog, row }: TableParts): Index[] {
  const physicalName = row.names.indexes[index.name]
  if (physicalName === undefined) return []
  const { name, unique, definition } = index
  const columns = index.columns.map(({ column }) =>
    column === undefined ? 0 : attributeOf(catalog, column),
  )
  return [{ oid, name, unique, columns, definition, physicalName }]
}
