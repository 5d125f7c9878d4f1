import type { ServiceRow } from '../companion/companion-types.ts'
import { inSpannersTypes } from '../sql/spanner-signature.ts'
import { readTableWrites, TABLE_WRITES, type TableWrites } from './table-writes.ts'

/**
 * What the checks of a statement need to know of a database's objects by their OIDs. Signatures are written as Spanner would: whole numbers are
 * bigint, texts are text.
 */
export interface DatabaseNames {
  /** `lower(text)`, `spanner.bit_reverse(bigint, boolean)`: pg_catalog's without their schema. */
  functionAt(oid: number): FunctionNames | undefined
  /** `text || text`, `- bigint`. */
  operatorAt(oid: number): string | undefined
  typeAt(oid: number): string | undefined
  relationAt(oid: number): RelationNames | undefined
}

/** A function or aggregate. */
export interface FunctionNames {
  readonly signature: string
  readonly name: string
  /** One of its arguments is integer or smallint. */
  readonly takesInteger: boolean
  /** Arguments may be left out. */
  readonly hasDefaults: boolean
}

/** A table, view or sequence. */
export interface RelationNames {
  readonly schema: string
  readonly name: string
  readonly writes: TableWrites
  readonly isSequence: boolean
}

/** Names by OID; undefined where it is known that there is no such object. */
export interface NameTables {
  readonly functions: Map<number, FunctionNames | undefined>
  readonly operators: Map<number, string | undefined>
  readonly types: Map<number, string | undefined>
  readonly relations: Map<number, RelationNames | undefined>
}

/** Whose names: the OIDs of each kind. */
type ObjectOids = { readonly [Kind in keyof NameTables]: ReadonlySet<number> }

const TYPE = (oid: string) => `format_type(${oid}, NULL)`

/** OIDs below are of what initdb made (access/transam.h, FirstNormalObjectId): the same objects in all databases of a cluster. */
export const FIRST_NORMAL_OID = 16_384

/** One row an object whose OID is as `wanted` says: its kind, OID, schema, name and what else there is to say of it. */
const QUERIES: Readonly<Record<keyof NameTables, (wanted: string) => string>> = {
  functions: (wanted) => `
SELECT 'f' AS kind, p.oid::text AS oid, n.nspname AS schema, p.proname AS name,
  CASE WHEN p.pronargdefaults > 0 THEN '*' ELSE '' END || array_to_string(ARRAY(SELECT ${TYPE('t')} FROM unnest(p.proargtypes) WITH ORDINALITY a(t, i) ORDER BY i), ', ') AS detail
FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE p.oid ${wanted}`,
  operators: (wanted) => `
SELECT 'o' AS kind, o.oid::text AS oid, n.nspname AS schema, o.oprname AS name,
  CASE o.oprleft WHEN 0 THEN '' ELSE ${TYPE('o.oprleft')} || ' ' END || o.oprname || ' ' || ${TYPE('o.oprright')} AS detail
FROM pg_operator o JOIN pg_namespace n ON n.oid = o.oprnamespace WHERE o.oid ${wanted}`,
  types: (wanted) => `
SELECT 't' AS kind, t.oid::text AS oid, '' AS schema, ${TYPE('t.oid')} AS name, '' AS detail FROM pg_type t WHERE t.oid ${wanted}`,
  relations: (wanted) => `
SELECT CASE c.relkind WHEN 'S' THEN 's' ELSE 'r' END AS kind, c.oid::text AS oid, n.nspname AS schema, c.relname AS name,
  CASE WHEN c.relkind = 'r' AND n.nspname !~ '^(?:_spanner|pg_|information_schema$)' THEN ${TABLE_WRITES} ELSE '' END AS detail
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind IN ('r', 'v', 'S', 'm') AND c.oid ${wanted}`,
}

const KINDS = ['functions', 'operators', 'types', 'relations'] as const

/** What PostgreSQL itself has. */
export function systemNamesQuery(): string {
  return KINDS.map((kind) => QUERIES[kind](`< ${FIRST_NORMAL_OID}`)).join(' UNION ALL ')
}

/** The objects with these OIDs, of which there is at least one. */
export function namesQuery(oids: ObjectOids): string {
  return KINDS.filter((kind) => oids[kind].size > 0)
    .map((kind) => QUERIES[kind](`IN (${[...oids[kind]].join(', ')})`))
    .join(' UNION ALL ')
}

export function noNames(): NameTables {
  return { functions: new Map(), operators: new Map(), types: new Map(), relations: new Map() }
}

/** Adds the rows of {@link systemNamesQuery} and {@link namesQuery}. */
export function addNames(tables: NameTables, rows: readonly ServiceRow[]): void {
  for (const row of rows) {
    const oid = Number(row['oid'])
    const schema = row['schema'] ?? ''
    const name = row['name'] ?? ''
    const detail = row['detail'] ?? ''
    if (row['kind'] === 'f')
      tables.functions.set(oid, functionNames(`${prefix(schema)}${name}`, detail))
    else if (row['kind'] === 'o') tables.operators.set(oid, inSpannersTypes(detail))
    else if (row['kind'] === 't') tables.types.set(oid, inSpannersTypes(name))
    else
      tables.relations.set(oid, {
        schema,
        name,
        writes: readTableWrites(detail),
        isSequence: row['kind'] === 's',
      })
  }
}

/** `detail`: its arguments' types; `*` in front where some may be left out. */
function functionNames(name: string, detail: string): FunctionNames {
  const hasDefaults = detail.startsWith('*')
  const types = hasDefaults ? detail.slice(1) : detail
  const takesInteger = /\b(?:integer|smallint)\b(?!\[)/.test(types)
  return { name, signature: `${name}(${inSpannersTypes(types)})`, takesInteger, hasDefaults }
}

/** The functions of `_spanner` stand for Spanner's own of the same name. */
function prefix(schema: string): string {
  return schema === 'pg_catalog' || schema === '_spanner' ? '' : `${schema}.`
}
