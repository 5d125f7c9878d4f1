import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { test } from 'tap'
import { loadConfig } from '../../server/config/load-config.ts'
import { OPTIONS, variableOf } from '../../server/config/options.ts'
import { startHealthServer } from '../../server/observe/health.ts'
import { readDockerfile, variablesOf } from './dockerfile.ts'

const INSTRUCTIONS = readDockerfile('Dockerfile')
const FINAL_STAGE = Math.max(...INSTRUCTIONS.map(({ stage }) => stage))
const VARIABLES = variablesOf(INSTRUCTIONS, FINAL_STAGE)
const PACKAGE = JSON.parse(readFileSync('package.json', 'utf8'))

function textsOf(name: string, stage?: number): readonly string[] {
  return INSTRUCTIONS.filter(
    (instruction) =>
      instruction.name === name && (stage === undefined || instruction.stage === stage),
  ).map(({ text }) => text)
}

test('both stages stand on the oldest Node that is supported, on glibc', async (t) => {
  const [major] = /\d+/.exec(PACKAGE.engines.node) ?? []
  t.strictSame(textsOf('FROM'), [
    `node:${major}-bookworm-slim AS build`,
    `node:${major}-bookworm-slim`,
  ])
})

test('what is copied exists and is sent to the builder', async (t) => {
  const sent = readFileSync('.dockerignore', 'utf8').split('\n')
  t.ok(sent.includes('*'), 'nothing is sent but what is named')
  const sources = textsOf('COPY')
    .filter((text) => !text.startsWith('--from'))
    .flatMap((text) => text.split(' ').slice(0, -1))
  t.ok(sources.includes('package-lock.json') && sources.includes('server'))
  for (const source of sources) {
    t.ok(existsSync(source), `${source} exists`)
    t.ok(sent.includes(`!${source}`), `${source} is sent`)
  }
})

test('what is built is what is copied over and started', async (t) => {
  t.match(textsOf('RUN', 0).join('\n'), 'npm run build')
  t.match(
    PACKAGE.scripts.build,
    /node deploy\/bundle\.mjs && node dist\/server\/make-templates\.js$/,
  )
  const copied = textsOf('COPY', FINAL_STAGE).filter((text) => text.startsWith('--from=build '))
  t.match(copied, [
    / \/app\/package\.json /,
    / \/app\/node_modules /,
    / \/app\/dist\/spanwire /,
    / \/app\/dist\/templates /,
  ])
  t.strictSame(textsOf('ENTRYPOINT'), [`["node", "${PACKAGE.bin.spanwire}"]`])
})

test('it runs as an unprivileged user that owns its volume', async (t) => {
  t.strictSame(textsOf('USER', FINAL_STAGE), ['node'])
  t.strictSame(textsOf('VOLUME', FINAL_STAGE), [VARIABLES['SPANWIRE_DATA_DIR']])
  t.match(textsOf('RUN', FINAL_STAGE), [
    `install -d -o node -g node -m 0700 ${VARIABLES['SPANWIRE_DATA_DIR']}`,
  ])
})

test('the environment is one that the program takes, and listens at what is exposed', async (t) => {
  const known = new Set(Object.values(OPTIONS).map(({ name }) => variableOf(name)))
  for (const name of Object.keys(VARIABLES)) {
    if (name.startsWith('SPANWIRE_')) t.ok(known.has(name), name)
  }
  const command = loadConfig([], {
    variables: VARIABLES,
    homeDirectory: '/home/node',
    workingDirectory: '/app',
    isRoot: false,
  })
  t.match(command, {
    kind: 'run',
    config: {
      listen: [{ host: '0.0.0.0', port: 5432 }],
      healthListen: { host: '0.0.0.0', port: 8080 },
      auth: 'trust',
      dataDir: '/var/lib/spanwire',
    },
  })
  t.strictSame(textsOf('EXPOSE'), ['5432 8080'])
})

async function runHealthcheck(port: number) {
  const child = spawn(process.execPath, ['deploy/healthcheck.mjs'], {
    env: { SPANWIRE_HEALTH_LISTEN: `0.0.0.0:${port}` },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const output: Buffer[] = []
  child.stdout.on('data', (chunk) => output.push(chunk))
  const [code] = await once(child, 'close')
  return { code, output: Buffer.concat(output).toString() }
}

test('the health check follows readiness', async (t) => {
  t.match(textsOf('HEALTHCHECK'), [/CMD \["node", "deploy\/healthcheck\.mjs"\]$/])
  let reason: string | undefined
  const server = await startHealthServer(
    { host: '127.0.0.1', port: 0 },
    { whyNotReady: async () => reason, metricsText: () => '' },
  )
  const port = Number(server.address.split(':')[1])
  t.strictSame(await runHealthcheck(port), { code: 0, output: 'ready\n' })
  reason = 'companion is starting'
  t.strictSame(await runHealthcheck(port), {
    code: 1,
    output: 'not ready: companion is starting\n',
  })
  await server.close()
  t.match(await runHealthcheck(port), { code: 1, output: /^no answer from the health port: / })
})
