import t from 'tap'
import { type NodeObject, readNodeText } from '../../server/sql/node-text.ts'
import { builtinTwin, withUserFunctions } from '../../server/sql/user-functions.ts'

const LOOKUP = {
  findFunction: (oid: number) =>
    new Map([
      [16400, { name: '"public"."digest"', volatility: 'immutable' as const }],
      [16401, { name: '"public"."uuid_generate_v4"', volatility: 'volatile' as const, twin: 3432 }],
    ]).get(oid),
  findOperator: (oid: number) => (oid === 16410 ? '"public".%' : undefined),
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

t.test('everything else stays as it is', (t) => {
  const tree = readNodeText('({FUNCEXPR :funcid 870 :args ({OPEXPR :opno 96})})')
  t.same(withUserFunctions(tree, LOOKUP), tree)
  t.end()
})
