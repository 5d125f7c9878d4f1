import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { type Test, test } from 'tap'
import {
  bugEvents,
  clientEvents,
  clusterEvents,
  fallbackEvents,
  rpcEvents,
  sessionLeakEvents,
  statementEvents,
  transactionEvents,
} from '../../server/base/channels.ts'
import { createLog, logReady } from '../../server/observe/log.ts'
import { logEvents } from '../../server/observe/log-events.ts'

function logAt(t: Test, level: string, isTerminal = false) {
  const lines: string[] = []
  const log = createLog({ level, isTerminal, destination: { write: (line) => lines.push(line) } })
  t.teardown(logEvents(log))
  return { log, lines, objects: () => lines.map((line) => JSON.parse(line)) }
}

function publishEverything(): void {
  clientEvents.publish({ kind: 'connected', connId: 7, remoteAddress: '127.0.0.1:1' })
  clientEvents.publish({
    kind: 'refused',
    remoteAddress: '[local]',
    sqlState: '53300',
    reason: 'full',
  })
  clientEvents.publish({ kind: 'cancel', remoteAddress: '[local]', isKnown: false })
  statementEvents.publish({
    connId: 7,
    tag: 'SELECT',
    route: 'pushdown',
    durationMs: 1.26,
    rows: 3,
    sqlState: undefined,
    text: 'select secret',
  })
  statementEvents.publish({
    connId: 7,
    tag: 'INSERT',
    route: 'pushdown',
    durationMs: 1,
    rows: 0,
    sqlState: '23505',
    text: 'insert secret',
  })
  rpcEvents.publish({ method: 'Commit', status: 'ABORTED', durationMs: 2 })
  transactionEvents.publish({ kind: 'aborted', connId: 7, willReplay: true })
  transactionEvents.publish({
    kind: 'ended',
    connId: 7,
    outcome: 'commit',
    durationMs: 5,
    attempts: 2,
  })
  fallbackEvents.publish({ connId: 7, reason: 'no such function', sql: 'select secret()' })
  sessionLeakEvents.publish({ database: 'd', count: 2, longestHeldMs: 3_600_000.25 })
  clusterEvents.publish({
    kind: 'started',
    cluster: 'companion',
    durationMs: 31.25,
    madeFrom: 'initdb',
    templateFailure: 'incorrect data check',
  })
  clusterEvents.publish({ kind: 'lost', cluster: 'companion', status: 2 })
  clusterEvents.publish({
    kind: 'restart-failed',
    cluster: 'companion',
    message: 'disk full',
    delayMs: 100,
  })
  clusterEvents.publish({ kind: 'back', cluster: 'companion', durationMs: 40 })
  clusterEvents.publish({ kind: 'log', cluster: 'companion', line: 'LOG:  checkpoint' })
  clusterEvents.publish({ kind: 'stopped', cluster: 'companion' })
  bugEvents.publish({ connId: 7, error: new TypeError('oops') })
  clientEvents.publish({ kind: 'disconnected', connId: 7, durationMs: 10, reason: 'terminated' })
}

test('events become lines, and no SQL is in them', async (t) => {
  const { lines, objects } = logAt(t, 'info')
  publishEverything()
  t.match(objects(), [
    { level: 'info', msg: 'client connected', conn_id: 7, remote_address: '127.0.0.1:1' },
    { level: 'warn', msg: 'client refused', sql_state: '53300', reason: 'full' },
    { level: 'info', msg: 'cancel requested', is_known: false },
    { level: 'info', msg: 'statement failed', conn_id: 7, tag: 'INSERT', sql_state: '23505' },
    { level: 'info', msg: 'transaction aborted by Spanner', conn_id: 7, will_replay: true },
    { level: 'warn', reason: 'no such function', conn_id: 7 },
    { level: 'warn', database: 'd', sessions: 2, longest_held_ms: 3_600_000.3 },
    { level: 'error', msg: 'PostgreSQL ended by itself', status: 2 },
    { level: 'error', reason: 'disk full', retry_ms: 100 },
    { level: 'info', msg: 'PostgreSQL back' },
    {
      level: 'error',
      msg: 'internal error',
      conn_id: 7,
      err: { type: 'TypeError', message: 'oops', stack: /log\.test/ },
    },
    { level: 'info', msg: 'client disconnected', reason: 'terminated', duration_ms: 10 },
  ])
  t.equal(lines.length, 12)
  t.notMatch(lines.join(''), /secret/)
})

