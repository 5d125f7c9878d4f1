import { FIRST_USER_OID, findBuiltinFunction } from '../sql/builtin-catalog.ts'
import { isPerformed, isPerformedOid } from '../sql/performed-functions.ts'
import type { TreeUses } from '../sql/tree-uses.ts'
import { isSessionFunction } from './computed-expressions.ts'
import type { EmitContext } from './emission.ts'
import type { EmulateRoute } from './plan.ts'

/*
 * A scratch database has the tables that a statement reads, and the types of the client's database under their OIDs; its other objects have OIDs of its own, and
 * its roles, privileges, comments and sessions are others. What asks for any of that has its answer in the mirror.
 */

/** What is on the client's own connection to the companion, where the statement was analysed; undefined: it was analysed elsewhere. */
export type Beside = 'temporary tables' | 'uncommitted DDL' | undefined

/** reg* types, but those of text search configurations and dictionaries, of which only the built-in ones exist. */
const CATALOG_TYPES = new Set([
  24, // regproc
  2202, // regprocedure
  2203, // regoper
  2204, // regoperator
  2205, // regclass
  2206, // regtype
  4089, // regnamespace
  4096, // regrole
  4191, // regcollation
])

/** Built-in functions that look their arguments up in the catalogs, or tell of the database. */
const CATALOG_FUNCTION =
  /^(pg_|has_|to_reg|(obj|col|shobj)_description$|format_type$|row_security_active$|acl|current_database$)/
/** Functions of such names that do not. */
const NO_CATALOG_FUNCTION =
  /^pg_(backend_pid|client_encoding|column_\w+|encoding_\w+|char_to_encoding|size_\w+|snapshot_\w+|visible_in_snapshot|lsn\w*|wal\w+)$/

/** Volatile functions that change nothing. */
const CATALOG_READER =
  /^pg_(\w+_size|stat_get_\w+|stat_have_stats|lock_status|blocking_pids|partition_\w+|sequence_last_value|is_in_recovery)$/

/** FirstLowInvalidHeapAttributeNumber counts down to it (access/sysattr.h). */
const TABLE_OID_ATTRIBUTE = -6

/** What the tree does not show. */
export interface AskedPlace {
  readonly beside: Beside
  readonly hasRowParams: boolean
}

/** Where a statement over loaded rows has PostgreSQL's answer; undefined where nowhere. */
export function emulationPlace(
  uses: TreeUses,
  asked: AskedPlace,
  context: EmitContext,
): EmulateRoute['place'] | undefined {
  const place = placeOf(uses, asked, context)
  // Those that the transaction itself has made are known to its own connection alone.
  const isMade = (oid: number) => asked.beside === 'uncommitted DDL' && oid >= FIRST_USER_OID
  return [...uses.functions].every((oid) => isMade(oid) || canRun(oid, place, context))
    ? place
    : undefined
}

function placeOf(
  uses: TreeUses,
  { beside, hasRowParams }: AskedPlace,
  context: EmitContext,
): EmulateRoute['place'] {
  if (beside === 'temporary tables') return 'temporary'
  return beside === 'uncommitted DDL' || hasRowParams || readsCatalogs(uses, context)
    ? 'mirror'
    : 'scratch'
}

function readsCatalogs(uses: TreeUses, { schema }: EmitContext): boolean {
  const isRowType = (oid: number) => oid >= FIRST_USER_OID && !schema.userTypes.names.has(oid)
  return (
    uses.namesDatabase ||
    uses.relations.some(
      ({ relid, attributes }) => relid < FIRST_USER_OID || attributes.includes(TABLE_OID_ATTRIBUTE),
    ) ||
    [...uses.types].some((oid) => CATALOG_TYPES.has(oid)) ||
    [...uses.namedTypes].some(isRowType) ||
    [...uses.functions].some(isCatalogFunction)
  )
}

function isCatalogFunction(oid: number): boolean {
  const name = findBuiltinFunction(oid)?.name ?? ''
  if (isPerformed(name)) return false
  return CATALOG_FUNCTION.test(name) && !NO_CATALOG_FUNCTION.test(name)
}

/** Those of the session belong to another session there, where the proxy does not perform them; those of extensions and clients are in both places. */
function canRun(oid: number, place: EmulateRoute['place'], { schema }: EmitContext): boolean {
  if (oid >= FIRST_USER_OID) return schema.userFunctions.functions.has(oid)
  if (!isSessionFunction(oid) || isPerformedOid(oid)) return true
  return place !== 'scratch' && CATALOG_READER.test(findBuiltinFunction(oid)?.name ?? '')
}
