import { OWNER_ROLE } from '../companion/shared-catalogs-sql.ts'
import {
  type DeclaredDomain,
  type DeclaredObject,
  type DeclaredSequence,
  type DeclaredTable,
  declaredKey,
  type QualifiedName,
  relationKey,
} from '../schema/declared-object.ts'
import { OID } from '../types/pg-type.ts'

/**
 * What a scratch database must hold for statements that name `names`: these tables and views, the relations that the views
 * read, and every schema, type and function. Tables bear what decides what a SELECT means: names, types, collations and the primary key (GROUP
 * BY goes by it). Rows come a few columns at a time, so that nothing else may be demanded of them; Spanner sees to that.
 */
export function scratchObjects(
  declared: readonly DeclaredObject[],
  names: Iterable<string>,
): readonly DeclaredObject[] {
  const byKey = new Map(declared.map((object) => [declaredKey(object), object]))
  const wanted = new Map<string, DeclaredObject>()
  const want = (key: string): void => {
    const object = byKey.get(key)
    if (object === undefined || wanted.has(key)) return
    wanted.set(key, withoutDemands(object))
    if (object.kind === 'view') for (const name of object.dependsOn ?? []) want(relationKey(name))
  }
  for (const object of declared) {
    if (IN_ALL.has(object.kind)) want(declaredKey(object))
  }
  for (const key of names) want(key)
  return [...wanted.values()]
}

/** A statement may use any type or function. */
const IN_ALL = new Set<DeclaredObject['kind']>([
  'schema',
  'extension',
  'enum',
  'domain',
  'function',
])

/** The keys of what a statement names. */
export function keysOf(relations: readonly QualifiedName[]): readonly string[] {
  return relations.map(relationKey)
}

function withoutDemands(object: DeclaredObject): DeclaredObject {
  switch (object.kind) {
    case 'schema':
      return { kind: 'schema', name: object.name, owner: OWNER_ROLE }
    case 'extension':
      return { ...object, owner: OWNER_ROLE }
    case 'table':
      return scratchTable(object)
    case 'enum':
      return { ...withoutGrants(object), owner: OWNER_ROLE }
    case 'domain':
      return scratchDomain(object)
    case 'function':
      return { ...withoutGrants(object), owner: OWNER_ROLE }
    case 'sequence':
      return scratchSequence(object)
    case 'view':
      return {
        ...withoutGrants(object),
        owner: OWNER_ROLE,
        columns: object.columns.map(({ name }) => ({ name })),
      }
  }
}

/** Everybody may read everything here, and the roles that GRANT named need not exist. */
function withoutGrants<T extends Exclude<DeclaredObject, { kind: 'extension' }>>({
  grants: _,
  ...object
}: T): Omit<T, 'grants'> {
  return object
}

/** Nothing is filled in here: a default might draw from a sequence. */
function scratchDomain(domain: DeclaredDomain): DeclaredDomain {
  const { default: _, defaultSequences: _drawn, ...demands } = withoutGrants(domain)
  return { ...demands, owner: OWNER_ROLE }
}

/** A table with the columns of a sequence: what a statement reads of it is loaded. */
function scratchSequence({ schema, name }: DeclaredSequence): DeclaredTable {
  const column = (columnName: string, type: string, typeOid: number) => ({
    name: columnName,
    type,
    typeOid,
    typmod: -1,
    notNull: false,
  })
  return {
    kind: 'table',
    schema,
    name,
    owner: OWNER_ROLE,
    unlogged: true,
    columns: [
      column('last_value', 'bigint', OID.int8),
      column('log_cnt', 'bigint', OID.int8),
      column('is_called', 'boolean', OID.bool),
    ],
    constraints: [],
    indexes: [],
  }
}

/** Unlogged: what is in it is never committed. */
function scratchTable({ schema, name, columns, constraints }: DeclaredTable): DeclaredTable {
  return {
    kind: 'table',
    schema,
    name,
    owner: OWNER_ROLE,
    unlogged: true,
    columns: columns.map((column) => ({
      name: column.name,
      type: column.type,
      typeOid: column.typeOid,
      ...(column.userType === undefined ? {} : { userType: column.userType }),
      typmod: column.typmod,
      notNull: false,
      ...(column.collation === undefined ? {} : { collation: column.collation }),
    })),
    constraints: constraints.filter(({ type }) => type === 'primary-key'),
    indexes: [],
  }
}
