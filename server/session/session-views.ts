import { unreachable } from '../base/unreachable.ts'
import type { SessionContext, SessionView } from '../companion/companion-types.ts'
import { timestampLiteral } from '../types/moment.ts'
import type { ConnectedClient } from './client-board.ts'
import type { Portal } from './portal.ts'
import type { PreparedStatement } from './prepared-statement.ts'
import { toldSettings } from './proxy-settings.ts'
import type { SessionState } from './session-state.ts'

/** The session's context with the rows of those session views that a statement reads. */
export function contextWithViews(
  state: SessionState,
  views: readonly SessionView[],
): SessionContext {
  if (views.length === 0) return state.context()
  const json = views.map((view) => [view, JSON.stringify(contentOf(state, view))] as const)
  return { ...state.context(), views: new Map(json) }
}

/** In the form of server/companion/session-views-sql.ts. */
function contentOf(state: SessionState, view: SessionView): unknown {
  switch (view) {
    case 'backends':
      return [...state.directory.clients].map((client) => backendRow(client, state.user))
    case 'prepared':
      return [...state.prepared.values()].filter(({ name }) => name !== '').map(preparedRow)
    case 'cursors':
      return [...state.portals.values()].map(cursorRow)
    case 'settings':
      return Object.fromEntries(toldSettings(state))
    default:
      return unreachable(view)
  }
}

/** Of other users' clients PostgreSQL shows who they are, not what they do (pg_stat_get_activity of pgstatfuncs.c). */
function backendRow({ state }: ConnectedClient, viewer: string): object {
  const { activity, block, io, settings } = state
  const who = {
    datname: state.database.name,
    pid: io.processId,
    usename: state.user,
    application_name: settings.get('application_name') ?? '',
  }
  if (state.user !== viewer) return { ...who, query: '<insufficient privilege>' }
  return {
    ...who,
    client_addr: io.ends?.client.address,
    client_port: io.ends?.client.port ?? -1,
    backend_start: moment(activity.backendStartMicros),
    xact_start: moment(block.startMicros),
    query_start: moment(activity.queryStartMicros),
    state_change: moment(activity.stateChangeMicros),
    state: backendState(state),
    ...(activity.isActive ? {} : { wait_event_type: 'Client', wait_event: 'ClientRead' }),
    query: activity.query,
    backend_type: 'client backend',
  }
}

/** BackendState of src/include/utils/backend_status.h, as pg_stat_activity writes it. */
function backendState({ activity, block }: SessionState): string {
  if (activity.isActive) return 'active'
  switch (block.status) {
    case 'I':
      return 'idle'
    case 'T':
      return 'idle in transaction'
    case 'E':
      return 'idle in transaction (aborted)'
    default:
      return unreachable(block.status)
  }
}

/** Plans are the companion's own affair: there are none to count here. */
function preparedRow(prepared: PreparedStatement): object {
  const types = prepared.described.paramTypes
  return {
    name: prepared.name,
    statement: prepared.source,
    prepare_time: moment(prepared.preparedMicros),
    parameter_types: types.map((type, index) => String(prepared.argumentTypes?.[index] ?? type)),
    from_sql: prepared.fromSql,
    generic_plans: 0,
    custom_plans: 0,
  }
}

function cursorRow(portal: Portal): object {
  return {
    name: portal.name,
    statement: portal.bound.statement?.text ?? '',
    is_holdable: portal.cursor?.options.hold ?? false,
    is_binary: portal.cursor?.options.binary ?? false,
    is_scrollable: portal.cursor !== undefined && portal.cursor.options.scroll !== false,
    creation_time: moment(portal.createdMicros),
  }
}

function moment(micros: bigint | undefined): string | undefined {
  return micros === undefined ? undefined : timestampLiteral(micros)
}
