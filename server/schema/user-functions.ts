import type { Volatility } from '../sql/builtin-catalog.ts'
import { functionsCalledBy, isVolatileCall } from '../sql/function-body.ts'
import { inlineText } from '../sql/inline-text.ts'
import {
  builtinOperator,
  builtinTwin,
  type InlineSource,
  type UserFunction,
  type UserOperator,
} from '../sql/user-functions.ts'
import type { UserFunctions } from './logical-schema.ts'
import { emitPostgresName, quoteIdentifier } from './postgres-text.ts'
import type { CatalogFunction, Snapshot } from './snapshot.ts'

/** The functions and operators of extensions, and the functions of clients. */
export function toUserFunctions(snapshot: Snapshot): UserFunctions {
  const functions = new Map<number, UserFunction>()
  const operators = new Map<number, UserOperator>()
  for (const { declared, ...brought } of snapshot.extensions.values()) {
    const { schema } = declared
    for (const { oid, name, volatility } of brought.functions) {
      const twin = builtinTwin(declared.name, name)
      functions.set(oid, { name: emitPostgresName({ schema, name }), volatility, twin })
    }
    for (const { oid, name } of brought.operators) {
      const twin = builtinOperator(declared.name, name)
      operators.set(oid, { name: `${quoteIdentifier(schema)}.${name}`, twin })
    }
  }
  const really = volatileFunctions(snapshot)
  for (const called of snapshot.functions.values()) {
    const name = emitPostgresName(called.declared)
    const volatility = volatilityOf(called, really)
    functions.set(called.oid, { name, volatility, inline: inlineSourceOf(called) })
  }
  return { functions, operators }
}

/** Polymorphic functions have other types in every call. */
const POLYMORPHIC = /^"?any/

function inlineSourceOf(called: CatalogFunction): InlineSource | undefined {
  const { declared, argumentTypes, resultType } = called
  if (declared.argumentTypes.some((type) => POLYMORPHIC.test(type))) return undefined
  const body = inlineText(declared.definition, declared.name)
  return body && { ...body, argumentTypes, resultType }
}

function volatilityOf(
  { oid, volatility }: CatalogFunction,
  really: ReadonlySet<number>,
): Volatility {
  return volatility === 'volatile' && !really.has(oid) ? 'stable' : volatility
}

/**
 * The functions that may give two values for the same arguments. VOLATILE is what a function is where nothing was said, and of most it is not true:
 * what they call tells.
 */
function volatileFunctions({ extensions, functions }: Snapshot): ReadonlySet<number> {
  const names = new Set(
    [...extensions.values()].flatMap((extension) =>
      extension.functions.flatMap(({ name, volatility }) =>
        volatility === 'volatile' ? [name] : [],
      ),
    ),
  )
  const found = new Set<number>()
  const left = new Map(
    [...functions.values()]
      .filter(({ volatility }) => volatility === 'volatile')
      .map((called) => [called, functionsCalledBy(called.declared.definition)]),
  )
  const isVolatile = (name: readonly string[]): boolean =>
    isVolatileCall(name) ?? names.has(name.at(-1) ?? '')
  for (let known = -1; known < found.size; ) {
    known = found.size
    for (const [{ oid, declared }, calls] of left) {
      if (found.has(oid) || !calls.some(isVolatile)) continue
      found.add(oid)
      names.add(declared.name)
    }
  }
  return found
}
