import type { DeclaredGrant, DeclaredObject } from './declared-object.ts'
import type { StoredObject } from './physical-schema.ts'
import type { RoleRename } from './schema-types.ts'

/** The roles that a declaration names: they must exist before it is made in a mirror. */
export function rolesOf(object: DeclaredObject): readonly string[] {
  const columns = 'columns' in object ? object.columns : []
  const grants = [object, ...columns].flatMap((part) => ('grants' in part && part.grants) || [])
  const named = grants.flatMap(({ grantee, grantor }) => [grantee, grantor])
  return [object.owner, ...named].filter((role) => role !== undefined)
}

/** Roles that PostgreSQL or the companion make themselves. */
export function isPredefinedRole(role: string): boolean {
  return role.startsWith('pg_') || role.startsWith('spanwire_')
}

/** The row with the role's new name; the same object where it does not name the role. */
export function withRoleRenamed(row: StoredObject, { from, to }: RoleRename): StoredObject {
  const { declared } = row
  if (!rolesOf(declared).includes(from)) return row
  const renamed = (role: string): string => (role === from ? to : role)
  const inGrants = <T extends object>(part: T): T => {
    if (!hasGrants(part)) return part
    const grants = part.grants.map((grant) => ({
      ...grant,
      grantor: renamed(grant.grantor),
      ...(grant.grantee === undefined ? {} : { grantee: renamed(grant.grantee) }),
    }))
    return { ...part, grants }
  }
  const columns = 'columns' in declared ? { columns: declared.columns.map(inGrants) } : {}
  const owner = renamed(declared.owner)
  return { ...row, declared: { ...inGrants(declared), ...columns, owner } } as StoredObject
}

function hasGrants(part: object): part is { readonly grants: readonly DeclaredGrant[] } {
  return 'grants' in part && part.grants !== undefined
}
