import t from 'tap'
import {
  type InlineBody,
  onlyExpression,
  userFunctionsIn,
  withInlinedCalls,
} from '../../server/sql/inline-calls.ts'
import { type NodeObject, type NodeValue, readNodeText } from '../../server/sql/node-text.ts'

function object(text: string): NodeObject {
  const value = readNodeText(text)
  if (value?.kind !== 'object') throw new Error('no node')
  return value
}

const PLUS =
  '{OPEXPR :opno 551 :args ({PARAM :paramid 1 :location 7} {PARAM :paramid 2 :location 11}) :location 9}'
const TWICE = '{OPEXPR :opno 551 :args ({PARAM :paramid 1} {PARAM :paramid 1}) :location 9}'

function body(text: string, argumentCount: number, isStrict = false): InlineBody {
  return { expr: object(text), argumentCount, isStrict, resultType: 23 }
}

const BODIES = new Map([
  [16400, body(PLUS, 2)],
  [16401, body(TWICE, 1)],
  [16402, body(PLUS, 2, true)],
  [16403, body('{FUNCEXPR :funcid 16400 :args ({PARAM :paramid 1} {CONST :v 5})}', 1)],
  [16404, body('{FUNCEXPR :funcid 16404 :args ({PARAM :paramid 1})}', 1)],
  [16405, body('{CONST :v 7}', 1)],
])

/** Nodes by tag and number, as they nest. */
function shape(value: NodeValue): string {
  if (value?.kind === 'list') return value.items.map(shape).join(' ')
  if (value?.kind !== 'object') return ''
  const inner = [...value.fields.values()]
    .map(shape)
    .filter((text) => text !== '')
    .join(' ')
  return inner === '' ? value.tag : `${value.tag}(${inner})`
}

function inlined(text: string): string {
  return shape(withInlinedCalls(object(text), (oid) => BODIES.get(oid)))
}

const RANDOM = '{FUNCEXPR :funcid 1598 :args <>}'

t.test('a body stands in the place of its call', (t) => {
  const call =
    '{FUNCEXPR :funcid 16400 :funcretset false :funcvariadic false :args ({VAR :v 1} {CONST :v 2}) :location 30}'
  t.equal(inlined(call), 'OPEXPR(VAR CONST)')
  const found = withInlinedCalls(object(call), (oid) => BODIES.get(oid))
  const location = found?.kind === 'object' ? found.fields.get('location') : undefined
  t.same(location, { kind: 'atom', text: '30' }, 'errors point to the call')
  t.equal(
    inlined('{FUNCEXPR :funcid 16403 :args ({VAR :v 1})}'),
    'OPEXPR(VAR CONST)',
    'bodies call, too',
  )
  t.equal(
    inlined('{FUNCEXPR :funcid 16401 :args ({FUNCEXPR :funcid 16401 :args ({VAR :v 1})})}'),
    'OPEXPR(OPEXPR(VAR VAR) OPEXPR(VAR VAR))',
  )
  t.end()
})

t.test('a strict one is evaluated where its arguments are not NULL', (t) => {
  t.equal(
    inlined('{FUNCEXPR :funcid 16402 :args ({VAR :v 1} {VAR :v 2})}'),
    'CASE(WHEN(BOOLEXPR(NULLTEST(VAR) NULLTEST(VAR)) OPEXPR(VAR VAR)))',
  )
  t.end()
})

t.test('calls stay where something else would come out', (t) => {
  for (const call of [
    '{FUNCEXPR :funcid 16400 :args ({VAR :v 1})}',
    '{FUNCEXPR :funcid 16400 :args ({VAR :v 1} {NAMEDARGEXPR :arg {VAR :v 2}})}',
    '{FUNCEXPR :funcid 16400 :funcvariadic true :args ({VAR :v 1} {VAR :v 2})}',
    '{FUNCEXPR :funcid 16499 :args ({VAR :v 1})}',
    `{FUNCEXPR :funcid 16401 :args (${RANDOM})}`,
    `{FUNCEXPR :funcid 16402 :args ({VAR :v 1} ${RANDOM})}`,
    `{FUNCEXPR :funcid 16405 :args (${RANDOM})}`,
    '{FUNCEXPR :funcid 16401 :args ({SUBLINK :v 1})}',
    '{FUNCEXPR :funcid 16401 :args ({FUNCEXPR :funcid 16499 :args <>})}',
  ]) {
    t.match(inlined(call), /^FUNCEXPR/, call)
  }
  t.equal(inlined(`{FUNCEXPR :funcid 16400 :args ({VAR :v 1} ${RANDOM})}`), 'OPEXPR(VAR FUNCEXPR)')
  t.match(inlined('{FUNCEXPR :funcid 16404 :args ({VAR :v 1})}'), /^FUNCEXPR/, 'it calls itself')
  t.end()
})

t.test('the expression of an analysed body', (t) => {
  const query = (fields: string) =>
    readNodeText(
      `({QUERY :hasAggs false ${fields} :targetList ({TARGETENTRY :expr {CONST :v 1}})})`,
    )
  t.equal(shape(onlyExpression(query(':hasSubLinks false'))), 'CONST')
  t.equal(onlyExpression(query(':hasSubLinks true')), undefined)
  t.equal(onlyExpression(query(':hasTargetSRFs true')), undefined)
  t.equal(onlyExpression(readNodeText('({QUERY :targetList ()})')), undefined)
  t.same([...userFunctionsIn('{FUNCEXPR :funcid 16400} {FUNCEXPR :funcid 7}')], [16400])
  t.end()
})
