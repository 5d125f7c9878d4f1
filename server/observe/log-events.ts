import type { pino } from 'pino'
import {
  brokenViewEvents,
  bugEvents,
  type ClientEvent,
  type ClusterEvent,
  clientEvents,
  clusterEvents,
  emulationEvents,
  fallbackEvents,
  rpcEvents,
  type StatementEvent,
  sessionLeakEvents,
  statementEvents,
  type TransactionEvent,
  transactionEvents,
} from '../base/channels.ts'

/**
 * Turns events into lines until the function that it returns is called. SQL appears at debug only; values of parameters are in no
 * event. What goes wrong for one client is info, what needs the operator's eye is warn or error.
 */
export function logEvents(log: pino.Logger): () => void {
  const isDebug = log.isLevelEnabled('debug')
  const stops = [
    clientEvents.subscribe((event) => logClient(log, event)),
    clusterEvents.subscribe((event) => logCluster(log, event)),
    transactionEvents.subscribe((event) => logTransaction(log, event)),
    statementEvents.subscribe((event) => logStatement(log, event)),
    emulationEvents.subscribe(({ connId, name, rows, sizeBytes, durationMs }) =>
      log.debug(
        { conn_id: connId, name, rows, size_bytes: sizeBytes, duration_ms: round(durationMs) },
        'statement emulated',
      ),
    ),
    fallbackEvents.subscribe(({ connId, reason, sql }) =>
      log.warn(
        { conn_id: connId, reason, ...(isDebug && { sql }) },
        'Spanner refused a statement, which was emulated instead',
      ),
    ),
    sessionLeakEvents.subscribe(({ database, count, longestHeldMs }) =>
      log.warn(
        { database, sessions: count, longest_held_ms: round(longestHeldMs) },
        'Spanner sessions were not given back: their transactions are still open',
      ),
    ),
    brokenViewEvents.subscribe(({ view, reason }) =>
      log.warn({ view, reason }, 'view is not shown: PostgreSQL cannot make it'),
    ),
    bugEvents.subscribe(({ connId, error }) =>
      log.error({ conn_id: connId, err: error }, 'internal error'),
    ),
  ]
  if (isDebug) {
    stops.push(
      rpcEvents.subscribe(({ method, status, durationMs }) =>
        log.debug({ method, status, duration_ms: round(durationMs) }, 'call to Spanner'),
      ),
    )
  }
  return () => {
    for (const stop of stops) stop()
  }
}

function logClient(log: pino.Logger, event: ClientEvent): void {
  switch (event.kind) {
    case 'connected':
      log.info({ conn_id: event.connId, remote_address: event.remoteAddress }, 'client connected')
      return
    case 'disconnected':
      log.info(
        { conn_id: event.connId, reason: event.reason, duration_ms: round(event.durationMs) },
        'client disconnected',
      )
      return
    case 'refused':
      log.warn(
        {
          remote_address: event.remoteAddress,
          sql_state: event.sqlState,
          reason: event.reason,
        },
        'client refused',
      )
      return
    case 'cancel':
      log.info({ remote_address: event.remoteAddress, is_known: event.isKnown }, 'cancel requested')
  }
}

function logStatement(log: pino.Logger, event: StatementEvent): void {
  const level = event.sqlState === undefined ? 'debug' : 'info'
  if (!log.isLevelEnabled(level)) return
  log[level](
    {
      conn_id: event.connId,
      tag: event.tag,
      route: event.route,
      rows: event.rows,
      duration_ms: round(event.durationMs),
      sql_state: event.sqlState,
      ...(log.isLevelEnabled('debug') && { sql: event.text }),
    },
    event.sqlState === undefined ? 'statement executed' : 'statement failed',
  )
}

function logTransaction(log: pino.Logger, event: TransactionEvent): void {
  switch (event.kind) {
    case 'ended':
      log.debug(
        {
          conn_id: event.connId,
          outcome: event.outcome,
          attempts: event.attempts,
          duration_ms: round(event.durationMs),
        },
        'transaction ended',
      )
      return
    case 'aborted':
      log.info(
        { conn_id: event.connId, will_replay: event.willReplay },
        'transaction aborted by Spanner',
      )
  }
}

function logCluster(log: pino.Logger, event: ClusterEvent): void {
  const { cluster } = event
  switch (event.kind) {
    case 'started':
      log.debug(
        {
          cluster,
          duration_ms: round(event.durationMs),
          made_from: event.madeFrom,
          template_failure: event.templateFailure,
        },
        'PostgreSQL started',
      )
      return
    case 'back':
      log.info({ cluster, duration_ms: round(event.durationMs) }, 'PostgreSQL back')
      return
    case 'stopped':
      log.debug({ cluster }, 'PostgreSQL stopped')
      return
    case 'lost':
      log.error({ cluster, status: event.status }, 'PostgreSQL ended by itself')
      return
    case 'restart-failed':
      log.error(
        { cluster, reason: event.message, retry_ms: round(event.delayMs) },
        'PostgreSQL could not be started again',
      )
      return
    case 'log':
      log.debug({ cluster, line: event.line }, 'PostgreSQL says')
  }
}

/** Milliseconds to a tenth: more is noise. */
function round(ms: number): number {
  return Math.round(ms * 10) / 10
}
