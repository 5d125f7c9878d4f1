import type { SpannerParam } from '../backend/backend.ts'
import { Bug, PgError } from '../base/pg-error.ts'
import { SQL_STATE } from '../base/sql-state.ts'
import { refuseLargeRequest } from '../plan/limits.ts'
import { momentOfParam } from '../plan/moment-literals.ts'
import type { ComputedExpressions, ParamSource, Plan, PushdownRoute } from '../plan/plan.ts'
import type { ParsedStatement } from '../sql/statement.ts'
import { isBeyondSpanner } from '../types/beyond-spanner.ts'
import { encodeTransactionStart } from '../types/moment.ts'
import { decodeParam, NEEDS_CANONICAL } from '../types/param-decoder.ts'
import type { EncodedValue } from '../types/spanner-type.ts'
import { isEnumArrayOid, isEnumOid } from '../types/user-type.ts'
import { splitDataRow } from '../wire/data-row.ts'
import { BINARY_FORMAT, type Format, TEXT_FORMAT } from '../wire/field-description.ts'
import { type Answer, formatAt } from './answer.ts'
import { textWithOwnSettings } from './companion-text.ts'
import { inParameter, refusedParameter } from './parameter-context.ts'
import type { Described } from './prepared-statement.ts'
import { RowCounts } from './row-counts.ts'
import type { SessionState } from './session-state.ts'
import { textWithSessionValues, withoutMark } from './session-values.ts'
import { catalogSource } from './temporary-tables.ts'

/** The values of one Bind, as the client sent them. */
export interface BoundParams {
  /** The portal of a Bind; undefined where the values come from elsewhere. */
  readonly portal?: string
  readonly formats: readonly Format[]
  readonly values: readonly (Buffer | null)[]
}

export const NO_PARAMS: BoundParams = { formats: [], values: [] }

/** A statement with its values: all that it takes to run it, again if need be. */
export interface BoundStatement {
  readonly statement: ParsedStatement | undefined
  readonly described: Described
  readonly params: BoundParams
  readonly resultFormats: readonly Format[]
  /** Spanner's parameters, drawn once: a second run binds the same values. */
  readonly spannerParams: readonly SpannerParam[]
  /** Those of each load of an emulated statement. */
  readonly loadParams: readonly (readonly SpannerParam[])[]
  /** What PostgreSQL has against the values, where it comes to them. */
  readonly refusal?: PgError | undefined
}

/** What values are bound to. */
/** One that is more than the empty query. */
export type RunnableStatement = BoundStatement & { readonly statement: ParsedStatement }

/** Runs a statement of any kind, for those that have another one in them. `isSole`: nothing else will be in its implicit transaction. */
export type RunStatement = (
  state: SessionState,
  bound: RunnableStatement,
  isSole: boolean,
) => Promise<Answer>

interface BindTarget {
  readonly statement: ParsedStatement | undefined
  readonly described: Described
}

/**
 * Binds values to a described statement. Bad values get PostgreSQL's error here, before anything is sent to Spanner. A SELECT with a value that
 * is good but that Spanner does not have (a constant, a parameter, or what is computed of them) is planned as an emulated one.
 */
export async function bindStatement(
  state: SessionState,
  asked: BindTarget,
  sent: BoundParams,
  resultFormats: readonly Format[],
): Promise<BoundStatement> {
  const target = { ...asked, statement: asked.described.written ?? asked.statement }
  const params = withMoments(state, sent, target.described.paramTypes)
  try {
    return await bindAsPlanned(state, target, params, resultFormats)
  } catch (error) {
    if (!isBeyondSpanner(error)) throw error
    const plan = await planBeyondSpanner(state, target)
    if (plan === undefined) throw error
    const described = { ...target.described, plan }
    return bindAsPlanned(state, { ...target, described }, params, resultFormats)
  }
}

