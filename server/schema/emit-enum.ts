import type { DeclaredEnum } from './declared-object.ts'
import { emitGrants } from './emit-grants.ts'
import { emitTypeOid } from './emit-type-oid.ts'
import { emitPostgresName, quoteIdentifier, quoteLiteral } from './postgres-text.ts'

/** The statements that make an enum type in a mirror, with the OIDs that it has in every proxy. */
export function emitEnum(declared: DeclaredEnum): readonly string[] {
  const name = emitPostgresName(declared)
  const { labels, owner, comment } = declared
  return [
    `CREATE TYPE ${name} AS ENUM (${labels.map(quoteLiteral).join(', ')})`,
    ...emitTypeOid(name, declared.oid),
    `ALTER TYPE ${name} OWNER TO ${quoteIdentifier(owner)}`,
    ...(comment === undefined ? [] : [`COMMENT ON TYPE ${name} IS ${quoteLiteral(comment)}`]),
    ...emitGrants({ on: `TYPE ${name}`, owner, isPublic: true }, declared.grants),
  ]
}
