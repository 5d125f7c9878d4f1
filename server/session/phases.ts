import type { FrontendMessageKind } from '../wire/frontend-message.ts'

/**
 * What a connection is doing (src/backend/tcop/postgres.c, PostgresMain). `skip-to-sync`: an extended-protocol message failed,
 * and everything up to the next Sync is thrown away.
 */
export type Phase = 'ready' | 'skip-to-sync' | 'closed'

/** What becomes of a message: it is handled, passed over without an answer, or ends the connection with 08P01. */
export type Verdict = 'handle' | 'skip' | 'fatal'

const COPY_MESSAGES = { CopyData: 'skip', CopyDone: 'skip', CopyFail: 'skip' } as const

/**
 * Phase by message. CopyData, CopyDone and CopyFail outside COPY are left-overs of one that failed: PostgreSQL passes them
 * over. A password nobody asked for is a violation of the protocol.
 */
export const PHASE_TABLE: Readonly<Record<Phase, Readonly<Record<FrontendMessageKind, Verdict>>>> =
  {
    ready: {
      Query: 'handle',
      Parse: 'handle',
      Bind: 'handle',
      Describe: 'handle',
      Execute: 'handle',
      Close: 'handle',
      Flush: 'handle',
      Sync: 'handle',
      Terminate: 'handle',
      FunctionCall: 'handle',
      PasswordMessage: 'fatal',
      ...COPY_MESSAGES,
    },
    'skip-to-sync': {
      Query: 'skip',
      Parse: 'skip',
      Bind: 'skip',
      Describe: 'skip',
      Execute: 'skip',
      Close: 'skip',
      Flush: 'skip',
      Sync: 'handle',
      Terminate: 'handle',
      FunctionCall: 'skip',
      PasswordMessage: 'fatal',
      ...COPY_MESSAGES,
    },
    closed: {
      Query: 'skip',
      Parse: 'skip',
      Bind: 'skip',
      Describe: 'skip',
      Execute: 'skip',
      Close: 'skip',
      Flush: 'skip',
      Sync: 'skip',
      Terminate: 'skip',
      FunctionCall: 'skip',
      PasswordMessage: 'skip',
      ...COPY_MESSAGES,
    },
  }
