import { createConnection } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { serialize } from 'pg-protocol/dist/index.js'
import type { ServerAddress } from '../helpers/wire-client.ts'

/** What BackendKeyData said. */
export interface BackendKey {
  readonly processID: number
  readonly secretKey: number
}

/**
 * Sends CancelRequests until `statement` has settled: one that comes before the server has begun the statement is lost, as in
 * PostgreSQL.
 */
export async function cancelUntilSettled(
  address: ServerAddress,
  { processID, secretKey }: BackendKey,
  statement: Promise<unknown>,
): Promise<void> {
  let isSettled = false
  const settle = () => {
    isSettled = true
  }
  void statement.then(settle, settle)
  while (!isSettled) {
    await sendOnce(address, serialize.cancel(processID, secretKey))
    await sleep(100)
  }
}

/** Resolves when the server has hung up: then the request was taken. */
function sendOnce({ host, port }: ServerAddress, packet: Buffer): Promise<void> {
  const socket = host.startsWith('/')
    ? createConnection(`${host}/.s.PGSQL.${port}`)
    : createConnection(port, host)
  return new Promise((resolve, reject) => {
    socket.once('error', reject)
    socket.once('close', () => resolve())
    socket.resume()
    socket.write(packet)
  })
}
