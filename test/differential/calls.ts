import { OID } from '../../server/types/pg-type.ts'
import { ARRAY_CALLS } from './calls-arrays.ts'
import { CAST_CALLS } from './calls-casts.ts'
import { JSON_CALLS } from './calls-json.ts'
import { NUMBER_CALLS } from './calls-numbers.ts'
import { TEXT_CALLS } from './calls-text.ts'
import { TIME_CALLS } from './calls-times.ts'
import type { Maker, Makers } from './makers.ts'
import { USER_TYPES } from './values.ts'

/**
 * An expression of PostgreSQL's, as a client writes it: its type, and its text with holes. `{int4}` is any expression of that type,
 * `{1|2|-1}` one of these texts. `!` before the type: it fails for some values.
 */
export type Call = readonly [type: string, text: string]

const CALLS: readonly Call[] = [
  ...TEXT_CALLS,
  ...NUMBER_CALLS,
  ...TIME_CALLS,
  ...JSON_CALLS,
  ...ARRAY_CALLS,
  ...CAST_CALLS,
]

/** Whose overflow nobody waits for (emit-bool.ts). */
const ARITHMETIC: readonly number[] = [
  OID.int2,
  OID.int4,
  OID.int8,
  OID.float4,
  OID.float8,
  OID.numeric,
]

/** Braces in braces belong to a text in the hole. */
const HOLE = /\{((?:[^{}]|\{[^{}]*\})*)\}/g
const ALTERNATIVE = /(?:'[^']*'|[^|'])+/g

const OIDS: Readonly<Record<string, number>> = { ...OID, ...USER_TYPES }

/** The allow-list's makers and, as often, those of everything that PostgreSQL has. */
export function withCalls(makers: Makers): Makers {
  const all = new Map(makers)
  const called = CALLS.map(makerOf)
  for (const type of new Set(called.map((call) => call.type))) {
    const listed = makers.get(type) ?? []
    const own = called.filter((call) => call.type === type).map(({ maker }) => maker)
    const times = Math.max(1, Math.ceil(listed.length / own.length))
    all.set(type, [...listed, ...Array.from({ length: times }, () => own).flat()])
  }
  return all
}

function makerOf([name, text]: Call): { readonly type: number; readonly maker: Maker } {
  const canFail = name.startsWith('!')
  const holes = [...text.matchAll(HOLE)].map(([, hole = '']) => hole)
  return {
    type: mustFindType(canFail ? name.slice(1) : name),
    maker: {
      argTypes: holes.map((hole) => OIDS[hole] ?? 0),
      constants: holes.map((hole) => (hole in OIDS ? undefined : (hole.match(ALTERNATIVE) ?? []))),
      canFail,
      isArithmetic: canFail && ARITHMETIC.includes(mustFindType(name.slice(1))),
      print: (args) => {
        const left = [...args]
        return `(${text.replace(HOLE, () => left.shift() ?? '')})`
      },
    },
  }
}

function mustFindType(name: string): number {
  const oid = OIDS[name]
  if (oid === undefined) throw new Error(`no type ${name}`)
  return oid
}
