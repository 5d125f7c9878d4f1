import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'tap'
import type { Environment } from '../../server/config/env.ts'
import { type Config, loadConfig } from '../../server/config/load-config.ts'

const ENVIRONMENT: Environment = {
  variables: {},
  homeDirectory: '/home/anna',
  workingDirectory: '/srv',
  isRoot: false,
}

function environmentWith(variables: Record<string, string>): Environment {
  return { ...ENVIRONMENT, variables }
}

function load(argv: readonly string[], environment = ENVIRONMENT): Config {
  const command = loadConfig(argv, environment)
  if (command.kind !== 'run') throw new Error(`asked for ${command.kind}`)
  return command.config
}

test('nothing given: the defaults', async (t) => {
  t.strictSame(load([]), {
    listen: [{ host: '127.0.0.1', port: 5432 }],
    socketDir: undefined,
    auth: undefined,
    dataDir: '/home/anna/.local/state/spanwire',
    project: undefined,
    instance: undefined,
    database: undefined,
    profile: 'production',
    postgresBinDir: undefined,
    maxConnections: 200,
    channels: 4,
    minSessions: 1,
    maxSessions: 264,
    authenticationTimeoutMs: 60_000,
    maxMessageSizeBytes: 67_108_864,
    advisoryLockLeaseMs: 30_000,
    healthListen: undefined,
    logLevel: 'info',
    spannerEmulatorHost: undefined,
  })
})

test('spanwire embedded: its own default address, and only the options that mean something', async (t) => {
  const embedded = (...argv: string[]) => {
    const command = loadConfig(['embedded', ...argv], ENVIRONMENT)
    return command.kind === 'embedded' ? command.config : undefined
  }
  t.match(embedded(), {
    listen: { host: '127.0.0.1', port: 9010 },
    dataDir: '/home/anna/.local/state/spanwire',
    profile: 'production',
  })
  t.match(embedded('--listen', '[::1]:0', '--project=p-1', '--instance=i-1'), {
    listen: { host: '::1', port: 0 },
    project: 'p-1',
    instance: 'i-1',
  })
  t.throws(() => embedded('--health-listen', '127.0.0.1:1'), {
    message: '--health-listen: it has no meaning for spanwire embedded',
  })
  t.throws(() => embedded('--listen', '127.0.0.1:1', '--listen', '127.0.0.1:2'), {
    message: '--listen: spanwire embedded listens at one address',
  })
  t.throws(() => embedded('--listen', '*:9010', '--auth', 'trust'), { message: /needs a host/ })
  t.throws(() => embedded('--listen', '0.0.0.0:9010'), { message: /--auth trust allows that/ })
  t.strictSame(loadConfig(['embedded', '--help'], ENVIRONMENT), { kind: 'help' })
})

test('every flag arrives, with = and without', async (t) => {
  const config = load([
    ...['--listen', '127.0.0.1:0', '--listen=[::1]:5433', '--socket-dir', 'run', '--auth=trust'],
    ...['--data-dir', '/data', '--project=p-1', '--instance', 'i-1', '--database', 'Shop'],
    ...['--postgres-bin-dir', '../pg', '--max-connections', '7', '--authentication-timeout=2min'],
    ...['--profile', 'emulator-1.5.28', '--channels=9', '--min-sessions', '2', '--max-sessions=30'],
    ...['--max-message-size', '1MB', '--health-listen', '0.0.0.0:8080', '--log-level', 'debug'],
    ...['--advisory-lock-lease', '5s'],
  ])
  t.strictSame(config, {
    listen: [
      { host: '127.0.0.1', port: 0 },
      { host: '::1', port: 5433 },
    ],
    socketDir: '/srv/run',
    auth: 'trust',
    dataDir: '/data',
    project: 'p-1',
    instance: 'i-1',
    database: 'Shop',
    profile: 'emulator-1.5.28',
    postgresBinDir: '/pg',
    maxConnections: 7,
    channels: 9,
    minSessions: 2,
    maxSessions: 30,
    authenticationTimeoutMs: 120_000,
    maxMessageSizeBytes: 1_048_576,
    advisoryLockLeaseMs: 5_000,
    healthListen: { host: '0.0.0.0', port: 8080 },
    logLevel: 'debug',
    spannerEmulatorHost: undefined,
  })
})