/** Where a value is 'now' or its like, what that means in the transaction. */
function withMoments(
  state: SessionState,
  params: BoundParams,
  types: readonly number[],
): BoundParams {
  const { startMicros } = state.block
  if (startMicros === undefined) return params
  const { timeZone } = state.formatSettings()
  const values = params.values.map((value, index) => {
    const isText = value !== null && formatAt(params.formats, index) === TEXT_FORMAT
    const meant = isText && momentOfParam(value, types[index] ?? 0, { startMicros, timeZone })
    return meant ? Buffer.from(meant) : value
  })
  return { ...params, values }
}

async function planBeyondSpanner(
  state: SessionState,
  { statement, described }: BindTarget,
): Promise<Plan | undefined> {
  if (statement === undefined) return undefined
  return state.database.planner.planBeyondSpanner({
    text: statement.text,
    paramTypes: described.paramTypes,
    session: state.context(),
    pinned: state.ddl?.pinned,
    schema: state.ddl?.inSpanner?.logical,
    signal: state.scope.signal,
  })
}

async function bindAsPlanned(
  state: SessionState,
  target: BindTarget,
  params: BoundParams,
  resultFormats: readonly Format[],
): Promise<BoundStatement> {
  const { plan } = target.described
  const unbound = { ...target, params, resultFormats, spannerParams: [], loadParams: [] }
  if (plan === undefined) return unbound
  const typed = { ...params, types: plan.paramTypes }
  const { route } = plan
  const counts = new RowCounts()
  if (route.kind === 'pushdown') {
    const spannerParams = await spannerParamsFor(state, route, { ...typed, counts })
    return { ...unbound, spannerParams, refusal: counts.refusal }
  }
  if (route.kind !== 'emulate') return unbound
  const loadParams: (readonly SpannerParam[])[] = []
  for (const { read, result } of route.loads) {
    // The rows of a table are counted by the statement itself.
    const counted = result === undefined ? new RowCounts() : counts
    loadParams.push(await spannerParamsFor(state, read, { ...typed, counts: counted }))
  }
  return { ...unbound, loadParams, refusal: counts.refusal }
}

interface TypedParams extends BoundParams {
  readonly types: readonly number[]
  readonly counts: RowCounts
}

async function spannerParamsFor(
  state: SessionState,
  route: PushdownRoute,
  params: TypedParams,
): Promise<readonly SpannerParam[]> {
  const drawn = new Set(route.draws?.sequences.map(({ sequence }) => sequence))
  const options = { format: BINARY_FORMAT, drawn } as const
  const computed = await computeExpressions(state, route.computed, params, options)
  const bound: SpannerParam[] = []
  for (const source of route.params) {
    const value = await bindSource(state, source, params, computed)
    bound.push({ type: source.type, value: params.counts.take(source, value) })
  }
  refuseLargeRequest(route.sql, bound)
  return bound
}

async function bindSource(
  state: SessionState,
  source: ParamSource,
  params: TypedParams,
  computed: readonly (Buffer | null)[],
): Promise<EncodedValue> {
  switch (source.kind) {
    case 'client':
      return clientValue(state, params, source.number - 1, source.typeOid)
    case 'transaction-start':
      return encodeTransactionStart(state.block.startMicros ?? 0n)
    case 'computed':
      return mustDecode(source.typeOid, computed[source.index] ?? null, state)
  }
}

/** One parameter of the client; what is no plain spelling of a value, PostgreSQL itself reads first. */
async function clientValue(
  state: SessionState,
  params: TypedParams,
  index: number,
  typeOid: number,
): Promise<EncodedValue> {
  const value = params.values[index] ?? null
  const format = formatAt(params.formats, index)
  try {
    const decoded = isLabel(typeOid, value)
      ? NEEDS_CANONICAL
      : decodeParam(typeOid, format, value, state.formatSettings())
    if (decoded !== NEEDS_CANONICAL) return decoded
  } catch (error) {
    throw withContext(error, params, index + 1)
  }
  const answer = await catalogSource(state)
    .read({
      text: 'SELECT $1',
      paramTypes: [typeOid],
      paramFormats: [format],
      params: [value],
      resultFormats: [BINARY_FORMAT],
      session: state.context(),
      signal: state.scope.signal,
    })
    .catch((error: unknown) => {
      throw withCompanionsContext(error, params, [index + 1])
    })
  const [row] = answer.rows
  if (row === undefined) throw new Bug('the companion returned no row for a parameter')
  return mustDecode(typeOid, splitDataRow(row)[0] ?? null, state)
}

