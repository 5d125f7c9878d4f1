import t from 'tap'
import { withEnumLabels } from '../../server/sql/enum-constants.ts'
import { readNodeText } from '../../server/sql/node-text.ts'
import { datumToText } from '../../server/types/datum.ts'
import { enumOidOf } from '../../server/types/user-type.ts'

const MOOD = enumOidOf('public', 'mood')
const LABELS = new Map([[16390, 'ok']])

function textOf(type: number, label: number): string | undefined {
  const low = label % 256
  const tree = readNodeText(
    `({CONST :consttype ${type} :constlen 4 :constbyval true :constisnull false :constvalue 4 [ ${low} ${(label - low) / 256} 0 0 0 0 0 0 ]})`,
  )
  const labelled = withEnumLabels(tree, (oid) => LABELS.get(oid))
  const [constant] = labelled?.kind === 'list' ? labelled.items : []
  if (constant?.kind !== 'object') return undefined
  const length = constant.fields.get('constlen')
  const value = constant.fields.get('constvalue')
  if (length?.kind !== 'atom' || value?.kind !== 'datum') return undefined
  return datumToText(type, value.bytes, Number(length.text), length.text === '4')
}

t.test('constants of enums hold their labels', (t) => {
  t.equal(textOf(MOOD, 16390), 'ok')
  t.equal(textOf(MOOD, 16391), undefined, 'a label that is not known')
  t.equal(textOf(23, 16390), '16390', 'other types stay as they are')
  t.end()
})
