import type { DeclaredGrant } from './declared-object.ts'
import { quoteIdentifier } from './postgres-text.ts'

/** What privileges are granted on: `TABLE "s"."t"`, `SCHEMA "s"`; a column is part of the privileges themselves. */
export interface GrantTarget {
  readonly on: string
  readonly owner: string
  /** PUBLIC has a privilege on such an object from its birth. */
  readonly isPublic?: true
  /** Of a table or view. */
  readonly column?: string
}

/**
 * The statements that give a new object (a column of one) its access control list, item by item in the list's order, under a superuser: what it grants
 * comes from the owner (select_best_grantor of src/backend/utils/adt/acl.c), the rest from its own grantor.
 */
export function emitGrants(
  target: GrantTarget,
  grants: readonly DeclaredGrant[] | undefined,
): string[] {
  if (grants === undefined) return []
  const own = target.column === undefined ? [revokeAll(target, target.owner)] : []
  const others = target.isPublic === true ? [revokeAll(target, undefined)] : []
  return [...own, ...others, ...grants.flatMap((grant) => emitGrant(target, grant))]
}

/** The same for an object that stays, and has the privileges `before`. */
export function emitGrantsAnew(
  target: GrantTarget,
  before: readonly DeclaredGrant[] | undefined,
  grants: readonly DeclaredGrant[] | undefined,
): string[] {
  const grantees = new Set((before ?? []).map(({ grantee }) => grantee))
  return [
    ...[...grantees].map((grantee) => revokeAll(target, grantee)),
    ...emitGrants(target, grants),
  ]
}

function emitGrant(target: GrantTarget, grant: DeclaredGrant): string[] {
  const { grantor, privileges = [], grantable = [] } = grant
  const statements = [
    ...(privileges.length === 0 ? [] : [grantOf(target, privileges, grant)]),
    ...(grantable.length === 0 ? [] : [`${grantOf(target, grantable, grant)} WITH GRANT OPTION`]),
  ]
  if (grantor === target.owner) return statements
  return [`SET ROLE ${quoteIdentifier(grantor)}`, ...statements, 'RESET ROLE']
}

function grantOf(
  { on, column }: GrantTarget,
  privileges: readonly string[],
  { grantee }: DeclaredGrant,
): string {
  const columns = column === undefined ? '' : ` (${quoteIdentifier(column)})`
  const list = privileges.map((privilege) => `${privilege}${columns}`).join(', ')
  return `GRANT ${list} ON ${on} TO ${roleName(grantee)}`
}

function revokeAll({ on }: GrantTarget, role: string | undefined): string {
  return `REVOKE ALL ON ${on} FROM ${roleName(role)} CASCADE`
}

function roleName(role: string | undefined): string {
  return role === undefined ? 'PUBLIC' : quoteIdentifier(role)
}
