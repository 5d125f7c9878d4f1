import t from 'tap'
import { testStatements } from './differential.ts'
import { startOnEmulator } from './servers.ts'

t.test('statements over the allow-list give PostgreSQL’s results on the emulator', (t) =>
  testStatements(t, () => startOnEmulator('off')),
)
