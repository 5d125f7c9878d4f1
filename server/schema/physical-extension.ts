import { findBuiltinFunction } from '../sql/builtin-catalog.ts'
import { builtinTwin } from '../sql/user-functions.ts'
import { quoteIfNeeded } from './backend-words.ts'
import type { Difference } from './difference.ts'
import type { MappingInput } from './physical-mapping.ts'
import type { StoredExtension } from './physical-schema.ts'
import { unsupported } from './unsupported.ts'

/*
 * An extension lives in the companion and the scratch databases alone. So it may bring types and functions that compute, and nothing
 * that reads the server's files, reaches other servers, runs SQL out of a text or looks at the server's own tables.
 */
const SUPPORTED = [
  'btree_gin',
  'btree_gist',
  'citext',
  'cube',
  'fuzzystrmatch',
  'hstore',
  'intarray',
  'ltree',
  'pg_trgm',
  'pgcrypto',
  'seg',
  'unaccent',
  'uuid-ossp',
]

/** 0A000 for an extension that is none of those. */
export function unsupportedExtension(name: string) {
  return unsupported(
    `extension "${name}" is not supported`,
    `Supported are ${SUPPORTED.join(', ')}.`,
  )
}

/** The stored rows of the extensions after a difference. Refuses (0A000) those that must not run here. */
export function mapExtensions(input: MappingInput): StoredExtension[] {
  return input.difference.extensions.flatMap((change): StoredExtension[] => {
    if (change.kind === 'dropped') return []
    const { oid, declared, version, isDefaultVersion } = change.after
    if (!SUPPORTED.includes(declared.name)) throw unsupportedExtension(declared.name)
    if (change.kind === 'created' || change.before.version !== version) {
      if (!isDefaultVersion)
        throw unsupported(
          `version "${version}" of extension "${declared.name}" is not supported`,
          'Leave VERSION out: extensions come in the version that is installed.',
        )
    }
    if (change.kind === 'kept' && change.before.declared.schema !== declared.schema) {
      throw unsupported(
        `extension "${declared.name}" cannot be moved to another schema`,
        'Drop it, and create it there.',
      )
    }
    const id = input.stored.get(oid)?.id ?? input.newId()
    return [{ kind: 'extension', id, declared }]
  })
}

/** As pg_get_expr prints them, for the extensions after a difference. */
export function findBuiltinDefaults({ extensions }: Difference): ReadonlyMap<string, string> {
  const defaults = new Map<string, string>()
  for (const change of extensions) {
    if (change.kind === 'dropped') continue
    const { declared, functions } = change.after
    for (const { name } of functions) {
      const twin = findBuiltinFunction(builtinTwin(declared.name, name) ?? 0)
      if (twin === undefined) continue
      defaults.set(`${quoteIfNeeded(declared.schema)}.${quoteIfNeeded(name)}()`, `${twin.name}()`)
    }
  }
  return defaults
}
