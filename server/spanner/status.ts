import { BackendError, type BackendFailure } from '../backend/backend-error.ts'
import { MalformedMessage } from '../base/protobuf-reader.ts'
import { SQL_STATE } from '../base/sql-state.ts'
import { matchErrorText } from './error-patterns.ts'
import {
  decodeRetryInfo,
  decodeRpcStatus,
  type RpcStatus,
  type Violation,
} from './status-details.ts'
import { GRPC_CODE, TransportError } from './transport.ts'

/**
 * What a status code means where its text is not known: total over gRPC's codes. Statements have been analysed by PostgreSQL
 * before they come here, so that an argument which Spanner calls invalid without a known reason is taken as a limit of its
 * dialect.
 */
const BY_CODE: Readonly<Record<number, BackendFailure>> = {
  [GRPC_CODE.OK]: { kind: 'internal' },
  [GRPC_CODE.CANCELLED]: { kind: 'cancelled' },
  [GRPC_CODE.UNKNOWN]: { kind: 'internal' },
  [GRPC_CODE.INVALID_ARGUMENT]: { kind: 'unsupported' },
  [GRPC_CODE.DEADLINE_EXCEEDED]: { kind: 'deadline-exceeded' },
  [GRPC_CODE.NOT_FOUND]: { kind: 'object-not-found' },
  [GRPC_CODE.ALREADY_EXISTS]: { kind: 'object-exists' },
  [GRPC_CODE.PERMISSION_DENIED]: { kind: 'permission-denied' },
  [GRPC_CODE.RESOURCE_EXHAUSTED]: { kind: 'resource-exhausted' },
  [GRPC_CODE.FAILED_PRECONDITION]: {
    kind: 'sql',
    sqlState: SQL_STATE.objectNotInPrerequisiteState,
  },
  [GRPC_CODE.ABORTED]: { kind: 'aborted' },
  [GRPC_CODE.OUT_OF_RANGE]: { kind: 'sql', sqlState: SQL_STATE.numericValueOutOfRange },
  [GRPC_CODE.UNIMPLEMENTED]: { kind: 'unsupported' },
  [GRPC_CODE.INTERNAL]: { kind: 'internal' },
  [GRPC_CODE.UNAVAILABLE]: { kind: 'unavailable' },
  [GRPC_CODE.DATA_LOSS]: { kind: 'internal' },
  [GRPC_CODE.UNAUTHENTICATED]: { kind: 'unauthenticated' },
}

/** Codes whose meaning no text changes. */
const FINAL_CODES: ReadonlySet<number> = new Set([
  GRPC_CODE.CANCELLED,
  GRPC_CODE.DEADLINE_EXCEEDED,
  GRPC_CODE.PERMISSION_DENIED,
  GRPC_CODE.ABORTED,
  GRPC_CODE.UNAVAILABLE,
  GRPC_CODE.UNAUTHENTICATED,
])

const SESSION_TYPE = /google\.spanner\.v1\.Session$/
const DATABASE_TYPE = /google\.spanner\.admin\.database\.v1\.Database$/

/**
 * Whatever a call rejected with, as the port's error. `message` is PostgreSQL's sentence where it is known (the emulator's
 * `[ERROR] ` and its Hint and Detail lines are taken off), else Spanner's; the call's own error stays as `cause`.
 */
export function toBackendError(error: unknown): BackendError {
  if (error instanceof BackendError) return error
  if (error instanceof TransportError) {
    return fromStatus(statusOf(error), error)
  }
  if (error instanceof MalformedMessage) {
    return new BackendError(error.message, {
      failure: { kind: 'internal' },
      grpcCode: GRPC_CODE.INTERNAL,
      cause: error,
    })
  }
  throw error
}

/** A status that came inside a message (ExecuteBatchDmlResponse.status, Operation.error) as the port's error. */
export function fromStatus(
  status: RpcStatus,
  cause?: unknown,
  appliedStatements?: number,
): BackendError {
  const { failure, message } = classify(status)
  return new BackendError(message, {
    failure,
    grpcCode: status.code,
    safeToRetry: failure.kind === 'session-not-found',
    ...(appliedStatements === undefined ? {} : { appliedStatements }),
    cause,
  })
}

