import { OID } from '../types/pg-type.ts'
import { CITEXT_ARRAY } from '../types/user-type.ts'
import type { Volatility } from './builtin-catalog.ts'
import type { InlineText } from './inline-text.ts'
import type { NodeObject, NodeValue } from './node-text.ts'

/*
 * The tree names functions and operators by OID, and those of extensions and clients have other ones in every companion:
 *
 *     {FUNCEXPR :funcid 16400 :args ..}     read as:  {FUNCEXPR :funcid 16400 :username "public"."digest" :uservolatility immutable :args ..}
 *     {OPEXPR :opno 16410 :args ..}                   {OPEXPR :opno 16410 :username "public".% :args ..}
 *
 * What is a built-in one under another name is read as that; of citext, a = b is lower(a) = lower(b).
 */

/** A function that an extension brought, or a client made. */
export interface UserFunction {
  /** Qualified and quoted. */
  readonly name: string
  readonly volatility: Volatility
  /** pg_proc.oid of the built-in function that does the same. */
  readonly twin?: number | undefined
  /** Where what it computes can stand in the place of its calls. */
  readonly inline?: InlineSource | undefined
}

/** What a client's function computes, to be analysed in the session that calls it. */
export interface InlineSource extends InlineText {
  /** OIDs of the parameters. */
  readonly argumentTypes: readonly number[]
  readonly resultType: number
}

/** An operator that an extension brought. */
export interface UserOperator {
  /** As `OPERATOR(..)` names it. */
  readonly name: string
  readonly twin?: OperatorTwin | undefined
}

/** A built-in operator on texts that does the same. */
export interface OperatorTwin {
  readonly operator: number
  readonly function: number
  /** Once its operands are in lower case. */
  readonly ofLowerCase: boolean
}

/** What a query tree is read with. */
export interface UserFunctionLookup {
  readonly findFunction: (oid: number) => UserFunction | undefined
  readonly findOperator: (oid: number) => UserOperator | undefined
}

const GEN_RANDOM_UUID = 3432

/** The built-in function that a function of an extension is an older name of. */
export function builtinTwin(extension: string, name: string): number | undefined {
  const isRandomUuid =
    (extension === 'uuid-ossp' && name === 'uuid_generate_v4') ||
    (extension === 'pgcrypto' && name === 'gen_random_uuid')
  return isRandomUuid ? GEN_RANDOM_UUID : undefined
}

/** pg_operator.oid and pg_proc.oid of what the operators of citext do, which is the same with texts on their right. */
const OF_CITEXT: ReadonlyMap<string, OperatorTwin> = new Map([
  ['=', { operator: 98, function: 67, ofLowerCase: true }],
  ['<>', { operator: 531, function: 157, ofLowerCase: true }],
  ['<', { operator: 664, function: 740, ofLowerCase: true }],
  ['<=', { operator: 665, function: 741, ofLowerCase: true }],
  ['>', { operator: 666, function: 742, ofLowerCase: true }],
  ['>=', { operator: 667, function: 743, ofLowerCase: true }],
  ['~~', { operator: 1627, function: 1633, ofLowerCase: false }],
  ['~~*', { operator: 1627, function: 1633, ofLowerCase: false }],
  ['!~~', { operator: 1628, function: 1634, ofLowerCase: false }],
  ['!~~*', { operator: 1628, function: 1634, ofLowerCase: false }],
  ['~', { operator: 1228, function: 1238, ofLowerCase: false }],
  ['~*', { operator: 1228, function: 1238, ofLowerCase: false }],
  ['!~', { operator: 1229, function: 1239, ofLowerCase: false }],
  ['!~*', { operator: 1229, function: 1239, ofLowerCase: false }],
])

/** The built-in operator that an extension's can be read as. */
export function builtinOperator(extension: string, name: string): OperatorTwin | undefined {
  return extension === 'citext' ? OF_CITEXT.get(name) : undefined
}

/** A node tree whose calls of functions and operators that are not built in tell what these are. */
export function withUserFunctions(value: NodeValue, lookup: UserFunctionLookup): NodeValue {
  if (value?.kind === 'list') {
    return { ...value, items: value.items.map((item) => withUserFunctions(item, lookup)) }
  }
  if (value?.kind !== 'object') return value
  const fields = [...value.fields].map(
    ([name, field]) => [name, withUserFunctions(field, lookup)] as const,
  )
  const read = { ...value, fields: new Map(fields) }
  const operator = oidIn(read, 'opno')
  const known = operator === undefined ? undefined : lookup.findOperator(operator)
  if (known !== undefined) return withOperator(read, known)
  return { ...read, fields: new Map([...fields, ...namesOf(read, lookup)]) }
}

