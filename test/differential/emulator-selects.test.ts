import t from 'tap'
import { testSelects } from './differential.ts'
import { startOnEmulator } from './servers.ts'

t.test('any SELECT gives PostgreSQL’s results on the emulator', (t) =>
  testSelects(t, () => startOnEmulator('on')),
)
