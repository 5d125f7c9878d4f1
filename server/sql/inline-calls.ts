import { FIRST_USER_OID, findBuiltinFunction } from './builtin-catalog.ts'
import type { NodeObject, NodeValue } from './node-text.ts'

/*
 * {FUNCEXPR :funcid 16400 :args ({VAR ..a} {CONST 1})}    is    {OPEXPR + :args ({VAR ..a} {CONST 1})}
 *
 * where function 16400 is `select $1 + $2`. A STRICT function is CASE WHEN its arguments are not NULL THEN what it computes END.
 */

/** What a function computes, as the companion analysed it. */
export interface InlineBody {
  /** An expression over PARAM nodes, without subqueries, aggregates and set-returning functions. */
  readonly expr: NodeObject
  readonly argumentCount: number
  readonly isStrict: boolean
  readonly resultType: number
}

/** The functions that a node tree calls of those that are not built in, by pg_proc.oid. */
export function userFunctionsIn(treeText: string): ReadonlySet<number> {
  const oids = [...treeText.matchAll(/:funcid\s+(\d+)/g)].map(([, oid]) => Number(oid))
  return new Set(oids.filter((oid) => oid >= FIRST_USER_OID))
}

/** The expression of an analysed SELECT that is nothing but one; undefined for every other. */
export function onlyExpression(tree: NodeValue): NodeObject | undefined {
  const query = tree?.kind === 'list' && tree.items.length === 1 ? tree.items[0] : undefined
  if (query?.kind !== 'object' || query.tag !== 'QUERY') return undefined
  const flags = ['hasAggs', 'hasWindowFuncs', 'hasTargetSRFs', 'hasSubLinks']
  if (flags.some((flag) => atomIn(query, flag) === 'true')) return undefined
  const targets = query.fields.get('targetList')
  const [target, another] = targets?.kind === 'list' ? targets.items : []
  const expr = target?.kind === 'object' ? target.fields.get('expr') : undefined
  return another === undefined && expr?.kind === 'object' ? expr : undefined
}

/** A node tree in which what functions compute stands in the place of their calls. `find` gives undefined for those that stay. */
export function withInlinedCalls(
  value: NodeValue,
  find: (oid: number) => InlineBody | undefined,
): NodeValue {
  return inlined(value, find, [])
}

type FindBody = (oid: number) => InlineBody | undefined

/** `path`: the functions whose bodies are being read. */
function inlined(value: NodeValue, find: FindBody, path: readonly number[]): NodeValue {
  if (value?.kind === 'list')
    return { ...value, items: value.items.map((item) => inlined(item, find, path)) }
  if (value?.kind !== 'object') return value
  const fields = [...value.fields].map(
    ([name, field]) => [name, inlined(field, find, path)] as const,
  )
  const read = { ...value, fields: new Map(fields) }
  const oid = read.tag === 'FUNCEXPR' ? Number(atomIn(read, 'funcid')) : 0
  const body = oid < FIRST_USER_OID || path.includes(oid) ? undefined : find(oid)
  const args = body === undefined ? undefined : argumentsOf(read, body)
  if (body === undefined || args === undefined) return read
  const expr = inlined(body.expr, find, [...path, oid])
  return expr?.kind === 'object' ? (inPlaceOf(read, { ...body, expr }, args) ?? read) : read
}

/** Undefined where defaults or names stand between the arguments and the parameters. */
function argumentsOf(call: NodeObject, body: InlineBody): readonly NodeObject[] | undefined {
  const list = call.fields.get('args')
  const items = list?.kind === 'list' ? list.items : []
  const args = items.flatMap((item) =>
    item?.kind === 'object' && item.tag !== 'NAMEDARGEXPR' ? [item] : [],
  )
  const isPlain = atomIn(call, 'funcvariadic') !== 'true' && atomIn(call, 'funcretset') !== 'true'
  return isPlain && args.length === body.argumentCount ? args : undefined
}

/** Undefined where an argument would be evaluated more or less often than once, and that may show. */
function inPlaceOf(
  call: NodeObject,
  { expr, isStrict, resultType }: InlineBody,
  args: readonly NodeObject[],
): NodeObject | undefined {
  const uses = args.map(() => 0)
  const location = call.fields.get('location')
  const substitute = (value: NodeValue): NodeValue => {
    if (value?.kind === 'list') return { ...value, items: value.items.map(substitute) }
    if (value?.kind !== 'object') return value
    const index = value.tag === 'PARAM' ? Number(atomIn(value, 'paramid')) - 1 : -1
    const arg = args[index]
    if (arg !== undefined) {
      uses[index] = (uses[index] ?? 0) + 1
      return arg
    }
    const fields = [...value.fields].map(
      ([name, field]) => [name, name === 'location' ? location : substitute(field)] as const,
    )
    return { ...value, fields: new Map(fields) }
  }
  const result = substitute(expr)
  const isOnce = args.every((arg, i) => (uses[i] === 1 && !isStrict) || isHarmless(arg))
  if (!isOnce || result?.kind !== 'object') return undefined
  return isStrict && args.length > 0 ? ifNotNull(args, result, resultType) : result
}

/** Whether nobody can tell how often it is evaluated. */
function isHarmless(value: NodeValue): boolean {
  if (value?.kind === 'list') return value.items.every(isHarmless)
  if (value?.kind !== 'object') return true
  if (value.tag === 'SUBLINK' || value.tag === 'NEXTVALUEEXPR') return false
  if (value.tag === 'FUNCEXPR') {
    const volatility = findBuiltinFunction(Number(atomIn(value, 'funcid')))?.volatility
    if (volatility === undefined || volatility === 'volatile') return false
  }
  return [...value.fields.values()].every(isHarmless)
}

function ifNotNull(args: readonly NodeObject[], result: NodeObject, type: number): NodeObject {
  const tests = args.map((arg) =>
    node('NULLTEST', {
      arg,
      nulltesttype: atom('1'),
      argisrow: atom('false'),
      location: atom('-1'),
    }),
  )
  const [first, another] = tests
  const condition =
    another === undefined
      ? first
      : node('BOOLEXPR', {
          boolop: atom('and'),
          args: { kind: 'list', items: tests },
          location: atom('-1'),
        })
  const when = node('WHEN', { expr: condition, result, location: atom('-1') })
  return node('CASE', {
    casetype: atom(String(type)),
    arg: undefined,
    args: { kind: 'list', items: [when] },
    defresult: undefined,
    location: atom('-1'),
  })
}

function node(tag: string, fields: Readonly<Record<string, NodeValue>>): NodeObject {
  return { kind: 'object', tag, fields: new Map(Object.entries(fields)) }
}

function atom(text: string): NodeValue {
  return { kind: 'atom', text }
}

function atomIn(holder: NodeObject, field: string): string | undefined {
  const value = holder.fields.get(field)
  return value?.kind === 'atom' ? value.text : undefined
}
