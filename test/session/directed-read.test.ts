import t from 'tap'
import { parseDirectedRead } from '../../server/session/directed-read.ts'

t.test('DirectedReadOptions in JSON', async (t) => {
  const parse = (value: unknown) => parseDirectedRead(JSON.stringify(value))
  const selections = [{ location: 'us-east4', type: 'READ_ONLY' }]
  t.strictSame(parse({ includeReplicas: { replicaSelections: selections } }), {
    kind: 'include',
    selections,
    autoFailoverDisabled: false,
  })
  t.strictSame(parse({ exclude_replicas: { replica_selections: [{ type: 'READ_WRITE' }] } }), {
    kind: 'exclude',
    selections: [{ location: undefined, type: 'READ_WRITE' }],
  })
  for (const wrong of [
    null,
    [],
    {},
    { replicas: { replicaSelections: selections } },
    { includeReplicas: {} },
    { includeReplicas: { replicaSelections: [] } },
    { includeReplicas: { replicaSelections: [{}] } },
    { includeReplicas: { replicaSelections: [{ type: 'WITNESS' }] } },
    { includeReplicas: { replicaSelections: [{ location: 4 }] } },
    { includeReplicas: { replicaSelections: [{ place: 'us-east4' }] } },
    { includeReplicas: { replicaSelections: selections, autoFailoverDisabled: 'yes' } },
    { includeReplicas: { replicaSelections: new Array(11).fill(selections[0]) } },
    { excludeReplicas: { replicaSelections: selections, autoFailoverDisabled: true } },
    {
      includeReplicas: { replicaSelections: selections },
      excludeReplicas: { replicaSelections: selections },
    },
  ])
    t.equal(parse(wrong), undefined, JSON.stringify(wrong))
  for (const text of ['', 'NULL', '{', '"']) t.equal(parseDirectedRead(text), undefined, text)
})
