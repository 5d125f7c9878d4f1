import type { ServiceRow } from '../companion/companion-types.ts'
import { inSpannersTypes } from '../sql/spanner-signature.ts'

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

/** A table, view or sequence. */
/** A function or aggregate. */
export interface FunctionNames {
  readonly signature: string
  readonly name: string
  /** One of its arguments is integer or smallint. */
  readonly takesInteger: boolean
  /** Arguments may be left out. */
  readonly hasDefaults: boolean
}

export interface RelationNames {
  readonly schema: string
  readonly name: string
  /** Numbers of the primary key's columns, in its order. */
  readonly keyColumns: readonly number[]
  readonly isSequence: boolean
}

const TYPE = (oid: string) => `format_type(${oid}, NULL)`

/** One row an object: its kind, OID, schema, name and what else there is to say of it. */
export const NAMES_QUERY = `
SELECT 'f' AS kind, p.oid::text AS oid, n.nspname AS schema, p.proname AS name,
  CASE WHEN p.pronargdefaults > 0 THEN '*' ELSE '' END || array_to_string(ARRAY(SELECT ${TYPE('t')} FROM unnest(p.proargtypes) WITH ORDINALITY a(t, i) ORDER BY i), ', ') AS detail
FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
UNION ALL SELECT 'o', o.oid::text, n.nspname, o.oprname,
  CASE o.oprleft WHEN 0 THEN '' ELSE ${TYPE('o.oprleft')} || ' ' END || o.oprname || ' ' || ${TYPE('o.oprright')}
FROM pg_operator o JOIN pg_namespace n ON n.oid = o.oprnamespace
UNION ALL SELECT 't', t.oid::text, '', ${TYPE('t.oid')}, '' FROM pg_type t
UNION ALL SELECT CASE c.relkind WHEN 'S' THEN 's' ELSE 'r' END, c.oid::text, n.nspname, c.relname, COALESCE((SELECT array_to_string(k.conkey, ',') FROM pg_constraint k
  WHERE k.conrelid = c.oid AND k.contype = 'p'), '')
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind IN ('r', 'v', 'S', 'm')`

/** Reads the rows of {@link NAMES_QUERY}. */
export function databaseNames(rows: readonly ServiceRow[]): DatabaseNames {
  const functions = new Map<number, FunctionNames>()
  const operators = new Map<number, string>()
  const types = new Map<number, string>()
  const relations = new Map<number, RelationNames>()
  for (const row of rows) {
    const oid = Number(row['oid'])
    const schema = row['schema'] ?? ''
    const name = row['name'] ?? ''
    const detail = row['detail'] ?? ''
    if (row['kind'] === 'f') functions.set(oid, functionNames(`${prefix(schema)}${name}`, detail))
    else if (row['kind'] === 'o') operators.set(oid, inSpannersTypes(detail))
    else if (row['kind'] === 't') types.set(oid, inSpannersTypes(name))
    else
      relations.set(oid, {
        schema,
        name,
        keyColumns: numbers(detail),
        isSequence: row['kind'] === 's',
      })
  }
  return {
    functionAt: (oid) => functions.get(oid),
    operatorAt: (oid) => operators.get(oid),
    typeAt: (oid) => types.get(oid),
    relationAt: (oid) => relations.get(oid),
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

function numbers(list: string): number[] {
  return list === '' ? [] : list.split(',').map(Number)
}
