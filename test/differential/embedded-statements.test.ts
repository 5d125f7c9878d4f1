import t from 'tap'
import { testStatements } from './differential.ts'
import { startEmbedded } from './servers.ts'

t.test('statements over the allow-list give PostgreSQL’s results on the embedded backend', (t) =>
  testStatements(t, () => startEmbedded('off')),
)
