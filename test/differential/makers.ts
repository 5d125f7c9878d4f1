import type { Capabilities } from '../../server/backend/capabilities.ts'
import { OID } from '../../server/types/pg-type.ts'
import { CONSTANTS } from './constants.ts'
import { keyOf, type Rule } from './rules.ts'
import { callOf } from './swept-expression.ts'
import { variantsOf } from './variants.ts'

/** How a value of a type can be made of values of other types: a row of the allow-list with definite types. */
export interface Maker {
  readonly argTypes: readonly number[]
  /** By their place, the constants that an argument must be one of. */
  readonly constants: readonly (readonly string[] | undefined)[]
  /** Whether it fails for some values, and Spanwire sees to it that conditions before it keep these away. */
  readonly canFail: boolean
  /** Whether its result may leave the range of its type, which nobody sees to. */
  readonly isArithmetic: boolean
  readonly print: (args: readonly string[]) => string
}

/** By the type that they make. */
export type Makers = ReadonlyMap<number, readonly Maker[]>

const NUMBERS = new Set<number>([
  OID.int2,
  OID.int4,
  OID.int8,
  OID.float4,
  OID.float8,
  OID.numeric,
  OID.date,
])

/** The rows that a backend has. */
export function makersFor(rules: readonly Rule[], capabilities: Capabilities): Makers {
  const makers = new Map<number, Maker[]>()
  for (const rule of rules) {
    const isMissing = rule.needs !== undefined && !capabilities[rule.needs]
    if (rule.kind === 'aggregate' || rule.returnsSet || isMissing) continue
    for (const { argTypes, resultType } of variantsOf(rule)) {
      const maker: Maker = {
        argTypes,
        constants: CONSTANTS.get(keyOf(rule)) ?? [],
        canFail: rule.canFail,
        isArithmetic: NUMBERS.has(resultType),
        print: (args) => callOf(rule, args, resultType),
      }
      makers.set(resultType, [...(makers.get(resultType) ?? []), maker])
    }
  }
  return makers
}
