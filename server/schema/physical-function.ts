import { type FunctionObstacle, findObstacle } from '../sql/function-body.ts'
import { type DeclaredObject, declaredKey } from './declared-object.ts'
import type { Change } from './difference.ts'
import { findHangers } from './hangers.ts'
import type { MappingInput } from './physical-mapping.ts'
import type { StoredFunction } from './physical-schema.ts'
import type { CatalogFunction } from './snapshot.ts'
import { unsupported } from './unsupported.ts'

/*
 * A function lives in the companion and the scratch databases alone, which hold no rows and know nothing of the client's session. So it
 * may compute, and nothing else: read no table, change nothing, ask nothing that the proxy alone knows.
 */

const WHAT_IS_KEPT =
  'Spanwire keeps functions of LANGUAGE sql that compute their result without tables: write it so, or compute in the application.'

/** The stored rows of the functions after a difference. Refuses (0A000) those that must not run here. */
export function mapFunctions(input: MappingInput): StoredFunction[] {
  const rows = input.difference.functions.flatMap((change): StoredFunction[] => {
    if (change.kind === 'dropped') return []
    if (change.kind === 'created' || change.isChanged) refuse(change.after)
    const id = input.stored.get(change.after.oid)?.id ?? input.newId()
    return [{ kind: 'function', id, declared: change.after.declared }]
  })
  refuseCircles(input)
  return rows
}

function refuse({ declared, language, isSecurityDefiner, settings, relations }: CatalogFunction) {
  const { name, definition } = declared
  if (language !== 'sql')
    throw unsupported(`functions of language ${language} are not supported`, WHAT_IS_KEPT)
  if (isSecurityDefiner) {
    throw unsupported(
      `function "${name}": SECURITY DEFINER is not supported`,
      'Leave it out: a function that reads no tables needs no rights but those of its caller.',
    )
  }
  if (settings.length > 0) {
    throw unsupported(
      `function "${name}": SET clauses are not supported`,
      'Leave them out, and qualify the names in its body.',
    )
  }
  const [relation] = relations
  const obstacle: FunctionObstacle | undefined =
    relation === undefined ? findObstacle(definition) : { kind: 'relation', name: relation }
  if (obstacle !== undefined) throw refusal(name, obstacle)
}

function refusal(name: string, obstacle: FunctionObstacle): Error {
  switch (obstacle.kind) {
    case 'command':
      return unsupported(`function "${name}" cannot be kept: it runs ${obstacle.tag}`, WHAT_IS_KEPT)
    case 'relation':
      return unsupported(
        `function "${name}" cannot be kept: it depends on relation "${obstacle.name}"`,
        WHAT_IS_KEPT,
      )
    case 'session':
      return unsupported(
        `function "${name}" cannot be kept: it asks for ${obstacle.name}`,
        'Functions know nothing of the session and its transaction: give them the value as an argument.',
      )
    case 'unreadable':
      return unsupported(`function "${name}" cannot be kept: its body is no SQL`, WHAT_IS_KEPT)
  }
}

/** ALTER and OR REPLACE can make two things need each other, and a mirror could not be made of them. */
function refuseCircles({ difference }: MappingInput): void {
  const objects = [...difference.domains, ...difference.functions].flatMap(declaredAfter)
  const hangers = findHangers(objects)
  const isDone = new Set<string>()
  const visit = (key: string, path: readonly string[]): void => {
    if (path.includes(key)) throw circle(objects, key)
    if (isDone.has(key)) return
    for (const hanger of hangers.get(key) ?? []) visit(hanger, [...path, key])
    isDone.add(key)
  }
  for (const object of objects) visit(declaredKey(object), [])
}

function declaredAfter(change: Change<{ readonly declared: DeclaredObject }>): DeclaredObject[] {
  return change.kind === 'dropped' ? [] : [change.after.declared]
}

function circle(objects: readonly DeclaredObject[], key: string): Error {
  const { kind, name } = objects.find((object) => declaredKey(object) === key) ?? {}
  return unsupported(
    `${kind} "${name}" cannot depend on itself`,
    'Write the body of a function that calls itself as a text: AS $$ .. $$.',
  )
}
