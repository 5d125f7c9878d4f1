import { arrayOidOf } from '../types/user-type.ts'
import type { DeclaredEnum } from './declared-object.ts'
import { emitGrants } from './emit-grants.ts'
import { emitPostgresName, quoteIdentifier, quoteLiteral } from './postgres-text.ts'

/** The statements that make an enum type in a mirror, with the OIDs that it has in every proxy. */
export function emitEnum(declared: DeclaredEnum): readonly string[] {
  const name = emitPostgresName(declared)
  const { labels, owner, comment } = declared
  return [
    `CREATE TYPE ${name} AS ENUM (${labels.map(quoteLiteral).join(', ')})`,
    ...renumber(name, declared.oid),
    `ALTER TYPE ${name} OWNER TO ${quoteIdentifier(owner)}`,
    ...(comment === undefined ? [] : [`COMMENT ON TYPE ${name} IS ${quoteLiteral(comment)}`]),
    ...emitGrants({ on: `TYPE ${name}`, owner }, declared.grants),
  ]
}

/**
 * A type that was made just now has its OID in no other rows than these (src/backend/commands/typecmds.c, DefineEnum): its own, that of
 * its arrays, those of its labels, and dependencies.
 */
function renumber(name: string, oid: number): readonly string[] {
  const arrayOid = arrayOidOf(oid)
  const types = "'pg_catalog.pg_type'::pg_catalog.regclass"
  return [
    'SET LOCAL allow_system_table_mods = on',
    `DO $renumber$
DECLARE
  was pg_catalog.oid := ${quoteLiteral(name)}::pg_catalog.regtype;
  was_array pg_catalog.oid := (SELECT typarray FROM pg_catalog.pg_type WHERE oid = was);
BEGIN
  UPDATE pg_catalog.pg_enum SET enumtypid = ${oid} WHERE enumtypid = was;
  UPDATE pg_catalog.pg_depend SET objid = ${oid} WHERE classid = ${types} AND objid = was;
  UPDATE pg_catalog.pg_depend SET objid = ${arrayOid} WHERE classid = ${types} AND objid = was_array;
  UPDATE pg_catalog.pg_depend SET refobjid = ${oid} WHERE refclassid = ${types} AND refobjid = was;
  UPDATE pg_catalog.pg_type SET oid = ${oid}, typarray = ${arrayOid} WHERE oid = was;
  UPDATE pg_catalog.pg_type SET oid = ${arrayOid}, typelem = ${oid} WHERE oid = was_array;
END $renumber$`,
    'SET LOCAL allow_system_table_mods = off',
  ]
}
