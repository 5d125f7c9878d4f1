import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'tap'
import { readDockerfile, variablesOf } from './dockerfile.ts'

/** The file's lines without comments; its indentation is two spaces a level. */
const LINES = readFileSync('deploy/compose.yaml', 'utf8')
  .split('\n')
  .filter((line) => !/^\s*#/.test(line) && line.trim() !== '')

/** The lines below `key` of `lines`, one level less indented. */
function below(lines: readonly string[], key: string): readonly string[] {
  const start = lines.indexOf(`${key}:`)
  if (start < 0) return []
  const rest = lines.slice(start + 1)
  const end = rest.findIndex((line) => !line.startsWith('  '))
  return (end < 0 ? rest : rest.slice(0, end)).map((line) => line.slice(2))
}

function keysOf(lines: readonly string[]): readonly string[] {
  return lines
    .filter((line) => /^[\w-]+:/.test(line))
    .map((line) => line.slice(0, line.indexOf(':')))
}

const SERVICES = below(LINES, 'services')

test('there is Spanwire alone, and a profile with the emulator', async (t) => {
  t.strictSame(keysOf(SERVICES), ['spanwire', 'spanwire-emulator', 'emulator'])
  const inProfile = keysOf(SERVICES).filter((name) =>
    below(SERVICES, name).includes('profiles: [emulator]'),
  )
  t.strictSame(inProfile, ['spanwire-emulator', 'emulator'])
  t.match(below(below(SERVICES, 'spanwire-emulator'), 'environment'), [
    'SPANNER_EMULATOR_HOST: emulator:9010',
  ])
})

test('every port is published on loopback only, and leads to one that is listened at', async (t) => {
  const exposed =
    readDockerfile('Dockerfile')
      .find(({ name }) => name === 'EXPOSE')
      ?.text.split(' ') ?? []
  for (const name of keysOf(SERVICES)) {
    const ports = below(below(SERVICES, name), 'ports')
    t.ok(ports.length > 0, name)
    for (const port of ports) {
      const [, target] = /^- "127\.0\.0\.1:\d+:(\d+)"$/.exec(port) ?? []
      t.ok(target, port)
      if (name !== 'emulator') t.ok(exposed.includes(target ?? ''), port)
    }
  }
})

test('what is built here is built from the repository, unprivileged, its state in a volume', async (t) => {
  const dataDir = variablesOf(readDockerfile('Dockerfile'), 1)['SPANWIRE_DATA_DIR']
  const declared = keysOf(below(LINES, 'volumes'))
  for (const name of ['spanwire', 'spanwire-emulator']) {
    const service = below(SERVICES, name)
    const [, context = ''] = /^context: (\S+)$/.exec(below(service, 'build')[0] ?? '') ?? []
    t.ok(existsSync(join('deploy', context, 'Dockerfile')), context)
    t.ok(service.includes('cap_drop: [ALL]'))
    t.ok(service.includes('init: true'))
    const [, volume = '', target] =
      /^- ([\w-]+):(\S+)$/.exec(below(service, 'volumes')[0] ?? '') ?? []
    t.ok(declared.includes(volume), volume)
    t.equal(target, dataDir)
  }
})

test('a foreign image has a fixed version', async (t) => {
  const images = below(SERVICES, 'emulator').filter((line) => line.startsWith('image: '))
  t.match(images, [/^image: \S+:\d+\.\d+\.\d+$/])
})