test('flag over environment over file over default', async (t) => {
  const directory = t.testdir({
    'spanwire.json': JSON.stringify({
      max_connections: 3,
      log_level: 'warn',
      data_dir: 'state',
      listen: ['127.0.0.1:1', 'localhost:2'],
      database: null,
    }),
  })
  const file = join(directory, 'spanwire.json')
  const fileOnly = load(['--config', file])
  t.match(fileOnly, {
    maxConnections: 3,
    logLevel: 'warn',
    database: undefined,
    authenticationTimeoutMs: 60_000,
    listen: [
      { host: '127.0.0.1', port: 1 },
      { host: 'localhost', port: 2 },
    ],
  })
  t.equal(fileOnly.dataDir, join(directory, 'state'), "the file's paths are relative to it")
  const variables = {
    SPANWIRE_CONFIG: file,
    SPANWIRE_MAX_CONNECTIONS: '4',
    SPANWIRE_LOG_LEVEL: '',
    SPANWIRE_LISTEN: '127.0.0.1:3, 127.0.0.1:4',
    SPANWIRE_PORT: 'tcp://10.0.0.1:5432',
  }
  const over = load([], environmentWith(variables))
  t.match(over, { maxConnections: 4, logLevel: 'warn', listen: [{ port: 3 }, { port: 4 }] })
  t.equal(load(['--max-connections=5'], environmentWith(variables)).maxConnections, 5)
})

test('channels and sessions follow the number of clients', async (t) => {
  t.match(load(['--max-connections=50']), { channels: 4, maxSessions: 114 })
  t.match(load(['--max-connections=1001']), { channels: 11, maxSessions: 1065 })
  t.match(load(['--max-connections=1001', '--channels=2', '--max-sessions=5']), {
    channels: 2,
    maxSessions: 5,
  })
})

test('--help and --version ask for a text', async (t) => {
  t.strictSame(loadConfig(['--help'], ENVIRONMENT), { kind: 'help' })
  t.strictSame(loadConfig(['--log-level=info', '--version'], ENVIRONMENT), { kind: 'version' })
})

