import { type DeclaredFunction, isSameDeclaration } from './declared-object.ts'
import { emitGrants, emitGrantsAnew } from './emit-grants.ts'
import { emitPostgresName, quoteIdentifier, quoteLiteral } from './postgres-text.ts'

/** A function as DROP, ALTER and GRANT name it. */
export function emitFunctionName(declared: DeclaredFunction): string {
  return `${emitPostgresName(declared)}(${declared.argumentTypes.join(', ')})`
}

/**
 * The statements that make a function in a mirror. Bodies that are texts are taken unread: their names are found by the search path of
 * whoever calls.
 */
export function emitFunction(declared: DeclaredFunction): readonly string[] {
  const { owner, comment } = declared
  const name = emitFunctionName(declared)
  return [
    ...defineFunction(declared),
    ...(comment === undefined ? [] : [`COMMENT ON FUNCTION ${name} IS ${quoteLiteral(comment)}`]),
    ...emitGrants({ on: `FUNCTION ${name}`, owner, isPublic: true }, declared.grants),
  ]
}

/** The statements that make a function that is there say what `after` says. */
export function alterFunction(
  before: DeclaredFunction,
  after: DeclaredFunction,
): readonly string[] {
  const name = emitFunctionName(after)
  const { owner, comment } = after
  return [
    ...defineFunction(after),
    `COMMENT ON FUNCTION ${name} IS ${comment === undefined ? 'NULL' : quoteLiteral(comment)}`,
    ...emitGrantsAnew(
      { on: `FUNCTION ${name}`, owner, isPublic: true },
      before.grants,
      after.grants,
    ),
  ]
}

/** Whether CREATE OR REPLACE leads from one to the other, and needs nothing that was not needed before. */
export function canReplaceFunction(before: DeclaredFunction, after: DeclaredFunction): boolean {
  const hasPrivilegesOfBirth = after.grants === undefined && before.grants !== undefined
  return !hasPrivilegesOfBirth && isSameDeclaration(unchangeable(before), unchangeable(after))
}

function unchangeable(declared: DeclaredFunction): unknown {
  const { arguments: given, result, userTypes, functions } = declared
  return [given, result, userTypes, functions]
}

function defineFunction(declared: DeclaredFunction): readonly string[] {
  return [
    'SET LOCAL check_function_bodies = off',
    declared.definition,
    'SET LOCAL check_function_bodies = on',
    `ALTER FUNCTION ${emitFunctionName(declared)} OWNER TO ${quoteIdentifier(declared.owner)}`,
  ]
}
