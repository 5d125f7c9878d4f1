import { PgError } from '../base/pg-error.ts'
import { SQL_STATE } from '../base/sql-state.ts'
import { isPassingOid } from '../types/user-type.ts'
import { describeStatement } from './describe.ts'
import type { Described, PreparedStatement } from './prepared-statement.ts'
import type { SessionState } from './session-state.ts'
import { catalogSource } from './temporary-tables.ts'

/** The types of parameters that PREPARE names. */
type NamedTypes = Pick<PreparedStatement, 'declaredTypes' | 'argumentTypes' | 'typeNames'>

/** The OIDs of type names as PREPARE writes them: as Parse knows the types, and with the domains that EXECUTE's values must be of. */
export async function resolveTypes(
  state: SessionState,
  typeNames: readonly string[],
): Promise<NamedTypes> {
  if (typeNames.length === 0) return { declaredTypes: [] }
  const { fields, paramTypes } = await catalogSource(state).analyse({
    text: `SELECT ${typeNames.map((name, index) => `$${index + 1}::${name}`).join(', ')}`,
    paramTypes: [],
    session: state.context(),
    signal: state.scope.signal,
  })
  const declaredTypes = (fields ?? []).map((field) => field.typeOid)
  return { declaredTypes, argumentTypes: paramTypes, typeNames }
}

/**
 * A statement may have been described under an older schema: it is planned again (from the cache where nothing changed), and may
 * not return other columns than it said (src/backend/utils/cache/plancache.c, RevalidateCachedQuery).
 */
export async function revalidate(
  state: SessionState,
  prepared: PreparedStatement,
): Promise<PreparedStatement> {
  if (prepared.described.plan === undefined || state.block.state === 'failed') return prepared
  const types = await currentTypes(state, prepared)
  const before = prepared.described
  const described = await describeStatement(
    state,
    prepared.statement,
    types.declaredTypes.length > 0 ? types.declaredTypes : before.paramTypes,
  )
  if (described.plan === before.plan) return prepared
  if (!sameColumns(before.fields, described.fields)) {
    throw new PgError(SQL_STATE.featureNotSupported, 'cached plan must not change result type')
  }
  const renewed = { ...prepared, ...types, described }
  state.prepared.set(prepared.name, renewed)
  return renewed
}

/** A type that the open transaction has made gets another OID when it commits. */
async function currentTypes(state: SessionState, prepared: PreparedStatement): Promise<NamedTypes> {
  const { typeNames = [], argumentTypes = [] } = prepared
  return argumentTypes.some(isPassingOid) ? resolveTypes(state, typeNames) : prepared
}

function sameColumns(before: Described['fields'], after: Described['fields']): boolean {
  if (before?.length !== after?.length) return false
  return (before ?? []).every((field, index) => {
    const other = after?.[index]
    if (other === undefined || other.name !== field.name || other.typmod !== field.typmod)
      return false
    return other.typeOid === field.typeOid || isPassingOid(field.typeOid)
  })
}
