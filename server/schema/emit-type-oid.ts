import { arrayOidOf } from '../types/user-type.ts'
import { quoteLiteral } from './postgres-text.ts'

/**
 * The statements that give a type that was made just now the OID that it has in every proxy. It has the one that it was given in no
 * other rows than these (src/backend/commands/typecmds.c, DefineEnum and DefineDomain): its own, that of its arrays, those of its
 * labels or checks, and dependencies.
 */
export function emitTypeOid(name: string, oid: number): readonly string[] {
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
  UPDATE pg_catalog.pg_constraint SET contypid = ${oid} WHERE contypid = was;
  UPDATE pg_catalog.pg_depend SET objid = ${oid} WHERE classid = ${types} AND objid = was;
  UPDATE pg_catalog.pg_depend SET objid = ${arrayOid} WHERE classid = ${types} AND objid = was_array;
  UPDATE pg_catalog.pg_depend SET refobjid = ${oid} WHERE refclassid = ${types} AND refobjid = was;
  UPDATE pg_catalog.pg_type SET oid = ${oid}, typarray = ${arrayOid} WHERE oid = was;
  UPDATE pg_catalog.pg_type SET oid = ${arrayOid}, typelem = ${oid} WHERE oid = was_array;
END $renumber$`,
    'SET LOCAL allow_system_table_mods = off',
  ]
}
