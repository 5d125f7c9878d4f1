import t from 'tap'
import { testRows } from './differential.ts'
import { startOnEmulator } from './servers.ts'

t.test('every row of the allow-list gives PostgreSQL’s results on the emulator', (t) =>
  testRows(t, () => startOnEmulator('off')),
)
