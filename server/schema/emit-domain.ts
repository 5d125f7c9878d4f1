import type { DeclaredDomain, DeclaredDomainCheck } from './declared-object.ts'
import { emitGrants } from './emit-grants.ts'
import { emitTypeOid } from './emit-type-oid.ts'
import { emitPostgresName, quoteIdentifier, quoteLiteral } from './postgres-text.ts'

/** The statements that make a domain in a mirror, with the OIDs that it has in every proxy. */
export function emitDomain(declared: DeclaredDomain): readonly string[] {
  const name = emitPostgresName(declared)
  const { owner, comment, constraints } = declared
  const [parts, options] = [constraints.filter((check) => !isLate(check)), optionsOf(declared)]
  return [
    `CREATE DOMAIN ${name} AS ${declared.type}${[...options, ...parts.map(emitCheck)].map((part) => ` ${part}`).join('')}`,
    ...emitTypeOid(name, declared.oid),
    ...constraints.filter(isLate).map((check) => `ALTER DOMAIN ${name} ADD ${emitCheck(check)}`),
    `ALTER DOMAIN ${name} OWNER TO ${quoteIdentifier(owner)}`,
    ...(comment === undefined ? [] : [`COMMENT ON DOMAIN ${name} IS ${quoteLiteral(comment)}`]),
    ...constraints.flatMap((check) => commentOn(name, check)),
    ...emitGrants({ on: `TYPE ${name}`, owner, isPublic: true }, declared.grants),
  ]
}

function optionsOf({ collation, notNull, default: value }: DeclaredDomain): string[] {
  return [
    ...(collation === undefined ? [] : [`COLLATE ${collation}`]),
    ...(value === undefined ? [] : [`DEFAULT ${value}`]),
    ...(notNull ? ['NOT NULL'] : []),
  ]
}

function emitCheck({ name, definition }: DeclaredDomainCheck): string {
  return `CONSTRAINT ${quoteIdentifier(name)} ${definition}`
}

/** CREATE DOMAIN takes no NOT VALID. */
function isLate({ definition }: DeclaredDomainCheck): boolean {
  return definition.endsWith(' NOT VALID')
}

function commentOn(domain: string, { name, comment }: DeclaredDomainCheck): string[] {
  if (comment === undefined) return []
  return [
    `COMMENT ON CONSTRAINT ${quoteIdentifier(name)} ON DOMAIN ${domain} IS ${quoteLiteral(comment)}`,
  ]
}
