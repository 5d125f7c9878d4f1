import t from 'tap'
import { type NodeObject, readNodeText } from '../../server/sql/node-text.ts'
import { builtinOperator, builtinTwin, withUserFunctions } from '../../server/sql/user-functions.ts'
import { arrayOidOf, CITEXT } from '../../server/types/user-type.ts'

const LOOKUP = {
  findFunction: (oid: number) =>
    new Map([
      [16400, { name: '"public"."digest"', volatility: 'immutable' as const }],
      [16401, { name: '"public"."uuid_generate_v4"', volatility: 'volatile' as const, twin: 3432 }],
    ]).get(oid),
  findOperator: (oid: number) =>
    new Map([
      [16410, { name: '"public".%' }],
      [16411, { name: '"public".=', twin: builtinOperator('citext', '=') }],
      [16412, { name: '"public".~~', twin: builtinOperator('citext', '~~') }],
    ]).get(oid),
}

function read(text: string): NodeObject {
  const tree = withUserFunctions(readNodeText(text), LOOKUP)
  if (tree?.kind !== 'object') throw new Error('no node')
  return tree
}

function atom(node: NodeObject, field: string): string | undefined {
  const value = node.fields.get(field)
  return value?.kind === 'atom' ? value.text : undefined
}

t.test('calls of what extensions brought tell its name', (t) => {
  const call = read('{FUNCEXPR :funcid 16400 :args ()}')
  t.equal(atom(call, 'username'), '"public"."digest"')
  t.equal(atom(call, 'uservolatility'), 'immutable')
  t.equal(atom(read('{OPEXPR :opno 16410 :opfuncid 16400}'), 'username'), '"public".%')
  t.equal(atom(read('{SCALARARRAYOPEXPR :opno 16410}'), 'username'), '"public".%')
  t.end()
})

t.test('what is built in under another name is that', (t) => {
  t.equal(atom(read('{FUNCEXPR :funcid 16401 :args ()}'), 'funcid'), '3432')
  t.equal(builtinTwin('uuid-ossp', 'uuid_generate_v4'), 3432)
  t.equal(builtinTwin('pgcrypto', 'gen_random_uuid'), 3432)
  t.equal(builtinTwin('uuid-ossp', 'uuid_generate_v1'), undefined)
  t.end()
})

/** Tags from the outside in, of the first argument each. */
function tagsOf(node: NodeObject): string[] {
  const args = node.fields.get('args')
  const arg = args?.kind === 'list' ? args.items[0] : node.fields.get('arg')
  return [node.tag, ...(arg?.kind === 'object' ? tagsOf(arg) : [])]
}

t.test('citext is compared in lower case', (t) => {
  const column = `{VAR :varno 1 :vartype ${CITEXT}}`
  const equal = read(`{OPEXPR :opno 16411 :opfuncid 16400 :args (${column} ${column})}`)
  t.equal(atom(equal, 'opno'), '98')
  t.equal(atom(equal, 'opfuncid'), '67')
  t.same(tagsOf(equal), ['OPEXPR', 'FUNCEXPR', 'RELABELTYPE', 'VAR'])
  const like = read(`{OPEXPR :opno 16412 :args (${column} ${column})}`)
  t.equal(atom(like, 'opno'), '1627')
  t.same(tagsOf(like), ['OPEXPR', 'RELABELTYPE', 'VAR'])
  const array = `{ARRAYEXPR :array_typeid ${arrayOidOf(CITEXT)} :element_typeid ${CITEXT} :elements (${column})}`
  const oneOf = read(`{SCALARARRAYOPEXPR :opno 16411 :args (${column} ${array})}`)
  t.equal(atom(oneOf, 'opno'), '98')
  t.end()
})

t.test('what cannot be lowered is left to a backend that knows citext', (t) => {
  const column = `{VAR :varno 1 :vartype ${CITEXT}}`
  const array = `{PARAM :paramid 1 :paramtype ${arrayOidOf(CITEXT)}}`
  for (const text of [
    `{SCALARARRAYOPEXPR :opno 16411 :args (${column} ${array})}`,
    `{NULLIFEXPR :opno 16411 :args (${column} ${column})}`,
  ]) {
    const tree = read(text)
    t.equal(atom(tree, 'opno'), '16411')
    t.equal(atom(tree, 'username'), '"public".=')
  }
  t.equal(builtinOperator('hstore', '='), undefined)
  t.end()
})

t.test('everything else stays as it is', (t) => {
  const tree = readNodeText('({FUNCEXPR :funcid 870 :args ({OPEXPR :opno 96})})')
  t.same(withUserFunctions(tree, LOOKUP), tree)
  t.end()
})
