import {
  IMMUTABLE_FUNCTIONS,
  OPERATORS,
  STABLE_FUNCTIONS,
  TYPES,
  VOLATILE_FUNCTIONS,
} from './builtin-names.ts'

/** pg_proc.provolatile: the same for the same arguments always, within one statement, or never. */
export type Volatility = 'immutable' | 'stable' | 'volatile'

/** A built-in function of PostgreSQL, in the schema pg_catalog. */
export interface BuiltinFunction {
  readonly name: string
  readonly volatility: Volatility
}

/** Objects of clients have OIDs from here on (FirstNormalObjectId, access/transam.h). */
export const FIRST_USER_OID = 16384

/** By pg_proc.oid; undefined for what clients made, and for the server's internal functions. */
export function findBuiltinFunction(oid: number): BuiltinFunction | undefined {
  return functions().get(oid)
}

/** pg_proc.oid of the built-in functions that `isWanted`, by name. */
export function builtinOids(isWanted: (name: string) => boolean): readonly number[] {
  return [...functions()].flatMap(([oid, { name }]) => (isWanted(name) ? [oid] : []))
}

/** The least stable of the built-in functions of one name; undefined where there is none. */
export function volatilityOfName(name: string): Volatility | undefined {
  return volatilities().get(name)
}

/** pg_operator.oprname by OID, such as `<=`. */
export function findOperatorName(oid: number): string | undefined {
  return operators().get(oid)
}

/** pg_type.typname by OID, such as `int4` or `_text`. */
export function findTypeName(oid: number): string | undefined {
  return types().get(oid)
}

const functions = once(() => {
  const all = new Map<number, BuiltinFunction>()
  const add = (text: string, volatility: Volatility) => {
    for (const [oid, name] of pairs(text)) all.set(oid, { name, volatility })
  }
  add(IMMUTABLE_FUNCTIONS, 'immutable')
  add(STABLE_FUNCTIONS, 'stable')
  add(VOLATILE_FUNCTIONS, 'volatile')
  return all
})
const volatilities = once(() => {
  const byName = new Map<string, Volatility>()
  for (const { name, volatility } of functions().values()) {
    const known = byName.get(name)
    if (known !== 'volatile' && (known === undefined || volatility !== 'immutable'))
      byName.set(name, volatility)
  }
  return byName
})
const operators = once(() => new Map(pairs(OPERATORS)))
const types = once(() => new Map(pairs(TYPES)))

/** Words `oid:name`; operators' names may hold colons. */
function pairs(text: string): [number, string][] {
  return text
    .trim()
    .split(/\s+/)
    .map((word) => {
      const colon = word.indexOf(':')
      return [Number(word.slice(0, colon)), word.slice(colon + 1)]
    })
}

/** The tables are read when they are first asked for: a proxy that only passes catalogs on never needs them. */
function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined
  return () => {
    made ??= { value: make() }
    return made.value
  }
}
