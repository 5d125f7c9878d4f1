import type { Volatility } from './builtin-catalog.ts'
import type { NodeObject, NodeValue } from './node-text.ts'

/*
 * The tree names functions and operators by OID, and those of extensions have other ones in every companion:
 *
 *     {FUNCEXPR :funcid 16400 :args ..}     read as:  {FUNCEXPR :funcid 16400 :username "public"."digest" :uservolatility immutable :args ..}
 *     {OPEXPR :opno 16410 :args ..}                   {OPEXPR :opno 16410 :username "public".% :args ..}
 */

/** A function that an extension brought. */
export interface UserFunction {
  /** Qualified and quoted. */
  readonly name: string
  readonly volatility: Volatility
  /** pg_proc.oid of the built-in function that does the same. */
  readonly twin?: number | undefined
}

/** What a query tree is read with. */
export interface UserFunctionLookup {
  readonly findFunction: (oid: number) => UserFunction | undefined
  readonly findOperator: (oid: number) => string | undefined
}

const GEN_RANDOM_UUID = 3432

/** The built-in function that a function of an extension is an older name of. */
export function builtinTwin(extension: string, name: string): number | undefined {
  const isRandomUuid =
    (extension === 'uuid-ossp' && name === 'uuid_generate_v4') ||
    (extension === 'pgcrypto' && name === 'gen_random_uuid')
  return isRandomUuid ? GEN_RANDOM_UUID : undefined
}

/** A node tree whose calls of an extension's functions and operators tell what these are. */
export function withUserFunctions(value: NodeValue, lookup: UserFunctionLookup): NodeValue {
  if (value?.kind === 'list') {
    return { ...value, items: value.items.map((item) => withUserFunctions(item, lookup)) }
  }
  if (value?.kind !== 'object') return value
  const fields = [...value.fields].map(
    ([name, field]) => [name, withUserFunctions(field, lookup)] as const,
  )
  return { ...value, fields: new Map([...fields, ...namesOf(value, lookup)]) }
}

function namesOf(node: NodeObject, lookup: UserFunctionLookup): [string, NodeValue][] {
  const operator = oidIn(node, 'opno')
  const operatorName = operator === undefined ? undefined : lookup.findOperator(operator)
  if (operatorName !== undefined) return [['username', atom(operatorName)]]
  const oid = node.tag === 'FUNCEXPR' ? oidIn(node, 'funcid') : undefined
  const called = oid === undefined ? undefined : lookup.findFunction(oid)
  if (called === undefined) return []
  if (called.twin !== undefined) return [['funcid', atom(String(called.twin))]]
  return [
    ['username', atom(called.name)],
    ['uservolatility', atom(called.volatility)],
  ]
}

function oidIn(node: NodeObject, field: string): number | undefined {
  const value = node.fields.get(field)
  return value?.kind === 'atom' ? Number(value.text) : undefined
}

function atom(text: string): NodeValue {
  return { kind: 'atom', text }
}
