import { EventChannel } from './event-channel.ts'
import type { SqlState } from './sql-state.ts'

// What the rooms below tell whoever observes: one channel a subject, durations in milliseconds. `connId` is the process id that
// the client was told, so that a line of the log can be matched with pg_stat_activity.

/** The life of a client connection. */
export type ClientEvent =
  /** Admitted: its StartupMessage was read. */
  | { readonly kind: 'connected'; readonly connId: number; readonly remoteAddress: string }
  /** `reason` is a few words, such as `terminated` or `connection lost`. */
  | {
      readonly kind: 'disconnected'
      readonly connId: number
      readonly durationMs: number
      readonly reason: string
    }
  /** Not admitted: too many clients, malformed startup, deadline. */
  | {
      readonly kind: 'refused'
      readonly remoteAddress: string
      readonly sqlState: SqlState
      readonly reason: string
    }
  | { readonly kind: 'cancel'; readonly remoteAddress: string; readonly isKnown: boolean }

export const clientEvents = new EventChannel<ClientEvent>('spanwire:client')

/** A statement was answered. */
export interface StatementEvent {
  readonly connId: number
  /** The command tag without counts (`SELECT`, `INSERT`); empty where the statement was not understood. */
  readonly tag: string
  /** `control`, `catalog`, `pushdown`, `emulate`, `ddl`, `copy`, `unsupported`. */
  readonly route: string
  readonly durationMs: number
  /** Rows returned or changed. */
  readonly rows: number
  /** Set where it failed. */
  readonly sqlState: SqlState | undefined
  /** As the client sent it; logged at debug only. */
  readonly text: string
}

export const statementEvents = new EventChannel<StatementEvent>('spanwire:statement')

/** A call to Spanner ended. */
export interface RpcEvent {
  /** The last part of its name: `ExecuteStreamingSql`. */
  readonly method: string
  /** The name of the gRPC status: `OK`, `ABORTED`. */
  readonly status: string
  readonly durationMs: number
}

export const rpcEvents = new EventChannel<RpcEvent>('spanwire:rpc')

/**
 * Sessions have been out for an hour, each told of once, or were out when their database was closed: their transactions have
 * not been ended.
 */
export interface SessionLeakEvent {
  /** Full name. */
  readonly database: string
  readonly count: number
  readonly longestHeldMs: number
}

export const sessionLeakEvents = new EventChannel<SessionLeakEvent>('spanwire:session-leak')

/** A Spanner transaction ended, or was begun again. */
export type TransactionEvent =
  | {
      readonly kind: 'ended'
      readonly connId: number
      readonly outcome: 'commit' | 'rollback' | 'unknown'
      readonly durationMs: number
      /** 1 where nothing was replayed. */
      readonly attempts: number
    }
  /** Spanner aborted it; a replay follows where `willReplay`. */
  | { readonly kind: 'aborted'; readonly connId: number; readonly willReplay: boolean }

export const transactionEvents = new EventChannel<TransactionEvent>('spanwire:transaction')

/** What happens to a PostgreSQL cluster that we run; `cluster` is its name. */
export type ClusterEvent =
  | {
      readonly kind: 'started'
      readonly cluster: string
      readonly durationMs: number
      /** How its data directory was made just now; `nothing`: it was there. */
      readonly madeFrom: 'nothing' | 'template' | 'initdb'
      /** Why a template that is there was not used. */
      readonly templateFailure?: string | undefined
    }
  /** The server ended without being asked to. */
  | { readonly kind: 'lost'; readonly cluster: string; readonly status: number | undefined }
  /** An attempt to start it again failed; the next one follows after `delayMs`. */
  | {
      readonly kind: 'restart-failed'
      readonly cluster: string
      readonly message: string
      readonly delayMs: number
    }
  | { readonly kind: 'back'; readonly cluster: string; readonly durationMs: number }
  | { readonly kind: 'stopped'; readonly cluster: string }
  /** A line of the server's own log. */
  | { readonly kind: 'log'; readonly cluster: string; readonly line: string }

export const clusterEvents = new EventChannel<ClusterEvent>('spanwire:cluster')

/** A statement that Spanner cannot run was run over rows that were loaded from it. */
export interface EmulationEvent {
  readonly connId: number
  /** What Spanner lacks, in kebab case: `window-function`. */
  readonly name: string
  /** Loaded. */
  readonly rows: number
  readonly sizeBytes: number
  readonly durationMs: number
}

export const emulationEvents = new EventChannel<EmulationEvent>('spanwire:emulation')

/** Spanner refused a statement that we had taken for one it runs, and it was emulated: the dialect table has a hole. */
export interface FallbackEvent {
  readonly connId: number
  /** Spanner's message. */
  readonly reason: string
  /** As it was sent to Spanner; logged at debug only. */
  readonly sql: string
}

export const fallbackEvents = new EventChannel<FallbackEvent>('spanwire:fallback')

/** A view of the database cannot be held by the mirror: clients do not see it. */
export interface BrokenViewEvent {
  /** Qualified. */
  readonly view: string
  /** PostgreSQL's message. */
  readonly reason: string
}

export const brokenViewEvents = new EventChannel<BrokenViewEvent>('spanwire:broken-view')

/** Something was thrown that is no PgError: a defect of ours. */
export interface BugEvent {
  readonly connId: number | undefined
  readonly error: unknown
}

export const bugEvents = new EventChannel<BugEvent>('spanwire:bug')
