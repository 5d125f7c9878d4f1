import type { PgError } from '../base/pg-error.ts'
import type { Format } from './field-description.ts'

/** What a client may send before the protocol version is agreed (manual, section 55.7: StartupMessage and its relatives). */
export type StartupPacket =
  | { readonly kind: 'SSLRequest' }
  | { readonly kind: 'GSSENCRequest' }
  /** `secretKey` is 4 bytes in protocol 3.0, up to 256 in 3.2. */
  | { readonly kind: 'CancelRequest'; readonly processId: number; readonly secretKey: Buffer }
  | {
      readonly kind: 'StartupMessage'
      readonly majorVersion: number
      readonly minorVersion: number
      /** user, database, options, replication and run-time settings, in the order sent. */
      readonly parameters: ReadonlyMap<string, string>
    }

/** What a client may send afterwards, under PostgreSQL's names (manual, section 55.7). */
export type FrontendMessage =
  | { readonly kind: 'Query'; readonly text: string }
  | {
      readonly kind: 'Parse'
      readonly statement: string
      readonly text: string
      readonly paramTypes: readonly number[]
    }
  | {
      readonly kind: 'Bind'
      readonly portal: string
      readonly statement: string
      /** None: all text; one: for all; else one a parameter. */
      readonly paramFormats: readonly Format[]
      /** null is SQL NULL. */
      readonly params: readonly (Buffer | null)[]
      readonly resultFormats: readonly Format[]
    }
  | { readonly kind: 'Describe'; readonly target: 'statement' | 'portal'; readonly name: string }
  | {
      readonly kind: 'Execute'
      readonly portal: string
      /** 0 is no limit. */
      readonly maxRows: number
    }
  | { readonly kind: 'Close'; readonly target: 'statement' | 'portal'; readonly name: string }
  | { readonly kind: 'Flush' }
  | { readonly kind: 'Sync' }
  | { readonly kind: 'Terminate' }
  | { readonly kind: 'FunctionCall' }
  | { readonly kind: 'CopyData'; readonly data: Buffer }
  | { readonly kind: 'CopyDone' }
  | { readonly kind: 'CopyFail'; readonly reason: string }
  /** PasswordMessage, SASLInitialResponse, SASLResponse, GSSResponse: told apart by what was asked for. */
  | { readonly kind: 'PasswordMessage'; readonly body: Buffer }

export type FrontendMessageKind = FrontendMessage['kind']

/**
 * A message whose frame is sound but whose contents PostgreSQL answers with an ERROR (text that is no UTF-8, an unknown format
 * code): it fails with `error` as if it had been handled, and the connection goes on.
 */
export interface UnreadableMessage {
  readonly kind: 'Unreadable'
  readonly of: FrontendMessageKind
  readonly error: PgError
}
