import { setTimeout as delay } from 'node:timers/promises'
import { test } from 'tap'
import { PgError } from '../../server/base/pg-error.ts'
import { CommandScope } from '../../server/session/command-scope.ts'

/** A statement that goes on until its signal ends it, and what that said. */
function waitForEnd(scope: CommandScope): Promise<string> {
  const { signal } = scope
  return new Promise((resolve) => {
    const tell = () => resolve(signal.reason.message)
    if (signal.aborted) tell()
    else signal.addEventListener('abort', tell, { once: true })
  })
}

test('a cancel ends the statement under way, and no other', async (t) => {
  const scope = new CommandScope(new AbortController().signal)
  scope.cancel()
  t.equal(await scope.run(0, async () => scope.signal.aborted), false, 'none was under way')
  const ended = scope.run(0, () => waitForEnd(scope))
  scope.cancel()
  t.equal(await ended, 'canceling statement due to user request')
  t.equal(await scope.run(0, async () => scope.signal.aborted), false, 'the next one is not ended')
})

test('statements share a signal until it has ended one of them', async (t) => {
  const scope = new CommandScope(new AbortController().signal)
  const first = await scope.run(0, async () => scope.signal)
  t.equal(await scope.run(0, async () => scope.signal), first)
  await scope.run(0, async () => scope.cancel())
  t.not(await scope.run(0, async () => scope.signal), first)
})

test('a statement that failed is over for a cancel', async (t) => {
  const scope = new CommandScope(new AbortController().signal)
  await t.rejects(
    scope.run(0, async () => Promise.reject(new Error('wrong'))),
    { message: 'wrong' },
  )
  scope.cancel()
  t.equal(await scope.run(0, async () => scope.signal.aborted), false)
})

test('statement_timeout ends a statement', async (t) => {
  const scope = new CommandScope(new AbortController().signal)
  t.equal(
    await scope.run(1, () => waitForEnd(scope)),
    'canceling statement due to statement timeout',
  )
  t.equal(await scope.run(0, async () => scope.signal.aborted), false)
})

test('each statement of a query string has a time of its own', async (t) => {
  const scope = new CommandScope(new AbortController().signal)
  const ended = scope.run(0, async () => {
    scope.limit(1)
    return waitForEnd(scope)
  })
  t.equal(await ended, 'canceling statement due to statement timeout')
  const unended = scope.run(20, async () => {
    scope.limit(0)
    await delay(60)
    return scope.signal.aborted
  })
  t.equal(await unended, false)
  const renewed = scope.run(40, async () => {
    for (let statement = 0; statement < 8; statement++) {
      scope.limit(2_000)
      await delay(10)
    }
    return scope.signal.aborted
  })
  t.equal(await renewed, false)
})

test('a client that has gone ends its statement, and every later one', async (t) => {
  const gone = new AbortController()
  const scope = new CommandScope(gone.signal)
  const ended = scope.run(0, () => waitForEnd(scope))
  gone.abort(new PgError('08006', 'connection to client lost'))
  t.equal(await ended, 'connection to client lost')
  t.equal(await scope.run(0, () => waitForEnd(scope)), 'connection to client lost')
  t.ok(new CommandScope(gone.signal).signal.aborted, 'also of a scope that is made then')
})