test('what cannot be used is one line that says why', async (t) => {
  const cases: readonly (readonly [readonly string[], RegExp])[] = [
    [['--frobnicate'], /^--frobnicate: there is no such flag, see --help$/],
    [['--frobnicate=1'], /^--frobnicate: there is no such flag/],
    [['-h'], /^-h: there is no such flag/],
    [['serve'], /^"serve" is not a flag/],
    [['--', 'serve'], /^"serve" is not a flag/],
    [['--data-dir'], /^--data-dir: a value is needed$/],
    [['--min-sessions=9', '--max-sessions=8'], /^--min-sessions: 9 exceeds --max-sessions$/],
    [['--data-dir='], /^--data-dir: a value is needed$/],
    [['--data-dir', '--help'], /^--data-dir: a value is needed$/],
    [['--help=yes'], /^--help: it takes no value$/],
    [['--data-dir=a', '--data-dir=b'], /^--data-dir: it may be given only once$/],
    [['--config=a', '--config=b'], /^--config: it may be given only once$/],
    [['--workers=2'], /^--workers: not available in this version$/],
    [['--ssl-cert-file', 'x'], /^--ssl-cert-file: not available in this version$/],
    [['--auth=scram-sha-256'], /^--auth: "scram-sha-256" is not one of trust$/],
    [['--listen', '5432'], /^--listen: "5432" is not an address: HOST:PORT/],
    [['--listen', '127.0.0.1:65536'], /^--listen: "127.0.0.1:65536" is not an address/],
    [['--listen', '::1:5432'], /^--listen: "::1:5432" is not an address/],
    [['--listen', '[::g]:5432'], /^--listen: .* is not an address/],
    [['--max-connections', '0'], /^--max-connections: "0" is not a whole number from 1 to 100000$/],
    [['--max-connections', '1.5'], /not a whole number/],
    [['--max-connections', '-5'], /^--max-connections: "-5" is not a whole number/],
    [['--authentication-timeout', '0'], /^--authentication-timeout: "0" is not a duration/],
    [['--authentication-timeout', '5 days'], /ms, s, min or h$/],
    [['--max-message-size', '2GB'], /^--max-message-size: "2GB" is not a size/],
    [['--max-message-size', '1constructor'], /is not a size/],
    [['--log-level', 'loud'], /^--log-level: "loud" is not one of fatal, error, warn, info/],
    [['--project', 'p/q'], /^--project: "p\/q" is not an id/],
    [['--database', 'a/b'], /^--database: "a\/b" is not a database name/],
    [['--project', 'p'], /^--project needs --instance/],
    [['--instance', 'i'], /^--instance needs --project/],
    [['--listen', '0.0.0.0:5432'], /^--listen: 0.0.0.0:5432 can be reached .* --auth trust/],
    [['--listen', '127.0.0.1:5432', '--listen', '[::]:1'], /^--listen: \[::\]:1 can be reached/],
    [['--listen', '127.0.0.1.example.org:1'], /can be reached/],
    [['--config', '/nonexistent.json'], /^--config: cannot read \/nonexistent.json: ENOENT/],
  ]
  for (const [argv, message] of cases) {
    t.throws(() => load(argv), { name: 'ConfigError', message }, argv.join(' '))
  }
  t.throws(() => load([], environmentWith({ SPANWIRE_MAX_CONNECTIONS: 'x' })), {
    message: /^SPANWIRE_MAX_CONNECTIONS: "x" is not a whole number/,
  })
  t.throws(() => load([], environmentWith({ SPANWIRE_WORKERS: '2' })), {
    message: 'SPANWIRE_WORKERS: not available in this version',
  })
})

test('a file that cannot be used names its key', async (t) => {
  const path = join(t.testdir(), 'c.json')
  const cases: readonly (readonly [string, RegExp])[] = [
    ['{', /^--config: cannot read .*c.json: /],
    ['[]', /c.json: a JSON object is needed$/],
    ['{"max-connections": 1}', /c.json: max-connections: there is no such option$/],
    ['{"workers": 1}', /c.json: workers: not available in this version$/],
    ['{"max_connections": {}}', /c.json: max_connections: a string or a number is needed$/],
    ['{"max_connections": "many"}', /c.json: max_connections: "many" is not a whole number/],
    ['{"data_dir": ["a", "b"]}', /c.json: data_dir: it may be given only once$/],
    ['{"listen": []}', /c.json: listen: a value is needed$/],
    ['{"__proto__": 1}', /c.json: __proto__: there is no such option$/],
  ]
  for (const [text, message] of cases) {
    writeFileSync(path, text)
    t.throws(() => load(['--config', path]), { name: 'ConfigError', message }, text)
  }
})

test("the emulator's variable names a backend", async (t) => {
  const environment = environmentWith({ SPANNER_EMULATOR_HOST: 'localhost:9010' })
  t.match(load([], environment), {
    project: 'spanwire',
    instance: 'spanwire',
    spannerEmulatorHost: 'localhost:9010',
  })
  t.match(load(['--project=p', '--instance=i'], environment), { project: 'p', instance: 'i' })
})

test('the state is kept where such things are kept', async (t) => {
  t.equal(load([], environmentWith({ XDG_STATE_HOME: '/state' })).dataDir, '/state/spanwire')
  t.equal(load([], { ...ENVIRONMENT, isRoot: true }).dataDir, '/var/lib/spanwire')
})

test('--auth trust opens the door on purpose', async (t) => {
  t.strictSame(load(['--listen', '*:5432', '--auth', 'trust']).listen, [{ host: '*', port: 5432 }])
})
