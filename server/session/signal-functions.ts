import { setTimeout as delay } from 'node:timers/promises'
import { PgError } from '../base/pg-error.ts'
import { SQL_STATE } from '../base/sql-state.ts'
import type { ConnectedClient } from './client-board.ts'
import type { SessionState } from './session-state.ts'

/** How often pg_terminate_backend looks whether the other has gone. */
const POLL_MS = 20

/** pg_cancel_backend(pid): src/backend/storage/ipc/signalfuncs.c. */
export async function cancelBackend(
  state: SessionState,
  [pid]: readonly (string | null)[],
): Promise<string | null> {
  if (pid === null || pid === undefined) return answer(null)
  const client = findClient(state, pid)
  if (client !== undefined) {
    checkSameUser(state, client, 'query is being canceled')
    client.cancel()
  }
  return answer(client !== undefined)
}

/** pg_terminate_backend(pid [, timeout]): with a timeout in milliseconds it waits until the other has gone. */
export async function terminateBackend(
  state: SessionState,
  [pid, timeout = '0']: readonly (string | null)[],
): Promise<string | null> {
  if (pid === null || pid === undefined || timeout === null) return answer(null)
  const timeoutMs = Number(timeout)
  if (timeoutMs < 0) {
    throw new PgError(SQL_STATE.numericValueOutOfRange, '"timeout" must not be negative')
  }
  const client = findClient(state, pid)
  if (client === undefined) return answer(false)
  checkSameUser(state, client, 'process is being terminated')
  client.terminate()
  return answer(timeoutMs === 0 || (await hasGone(state, client, timeoutMs)))
}

async function hasGone(
  state: SessionState,
  client: ConnectedClient,
  timeoutMs: number,
): Promise<boolean> {
  const { processId } = client.state.io
  const deadline = performance.now() + timeoutMs
  while (state.directory.clients.find(processId) === client) {
    if (performance.now() >= deadline) {
      warn(
        state,
        `backend with PID ${processId} did not terminate within ${timeoutMs} milliseconds`,
      )
      return false
    }
    await delay(POLL_MS, undefined, { signal: state.scope.signal })
  }
  return true
}

function findClient(state: SessionState, pid: string): ConnectedClient | undefined {
  const client = state.directory.clients.find(Number(pid))
  if (client === undefined) warn(state, `PID ${pid} is not a PostgreSQL backend process`)
  return client
}

function checkSameUser(state: SessionState, client: ConnectedClient, what: string): void {
  if (client.state.user === state.user) return
  throw new PgError(
    SQL_STATE.insufficientPrivilege,
    `must be a member of the role whose ${what} or member of pg_signal_backend`,
  )
}

function warn(state: SessionState, message: string): void {
  state.notice({ severity: 'WARNING', code: SQL_STATE.warning, message })
}

function answer(value: boolean | null): string | null {
  if (value === null) return null
  return value ? 't' : 'f'
}
