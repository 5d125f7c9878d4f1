import t from 'tap'
import { testSelects } from './differential.ts'
import { startEmbedded } from './servers.ts'

t.test('any SELECT gives PostgreSQL’s results on the embedded backend', (t) =>
  testSelects(t, () => startEmbedded('on')),
)
