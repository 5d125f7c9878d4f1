import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { helpText } from '../../server/config/help.ts'
import { makeWorkspace } from '../companion/test-cluster.ts'
import { findPython } from '../helpers/python.ts'
import { MAIN, runSpanwire, startSpanwire } from '../helpers/spanwire.ts'
import { until } from '../helpers/until.ts'

t.test('--help and --version print and start nothing', async (t) => {
  const nothing = { code: 0, stderr: '' }
  t.strictSame(await runSpanwire(['--help']), { ...nothing, stdout: helpText() })
  const { version } = JSON.parse(readFileSync('package.json', 'utf8'))
  t.strictSame(await runSpanwire(['--version']), { ...nothing, stdout: `spanwire ${version}\n` })
})

t.test('a machine reads one JSON object a line', async (t) => {
  const spanwire = await startSpanwire()
  t.equal(await spanwire.stop(), 0)
  const lines = spanwire
    .output()
    .split('\n')
    .map((line) => JSON.parse(line))
  const [ready, ...later] = lines
  t.match(ready, {
    level: 'info',
    time: /^\d{4}-\d\d-\d\dT/,
    addresses: [`127.0.0.1:${spanwire.port}`],
    backend: 'embedded',
    health_address: spanwire.healthUrl.slice('http://'.length),
    msg: `ready for connections at 127.0.0.1:${spanwire.port}`,
  })
  t.strictSame(later, [], 'one line is all there is to say')
})

t.test('a person reads a sentence', async (t) => {
  const python = await findPython()
  if (python === undefined) {
    t.pass('SKIPPED: no Python here, which makes the terminal', { skip: true })
    return
  }
  const workspace = await makeWorkspace()
  t.teardown(() => workspace.remove())
  const args = [MAIN, '--listen=127.0.0.1:0', '--data-dir', join(workspace.root, 'data')]
  const terminal = 'import pty, sys; sys.exit(pty.spawn(sys.argv[1:]) >> 8)'
  const child = spawn(python, ['-c', terminal, process.execPath, ...args], {
    env: { PATH: process.env['PATH'] },
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  t.teardown(() => child.kill('SIGKILL'))
  const exited = new Promise((resolve) => child.once('close', resolve))
  let printed = ''
  child.stdout.on('data', (chunk) => {
    printed += chunk
  })
  await until(() => printed.includes('\n'))
  child.stdin.write('\x03')
  t.equal(await exited, 0, '^C ends it')
  t.match(
    printed.replaceAll('^C', ''),
    /^\d\d:\d\d:\d\d ready for connections at 127\.0\.0\.1:\d+ version=\S+ [^{}\n]*\r\n$/,
  )
})