/** Nodes whose operands may be other expressions without changing what comes out: NULLIF gives the first of them. */
const TESTS = new Set(['OPEXPR', 'DISTINCTEXPR', 'SCALARARRAYOPEXPR'])

function withOperator(operation: NodeObject, { name, twin }: UserOperator): NodeObject {
  const args = operation.fields.get('args')
  const operands =
    twin === undefined || args?.kind !== 'list' || !TESTS.has(operation.tag)
      ? undefined
      : textOperands(args.items, twin)
  if (twin === undefined || operands === undefined)
    return { ...operation, fields: new Map([...operation.fields, ['username', atom(name)]]) }
  return {
    ...operation,
    fields: new Map<string, NodeValue>([
      ...operation.fields,
      ['opno', atom(String(twin.operator))],
      ['opfuncid', atom(String(twin.function))],
      ['args', { kind: 'list', items: operands }],
    ]),
  }
}

/** The operands as texts; undefined where one is an array whose elements are not in sight. */
function textOperands(
  args: readonly NodeValue[],
  twin: OperatorTwin,
): readonly NodeValue[] | undefined {
  const operands = args.map((arg) => {
    if (arg?.kind !== 'object') return undefined
    if (arg.tag === 'ARRAYEXPR') return textArray(arg, twin)
    return isArray(arg) ? undefined : textOperand(arg, twin)
  })
  return operands.includes(undefined) ? undefined : operands
}

/** Whether a node is an array of citext: what makes one bears its type, whichever field holds it. */
function isArray(value: NodeObject): boolean {
  return [...value.fields].some(
    ([name, field]) =>
      /type$|typeid$/i.test(name) && field?.kind === 'atom' && Number(field.text) === CITEXT_ARRAY,
  )
}

function textArray(array: NodeObject, twin: OperatorTwin): NodeObject | undefined {
  const elements = array.fields.get('elements')
  if (elements?.kind !== 'list') return undefined
  const items = elements.items.map((item) =>
    item?.kind === 'object' ? textOperand(item, twin) : item,
  )
  return {
    ...array,
    fields: new Map<string, NodeValue>([
      ...array.fields,
      ['array_typeid', atom(String(OID.textArray))],
      ['element_typeid', atom(String(OID.text))],
      ['elements', { kind: 'list', items }],
    ]),
  }
}

/** pg_proc.oid of lower(text). */
const LOWER = 870

function textOperand(arg: NodeObject, { ofLowerCase }: OperatorTwin): NodeObject {
  const text = node('RELABELTYPE', {
    arg,
    resulttype: atom(String(OID.text)),
    resulttypmod: atom('-1'),
    relabelformat: atom('2'),
    location: atom('-1'),
  })
  if (!ofLowerCase) return text
  return node('FUNCEXPR', {
    funcid: atom(String(LOWER)),
    funcresulttype: atom(String(OID.text)),
    funcretset: atom('false'),
    funcvariadic: atom('false'),
    funcformat: atom('0'),
    args: { kind: 'list', items: [text] },
    location: atom('-1'),
  })
}

function node(tag: string, fields: Readonly<Record<string, NodeValue>>): NodeObject {
  return { kind: 'object', tag, fields: new Map(Object.entries(fields)) }
}

function namesOf(call: NodeObject, lookup: UserFunctionLookup): [string, NodeValue][] {
  const oid = call.tag === 'FUNCEXPR' ? oidIn(call, 'funcid') : undefined
  const called = oid === undefined ? undefined : lookup.findFunction(oid)
  if (called === undefined) return []
  if (called.twin !== undefined) return [['funcid', atom(String(called.twin))]]
  return [
    ['username', atom(called.name)],
    ['uservolatility', atom(called.volatility)],
  ]
}

function oidIn(holder: NodeObject, field: string): number | undefined {
  const value = holder.fields.get(field)
  return value?.kind === 'atom' ? Number(value.text) : undefined
}

function atom(text: string): NodeValue {
  return { kind: 'atom', text }
}