/** A failure that was concluded on this side. */
export function backendFailure(
  failure: BackendFailure,
  grpcCode: number,
  message: string,
  cause?: unknown,
): BackendError {
  return new BackendError(message, { failure, grpcCode, cause })
}

/** The failure of a wait that was given up by its caller. */
export function cancelledFailure(): BackendError {
  return backendFailure({ kind: 'cancelled' }, GRPC_CODE.CANCELLED, 'the call was cancelled')
}

/** When the server asks to be asked again (google.rpc.RetryInfo); undefined where it does not say. */
export function retryDelayMs(error: TransportError): number | undefined {
  return statusOf(error).retryDelayMs
}

function statusOf(error: TransportError): RpcStatus {
  const details =
    error.statusDetails === undefined ? undefined : decodeRpcStatus(error.statusDetails)
  return {
    code: error.grpcCode,
    // The emulator leaves grpc-message empty for INTERNAL and puts the text into the details only.
    message: error.message === '' ? (details?.message ?? '') : error.message,
    retryDelayMs:
      details?.retryDelayMs ??
      (error.retryInfo === undefined ? undefined : decodeRetryInfo(error.retryInfo)),
    resourceType: details?.resourceType,
    violation: details?.violation,
  }
}

function classify(status: RpcStatus): { failure: BackendFailure; message: string } {
  if (status.code === GRPC_CODE.ABORTED) {
    const failure: BackendFailure =
      status.retryDelayMs === undefined
        ? { kind: 'aborted' }
        : { kind: 'aborted', retryDelayMs: status.retryDelayMs }
    return { failure, message: status.message }
  }
  const byCode = BY_CODE[status.code] ?? { kind: 'internal' }
  if (FINAL_CODES.has(status.code)) return { failure: byCode, message: status.message }
  if (status.code === GRPC_CODE.NOT_FOUND && status.resourceType !== undefined) {
    if (SESSION_TYPE.test(status.resourceType)) {
      return { failure: { kind: 'session-not-found' }, message: status.message }
    }
    if (DATABASE_TYPE.test(status.resourceType)) {
      return { failure: { kind: 'database-not-found' }, message: status.message }
    }
  }
  return classifyText(status, byCode)
}

function classifyText(
  status: RpcStatus,
  byCode: BackendFailure,
): { failure: BackendFailure; message: string } {
  const { message, detail, hint } = splitReport(status.message)
  const match = matchErrorText(status.code, message)
  const failure = match?.failure ?? byCode
  const words = match?.words ?? message
  if (failure.kind === 'unique-violation' || failure.kind === 'foreign-key-violation') {
    return { failure: withViolation(failure, status.violation), message: words }
  }
  if (failure.kind !== 'sql') return { failure, message: words }
  return {
    failure: {
      ...failure,
      ...(detail === undefined ? {} : { detail }),
      ...(hint === undefined ? {} : { hint }),
    },
    message: words,
  }
}

type KeyFailure = Extract<BackendFailure, { kind: 'unique-violation' | 'foreign-key-violation' }>

/** What a text does not say, or not exactly, the details may. */
function withViolation(failure: KeyFailure, violation: Violation | undefined): KeyFailure {
  const { constraint, key } = violation ?? {}
  return {
    ...failure,
    ...(key === undefined ? {} : { keyText: key }),
    ...(constraint !== undefined && failure.kind === 'foreign-key-violation' ? { constraint } : {}),
  }
}

/** The emulator prints an ereport as `[ERROR] message`, then `Hint: ` and `Detail: ` lines. */
function splitReport(text: string): {
  message: string
  detail: string | undefined
  hint: string | undefined
} {
  if (!text.startsWith('[ERROR] ')) return { message: text, detail: undefined, hint: undefined }
  const [first = '', ...lines] = text.slice('[ERROR] '.length).split('\n')
  const line = (label: string): string | undefined =>
    lines.find((candidate) => candidate.startsWith(label))?.slice(label.length)
  return {
    message: first.replace(/; failed to parse the DDL statements\.$/, ''),
    detail: line('Detail: '),
    hint: line('Hint: '),
  }
}
