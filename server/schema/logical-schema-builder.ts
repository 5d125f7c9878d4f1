import type { DeclaredColumn, DeclaredConstraint, DeclaredIndex } from './declared-object.ts'
import { DomainTypes } from './domain-types.ts'
import type {
  Column,
  ColumnDomain,
  Constraint,
  DomainType,
  Index,
  LogicalSchema,
  Relation,
  Sequence,
  Table,
  UserTypes,
} from './logical-schema.ts'
import type { PhysicalCheck, StoredObject, StoredTable } from './physical-schema.ts'
import { emitPostgresName } from './postgres-text.ts'
import type { CatalogTable, Snapshot } from './snapshot.ts'
import { toUserFunctions } from './user-functions.ts'

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
  const domains = new DomainTypes(snapshot.domains.values())
  for (const catalog of snapshot.tables.values()) {
    const row = byOid.get(catalog.oid)
    if (row?.kind !== 'table') continue
    const table = toTable({ catalog, row, domains }, oids)
    relations.set(table.oid, table)
    tablesByPhysicalName.set(table.physicalName, table)
  }
  for (const { oid, declared } of snapshot.views.values()) {
    relations.set(oid, { kind: 'view', oid, schema: declared.schema, name: declared.name })
  }
  const sequences = toSequences(snapshot, byOid)
  return {
    version,
    relations,
    sequences,
    userTypes: toUserTypes(snapshot, domains),
    userFunctions: toUserFunctions(snapshot),
    tablesByPhysicalName,
  }
}

function toUserTypes(snapshot: Snapshot, types: DomainTypes): UserTypes {
  const labels = new Map<number, string>()
  const names = new Map<number, string>()
  const domains = new Map<number, DomainType>()
  for (const { oid, arrayOid, declared } of [
    ...snapshot.enums.values(),
    ...snapshot.domains.values(),
  ]) {
    const name = emitPostgresName(declared)
    names.set(oid, name)
    names.set(arrayOid, `${name}[]`)
    const domain = types.find(oid)
    if (domain === undefined) continue
    const isConstrained = domain.notNull || domain.checks.length > 0
    for (const typeOid of [oid, arrayOid]) {
      const base = types.findBase(typeOid)
      if (base === undefined) continue
      domains.set(typeOid, { baseOid: base.typeOid, baseTypmod: base.typmod, isConstrained })
    }
  }
  for (const { declared, types: brought } of snapshot.extensions.values()) {
    for (const { oid, arrayOid, name } of brought) {
      const printed = emitPostgresName({ schema: declared.schema, name })
      names.set(oid, printed)
      names.set(arrayOid, `${printed}[]`)
    }
  }
  for (const { declared, labelOids } of snapshot.enums.values()) {
    labelOids.forEach((label, i) => {
      labels.set(label, declared.labels[i] ?? '')
    })
  }
  return { labels, names, domains }
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

interface TableParts {
  readonly catalog: CatalogTable
  readonly row: StoredTable
  readonly domains: DomainTypes
}

function toTable(parts: TableParts, oids: TableOids): Table {
  const { catalog, row } = parts
  const { declared } = catalog
  return {
    kind: 'table',
    oid: catalog.oid,
    schema: declared.schema,
    name: declared.name,
    columns: declared.columns.flatMap((column, i) =>
      toColumn(column, catalog.attributes[i] ?? 0, parts),
    ),
    constraints: [
      ...declared.constraints.map((constraint, i) =>
        toConstraint(constraint, catalog.constraintOids[i] ?? 0, { catalog, row, oids }),
      ),
      ...row.physical.checks.flatMap((check) => toDomainCheck(check, catalog)),
    ],
    indexes: declared.indexes.flatMap((index, i) =>
      toIndex(index, catalog.indexOids[i] ?? 0, parts),
    ),
    physicalName: row.physical.name,
    hiddenKey: row.physical.hiddenKey,
  }
}

function toColumn(
  declared: DeclaredColumn,
  attribute: number,
  { row, domains }: TableParts,
): Column[] {
  const column = domains.withoutDomain(declared)
  const physicalName = row.names.columns[column.name]
  const physical = row.physical.columns.find((candidate) => candidate.name === physicalName)
  if (physical === undefined) return []
  return [
    {
      attribute,
      name: column.name,
      typeOid: column.typeOid,
      typmod: column.typmod,
      notNull: declared.notNull,
      domain: toColumnDomain(declared, physical.notNull, { row, domains }),
      defaultText: column.default ?? column.generated,
      identity: column.identity,
      generated: column.generated !== undefined,
      physical: {
        name: physical.name,
        type: physical.type,
        lowerCase: row.physical.columns.find(({ lowerCaseOf }) => lowerCaseOf === physicalName)
          ?.name,
        hasDefault: physical.default !== undefined,
      },
    },
  ]
}

function toColumnDomain(
  { name: column, typeOid }: DeclaredColumn,
  isNotNull: boolean,
  { row, domains }: Pick<TableParts, 'row' | 'domains'>,
): ColumnDomain | undefined {
  const domain = domains.find(typeOid)
  if (domain === undefined) return undefined
  const { checks, notNull } = domain
  const { schema, name, oid } = domain.declared
  const tested = new Set(
    row.physical.checks.flatMap(({ ofDomain }) =>
      ofDomain?.column === column ? [ofDomain.check] : [],
    ),
  )
  return {
    oid,
    schema,
    name,
    notNull,
    isConstrained: notNull || checks.length > 0,
    isChecked: (isNotNull || !notNull) && checks.every((check) => tested.has(check.name)),
  }
}

function toDomainCheck({ name, ofDomain }: PhysicalCheck, catalog: CatalogTable): Constraint[] {
  if (ofDomain === undefined) return []
  return [
    {
      oid: 0,
      name: ofDomain.check,
      type: 'domain-check',
      columns: [attributeOf(catalog, ofDomain.column)],
      referencedTable: undefined,
      referencedColumns: [],
      definition: '',
      physicalName: name,
    },
  ]
}

function toConstraint(
  constraint: DeclaredConstraint,
  oid: number,
  { catalog, row, oids }: Omit<TableParts, 'domains'> & { readonly oids: TableOids },
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
