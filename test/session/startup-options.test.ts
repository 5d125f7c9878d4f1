import t from 'tap'
import { startSpanwire } from '../helpers/spanwire.ts'
import { type ServerMessage, WireClient } from '../helpers/wire-client.ts'

const spanwire = await startSpanwire()
t.teardown(() => spanwire.stop())

/** What a client hears that starts with these parameters. */
async function start(parameters: Readonly<Record<string, string>>): Promise<{
  readonly client: WireClient
  readonly error: ServerMessage | undefined
}> {
  const { client, messages } = await WireClient.connect(spanwire, {
    user: 'me',
    database: 'postgres',
    ...parameters,
  })
  return { client, error: messages.find(({ name }) => name === 'error') }
}

t.test(
  'the packet wins over its options, and the last of the options over the others',
  async (t) => {
    const { client } = await start({
      lock_timeout: '3s',
      options: '-c lock-timeout=5s --idle-session-timeout=1h -c idle_session_timeout=2h',
    })
    const answer = await client.query(
      `select current_setting('lock_timeout'), current_setting('idle_session_timeout')`,
    )
    t.strictSame(answer.find(({ name }) => name === 'dataRow')?.['fields'], ['3s', '2h'])
    await client.end()
  },
)

const wrong = [
  { options: '-z', message: 'invalid command-line argument for server process: -z' },
  {
    options: 'lock_timeout=3',
    message: 'invalid command-line argument for server process: lock_timeout=3',
  },
  { options: '-c', message: 'invalid command-line argument for server process: -c' },
  { options: '-c lock_timeout', message: '-c lock_timeout requires a value' },
  { options: '-clock_timeout', message: '-c lock_timeout requires a value' },
  { options: '--lock_timeout', message: '--lock_timeout requires a value' },
]

for (const { options, message } of wrong) {
  t.test(`options ${options}`, async (t) => {
    const { error } = await start({ options })
    const isUnknown = message.startsWith('invalid')
    t.match(error, {
      severity: 'FATAL',
      code: '42601',
      message,
      hint: isUnknown ? 'Try "postgres --help" for more information.' : undefined,
    })
  })
}