/** Whether only the catalogs tell that a value is one: the labels of enums. */
function isLabel(typeOid: number, value: Buffer | null): boolean {
  return value !== null && (isEnumOid(typeOid) || isEnumArrayOid(typeOid))
}

/** `number` is the client's number of the parameter whose value cannot be read. */
function withContext(
  error: unknown,
  { portal, formats, values }: BoundParams,
  number: number,
): unknown {
  if (portal === undefined || !(error instanceof PgError)) return error
  return inParameter(error, {
    portal,
    number,
    format: formatAt(formats, number - 1),
    isEmpty: values[number - 1]?.length === 0,
  })
}

/** `numbers` are the client's numbers of the parameters that the companion was given. */
function withCompanionsContext(
  error: unknown,
  params: BoundParams,
  numbers: readonly number[],
): unknown {
  const refused = error instanceof PgError ? refusedParameter(error) : undefined
  const number = refused === undefined ? undefined : numbers[refused - 1]
  return number === undefined ? error : withContext(error, params, number)
}

function mustDecode(typeOid: number, value: Buffer | null, state: SessionState): EncodedValue {
  const decoded = decodeParam(typeOid, BINARY_FORMAT, value, state.formatSettings())
  if (decoded === NEEDS_CANONICAL) throw new Bug(`no binary input for type ${typeOid}`)
  return decoded
}

/**
 * The expressions that do not depend on rows, evaluated by the companion in one SELECT: their values in one format. `drawn`: sequences that the
 * statement draws from.
 */
export async function computeExpressions(
  state: SessionState,
  computed: ComputedExpressions | undefined,
  params: BoundParams,
  { format, drawn }: { readonly format: Format; readonly drawn?: ReadonlySet<number> },
): Promise<readonly (Buffer | null)[]> {
  if (computed === undefined) return []
  const start = state.block.startMicros ?? 0n
  const answer = await catalogSource(state)
    .read({
      text: await textWithSessionValues(state, textWithOwnSettings(state, computed.text), drawn),
      paramTypes: computed.paramTypes,
      paramFormats: computed.paramNumbers.map((n) =>
        n === 0 ? 1 : formatAt(params.formats, n - 1),
      ),
      params: computed.paramNumbers.map((n) =>
        n === 0 ? binaryTimestamp(start) : (params.values[n - 1] ?? null),
      ),
      resultFormats: [format],
      session: state.context(),
      signal: state.scope.signal,
    })
    .catch((error: unknown) => {
      throw withCompanionsContext(withoutMark(error), params, computed.paramNumbers)
    })
  const [row] = answer.rows
  if (row === undefined) throw new Bug('the companion returned no row for computed expressions')
  return splitDataRow(row)
}

/** Microseconds from the Unix epoch to 2000-01-01, where PostgreSQL's binary timestamps begin. */
const POSTGRES_EPOCH_MICROS = 946_684_800_000_000n

function binaryTimestamp(unixMicros: bigint): Buffer {
  const bytes = Buffer.alloc(8)
  bytes.writeBigInt64BE(unixMicros - POSTGRES_EPOCH_MICROS)
  return bytes
}

/** src/backend/tcop/postgres.c, exec_bind_message. */
export function checkBindCounts(
  params: BoundParams,
  expected: { readonly count: number; readonly statement: string },
): void {
  if (params.formats.length > 1 && params.formats.length !== params.values.length) {
    throw new PgError(
      SQL_STATE.protocolViolation,
      `bind message has ${params.formats.length} parameter formats but ${params.values.length} parameters`,
    )
  }
  if (params.values.length !== expected.count) {
    throw new PgError(
      SQL_STATE.protocolViolation,
      `bind message supplies ${params.values.length} parameters, but prepared statement "${expected.statement}" requires ${expected.count}`,
    )
  }
}
