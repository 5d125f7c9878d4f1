import t from 'tap'
import { testChangedTables } from './differential.ts'
import { startEmbedded } from './servers.ts'

t.test('SELECTs after uncommitted DDL give PostgreSQL’s results on the embedded backend', (t) =>
  testChangedTables(t, () => startEmbedded('on')),
)
