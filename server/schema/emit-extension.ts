import { EXTENSION_OIDS, FIRST_EXTENSION_OID } from '../types/user-type.ts'
import type { DeclaredExtension } from './declared-object.ts'
import { quoteIdentifier, quoteLiteral } from './postgres-text.ts'

/** The statements that make an extension in a mirror; its types get the OIDs that they have in every proxy. */
export function emitExtension(declared: DeclaredExtension): readonly string[] {
  const name = quoteIdentifier(declared.name)
  return [
    `CREATE EXTENSION ${name} SCHEMA ${quoteIdentifier(declared.schema)}`,
    'SET LOCAL allow_system_table_mods = on',
    setOwner(declared),
    renumberTypes(declared.name),
    'SET LOCAL allow_system_table_mods = off',
    ...commentOn(declared),
  ]
}

/** The statements that make an extension that is there say what `declared` says. */
export function alterExtension(declared: DeclaredExtension): readonly string[] {
  return [
    'SET LOCAL allow_system_table_mods = on',
    setOwner(declared),
    'SET LOCAL allow_system_table_mods = off',
    ...commentOn(declared),
  ]
}

/** There is no ALTER EXTENSION .. OWNER TO. */
function setOwner({ name, owner }: DeclaredExtension): string {
  return `UPDATE pg_catalog.pg_extension SET extowner = (SELECT oid FROM pg_catalog.pg_authid WHERE rolname = ${quoteLiteral(owner)}) WHERE extname = ${quoteLiteral(name)}`
}

function commentOn({ name, comment }: DeclaredExtension): string[] {
  const text = comment === undefined ? 'NULL' : quoteLiteral(comment)
  return [`COMMENT ON EXTENSION ${quoteIdentifier(name)} IS ${text}`]
}

/**
 * Types may stand in every column of the catalogs that refers to pg_type, alone or as a list, and in dependencies and comments. The new
 * OIDs are those of types/user-type.ts extensionTypeOidOf.
 */
function renumberTypes(extension: string): string {
  return `DO $renumber$
DECLARE
  types CONSTANT pg_catalog.regclass := 'pg_catalog.pg_type';
  was pg_catalog.oid[];
  becomes pg_catalog.oid[];
  k record;
BEGIN
  SELECT pg_catalog.array_agg(o.was), pg_catalog.array_agg(o.becomes) INTO was, becomes FROM (
    SELECT t.oid, t.typarray, ('x' || pg_catalog.left(pg_catalog.encode(pg_catalog.sha256(
        pg_catalog.convert_to(pg_catalog.format('["%s","%s"]', e.extname, t.typname), 'UTF8')), 'hex'), 8))::bit(32)::int8 AS hash
    FROM pg_catalog.pg_extension e JOIN pg_catalog.pg_depend d ON d.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass
      AND d.refobjid = e.oid AND d.deptype = 'e' AND d.classid = types JOIN pg_catalog.pg_type t ON t.oid = d.objid
    WHERE e.extname = ${quoteLiteral(extension)}) t,
  LATERAL (VALUES (t.oid, ${FIRST_EXTENSION_OID} + t.hash % ${EXTENSION_OIDS} * 2 + 1), (t.typarray, ${FIRST_EXTENSION_OID} + t.hash % ${EXTENSION_OIDS} * 2)) o(was, becomes)
  WHERE o.was <> 0;
  IF was IS NULL THEN
    RETURN;
  END IF;
  FOR k IN
    SELECT f.fktable, f.fkcols[1] AS name, f.is_array, a.atttypid = 'oidvector'::pg_catalog.regtype AS is_vector
    FROM pg_catalog.pg_get_catalog_foreign_keys() f
    JOIN pg_catalog.pg_attribute a ON a.attrelid = f.fktable AND a.attname = f.fkcols[1]
    WHERE f.pktable = types AND f.pkcols = '{oid}'
    UNION ALL VALUES (types, 'oid', false, false)
  LOOP
    EXECUTE pg_catalog.format(CASE WHEN NOT k.is_array THEN 'UPDATE %1$s SET %2$I = $2[pg_catalog.array_position($1, %2$I)] WHERE %2$I = ANY ($1)'
      ELSE 'UPDATE %1$s SET %2$I = %3$s((SELECT pg_catalog.array_agg(coalesce($2[pg_catalog.array_position($1, u.e)], u.e) ORDER BY u.n)
        FROM pg_catalog.unnest(%2$I) WITH ORDINALITY u(e, n))%4$s WHERE %2$I::pg_catalog.oid[] && $1' END,
      k.fktable, k.name,
      CASE WHEN k.is_vector THEN 'pg_catalog.array_to_string' ELSE '' END,
      CASE WHEN k.is_vector THEN ', '' '')::pg_catalog.oidvector' ELSE ')' END) USING was, becomes;
  END LOOP;
  UPDATE pg_catalog.pg_depend SET objid = becomes[pg_catalog.array_position(was, objid)] WHERE classid = types AND objid = ANY (was);
  UPDATE pg_catalog.pg_depend SET refobjid = becomes[pg_catalog.array_position(was, refobjid)] WHERE refclassid = types AND refobjid = ANY (was);
  UPDATE pg_catalog.pg_description SET objoid = becomes[pg_catalog.array_position(was, objoid)] WHERE classoid = types AND objoid = ANY (was);
END $renumber$`
}
