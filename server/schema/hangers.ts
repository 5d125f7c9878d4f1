import {
  type DeclaredObject,
  declaredKey,
  functionKey,
  relationKey,
  schemaKey,
  typeKey,
} from './declared-object.ts'

/**
 * By key: the objects that DROP .. CASCADE takes along, or takes a part of that has no statement of its own. With foreign keys
 * it is what names an object in its definition.
 */
export function findHangers(
  objects: readonly DeclaredObject[],
  options: { readonly withForeignKeys: boolean } = { withForeignKeys: false },
): ReadonlyMap<string, readonly string[]> {
  const hangers = new Map<string, string[]>()
  const extensions = objects.filter(({ kind }) => kind === 'extension').map(declaredKey)
  for (const object of objects) {
    const key = declaredKey(object)
    // Which extension's functions and types a definition uses, it does not tell.
    const brought = MAY_USE_EXTENSIONS.has(object.kind) ? extensions : []
    for (const needed of [...neededBy(object, options.withForeignKeys), ...brought]) {
      hangers.set(needed, [...(hangers.get(needed) ?? []), key])
    }
    // An identity sequence and its table go together.
    if (object.kind === 'sequence' && object.ownedBy?.identity === true) {
      hangers.set(key, [...(hangers.get(key) ?? []), relationKey(object.ownedBy)])
    }
  }
  return hangers
}

const MAY_USE_EXTENSIONS = new Set<DeclaredObject['kind']>(['domain', 'function', 'table', 'view'])

function neededBy(object: DeclaredObject, withForeignKeys: boolean): string[] {
  switch (object.kind) {
    case 'schema':
      return []
    case 'extension':
    case 'enum':
      return [schemaKey(object.schema)]
    case 'domain':
      return [
        schemaKey(object.schema),
        ...(object.userType === undefined ? [] : [typeKey(object.userType)]),
        ...(object.defaultSequences ?? []).map(relationKey),
        ...(object.functions ?? []).map(functionKey),
      ]
    case 'function':
      return [
        schemaKey(object.schema),
        ...(object.userTypes ?? []).map(typeKey),
        ...(object.functions ?? []).map(functionKey),
      ]
    case 'view':
      return [
        schemaKey(object.schema),
        ...(object.dependsOn ?? []).map(relationKey),
        ...(object.userTypes ?? []).map(typeKey),
        ...(object.functions ?? []).map(functionKey),
      ]
    case 'sequence':
      return [
        schemaKey(object.schema),
        ...(object.ownedBy === undefined ? [] : [relationKey(object.ownedBy)]),
      ]
    case 'table': {
      const drawn = object.columns.flatMap((column) => column.defaultSequences ?? [])
      const referenced = withForeignKeys
        ? object.constraints.flatMap((constraint) => constraint.references ?? [])
        : []
      const types = object.columns.flatMap((column) => column.userType ?? [])
      return [
        schemaKey(object.schema),
        ...types.map(typeKey),
        ...[...drawn, ...referenced].map(relationKey),
        ...(object.functions ?? []).map(functionKey),
      ]
    }
  }
}
