import { type Test, test } from 'tap'
import { type HealthSource, startHealthServer } from '../../server/observe/health.ts'

const READY: HealthSource = {
  whyNotReady: async () => undefined,
  metricsText: () => 'spanwire_x 1\n',
}

async function start(t: Test, source = READY): Promise<string> {
  const server = await startHealthServer({ host: '127.0.0.1', port: 0 }, source)
  t.teardown(() => server.close())
  return `http://${server.address}`
}

async function get(url: string, method = 'GET') {
  const response = await fetch(url, { method })
  return {
    status: response.status,
    type: response.headers.get('content-type'),
    body: await response.text(),
  }
}

test('it answers its three paths and no other', async (t) => {
  const url = await start(t)
  t.match(await get(`${url}/healthz`), { status: 200, body: 'ok\n' })
  t.match(await get(`${url}/readyz?verbose`), { status: 200, body: 'ready\n' })
  t.match(await get(`${url}/metrics`), {
    status: 200,
    type: 'text/plain; version=0.0.4; charset=utf-8',
    body: 'spanwire_x 1\n',
  })
  t.match(await get(`${url}/healthz`, 'HEAD'), { status: 200, body: '' })
  t.match(await get(`${url}/other`), { status: 404 })
  t.match(await get(`${url}/healthz`, 'POST'), { status: 405 })
})

test('who is not ready says why', async (t) => {
  const waiting = await start(t, { ...READY, whyNotReady: async () => 'companion is starting' })
  t.match(await get(`${waiting}/readyz`), {
    status: 503,
    body: 'not ready: companion is starting\n',
  })
  t.match(await get(`${waiting}/healthz`), { status: 200 })
  const broken = await start(t, {
    ...READY,
    whyNotReady: () => Promise.reject(new Error('no backend')),
  })
  t.match(await get(`${broken}/readyz`), { status: 503, body: 'not ready: no backend\n' })
})

test('a defect is an answer, not the end', async (t) => {
  const url = await start(t, {
    ...READY,
    metricsText: () => {
      throw new Error('oops')
    },
  })
  t.match(await get(`${url}/metrics`), { status: 500, body: 'internal error: Error: oops\n' })
  t.match(await get(`${url}/healthz`), { status: 200 })
})

test('a port that is taken is one clear line, and a closed server frees it', async (t) => {
  const first = await startHealthServer({ host: '127.0.0.1', port: 0 }, READY)
  const port = Number(first.address.split(':')[1])
  await t.rejects(startHealthServer({ host: '127.0.0.1', port }, READY), {
    name: 'ListenError',
    message: `cannot listen on 127.0.0.1:${port}: another program listens there`,
  })
  await first.close()
  const second = await startHealthServer({ host: '127.0.0.1', port }, READY)
  await second.close()
})
