import { sqlCastType } from './storage.ts'

/**
 * Short names of the types in expressions. Strings are text there whatever their column was declared as: Spanner knows no cast
 * between arrays of text and of varchar.
 */
const NAMES: ReadonlyMap<string, string> = new Map([
  ['character varying', 'text'],
  ['timestamp with time zone', 'timestamptz'],
  ['double precision', 'float8'],
  ['real', 'float4'],
])

/** What a cast to (the storage of) a PostgreSQL type names; undefined where the type has no storage. */
export function castTypeOf(typeOid: number): string | undefined {
  const name = sqlCastType(typeOid)
  if (name === undefined) return undefined
  const scalar = name.replace('[]', '')
  return name.replace(scalar, NAMES.get(scalar) ?? scalar)
}
