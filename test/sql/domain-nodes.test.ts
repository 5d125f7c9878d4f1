import t from 'tap'
import { withBaseTypes } from '../../server/sql/domain-nodes.ts'
import { type NodeObject, type NodeValue, readNodeText } from '../../server/sql/node-text.ts'
import { arrayOidOf, domainOidOf } from '../../server/types/user-type.ts'

const CODE = domainOidOf('public', 'code')
const CODES = arrayOidOf(CODE)
const DOMAINS = new Map([
  [CODE, { baseOid: 1043, baseTypmod: 12 }],
  [CODES, { baseOid: 1015, baseTypmod: 12 }],
])

function read(text: string): NodeObject {
  const tree = withBaseTypes(readNodeText(text), (oid) => DOMAINS.get(oid))
  if (tree?.kind !== 'object') throw new Error('no node')
  return tree
}

function atom(node: NodeObject, field: string): string | undefined {
  const value = node.fields.get(field)
  return value?.kind === 'atom' ? value.text : undefined
}

function child(node: NodeObject, field: string): NodeObject {
  const value: NodeValue = node.fields.get(field)
  if (value?.kind !== 'object') throw new Error(`no ${field}`)
  return value
}

t.test('a column of a domain is one of its base type, with its length', (t) => {
  const column = read(`{VAR :varno 1 :vartype ${CODE} :vartypmod -1 :location 7}`)
  t.equal(atom(column, 'vartype'), '1043')
  t.equal(atom(column, 'vartypmod'), '12')
  const entry = read(`{RANGETBLENTRY :rtekind 5 :coltypes (o 23 ${CODE} ${CODES})}`)
  const types = entry.fields.get('coltypes')
  t.same(types?.kind === 'list' && types.items.map((item) => item?.kind === 'atom' && item.text), [
    '23',
    '1043',
    '1015',
  ])
  t.end()
})

t.test('what makes a value of a domain tells which', (t) => {
  const cast = read(
    `{COERCETODOMAIN :arg {VAR :vartype ${CODE} :vartypmod -1} :resulttype ${CODE}}`,
  )
  t.equal(atom(cast, 'resulttype'), '1043')
  t.equal(atom(cast, 'domain'), String(CODE))
  t.equal(atom(child(cast, 'arg'), 'vartype'), '1043')
  const param = read(`{PARAM :paramkind 0 :paramid 1 :paramtype ${CODE} :location 4}`)
  t.equal(param.tag, 'COERCETODOMAIN')
  t.equal(atom(child(param, 'arg'), 'paramtype'), String(CODE), 'it is read as one')
  t.equal(atom(param, 'location'), '4')
  const array = read(`{ARRAYCOERCEEXPR :arg {VAR :vartype 1015} :resulttype ${CODES}}`)
  t.equal(array.tag, 'COERCETODOMAIN')
  t.equal(atom(array, 'domain'), String(CODES))
  t.end()
})

t.test('a constant array of a domain is one of its base type', (t) => {
  const elementType = Buffer.alloc(4)
  elementType.writeUInt32LE(CODE)
  const bytes = [64, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, ...elementType]
  const constant = read(`{CONST :consttype ${CODES} :constvalue 16 [ ${bytes.join(' ')} ]}`)
  t.equal(atom(constant, 'consttype'), '1015')
  const value = constant.fields.get('constvalue')
  t.equal(value?.kind === 'datum' && value.bytes.readUInt32LE(12), 1043)
  t.end()
})

t.test('everything else stays as it is', (t) => {
  const text =
    '({PARAM :paramtype 23 :paramid 1} {CONST :consttype 23 :constvalue 4 [ 1 0 0 0 0 0 0 0 ]})'
  const tree = readNodeText(text)
  t.same(
    withBaseTypes(tree, (oid) => DOMAINS.get(oid)),
    tree,
  )
  t.end()
})
