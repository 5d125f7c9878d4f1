import t from 'tap'
import { testRows } from './differential.ts'
import { startEmbedded } from './servers.ts'

t.test('every row of the allow-list gives PostgreSQL’s results on the embedded backend', (t) =>
  testRows(t, () => startEmbedded('off')),
)