test('at debug everything is told, SQL too; keys are snake_case', async (t) => {
  const { lines, objects } = logAt(t, 'debug')
  publishEverything()
  t.equal(lines.length, 18)
  const told = objects()
  t.match(told[3], {
    level: 'debug',
    msg: 'statement executed',
    rows: 3,
    duration_ms: 1.3,
    sql: 'select secret',
  })
  t.match(told[4], { sql: 'insert secret' })
  t.match(told[5], { method: 'Commit', status: 'ABORTED', duration_ms: 2 })
  t.match(told[7], { msg: 'transaction ended', outcome: 'commit', attempts: 2 })
  t.match(told[8], { sql: 'select secret()' })
  for (const line of told) {
    t.match(line.time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
    for (const key of Object.keys(line)) t.match(key, /^[a-z]+(?:_[a-z]+)*$/)
  }
})

test('quiet levels are quiet, and nothing is logged after the end', async (t) => {
  const lines: string[] = []
  const destination = { write: (line: string) => lines.push(line) }
  const stop = logEvents(createLog({ level: 'error', isTerminal: false, destination }))
  publishEverything()
  t.equal(lines.length, 3)
  stop()
  publishEverything()
  t.equal(lines.length, 3)
})

const REPORT = {
  version: '1.2.3',
  addresses: ['127.0.0.1:5432', '/run/.s.PGSQL.5432'],
  backend: 'embedded',
  healthAddress: undefined,
  durationMs: 812.4,
}

test('the ready line: an object for machines, a sentence for people', async (t) => {
  const machine = logAt(t, 'info')
  logReady(machine.log, REPORT)
  t.match(machine.objects(), [
    {
      level: 'info',
      msg: 'ready for connections at 127.0.0.1:5432, /run/.s.PGSQL.5432',
      addresses: REPORT.addresses,
      backend: 'embedded',
      version: '1.2.3',
      duration_ms: 812,
    },
  ])
  const people = logAt(t, 'info', true)
  logReady(people.log, REPORT)
  t.match(
    people.lines.join(''),
    /^\d\d:\d\d:\d\d ready for connections at 127\.0\.0\.1:5432, \/run\/\.s\.PGSQL\.5432 version=1\.2\.3 .*backend=embedded duration_ms=812\n$/,
  )
})

test('on a terminal severity and stack are shown', async (t) => {
  const { lines } = logAt(t, 'warn', true)
  bugEvents.publish({ connId: undefined, error: new TypeError('oops') })
  clientEvents.publish({
    kind: 'refused',
    remoteAddress: '[local]',
    sqlState: '53300',
    reason: 'too many',
  })
  t.match(lines[0], /^\d\d:\d\d:\d\d ERROR: internal error\nTypeError: oops\n\s+at /)
  t.match(
    lines[1],
    /WARN: client refused remote_address=\[local\] sql_state=53300 reason="too many"\n$/,
  )
})

test('a reader that goes away, or a full disk, does not end the program', async (t) => {
  const log = new URL('../../server/observe/log.js', import.meta.url).href
  const script = `
    const { createLog, standardOutput } = await import('${log}')
    const log = createLog({ level: 'info', isTerminal: false, destination: standardOutput() })
    for (let i = 0; i < 5000; i++) log.info({ i }, 'line')
    await new Promise((resolve) => setTimeout(resolve, 50))
    process.stderr.write('alive')`
  const run = (redirection: string) =>
    spawnSync(
      'sh',
      ['-c', `"$0" --input-type=module -e "$1" ${redirection}`, process.execPath, script],
      {
        encoding: 'utf8',
      },
    )
  const { stdout, stderr } = run('| head -n 1')
  t.match(JSON.parse(stdout), { msg: 'line', i: 0 })
  t.equal(stderr, 'alive')
  if (existsSync('/dev/full')) t.equal(run('> /dev/full').stderr, 'alive')
})
