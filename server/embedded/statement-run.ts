import { status as GRPC } from '@grpc/grpc-js'
import type { PgError } from '../base/pg-error.ts'
import { FrontendWriter } from '../companion/frontend-messages.ts'
import { decodeTextRow } from '../companion/service-rows.ts'
import { readNodeText } from '../sql/node-text.ts'
import {
  BACKEND_TYPE,
  type BackendFrame,
  parseCommandComplete,
  parseParameterDescription,
  parseRowDescription,
} from '../wire/backend-decoder.ts'
import { parseErrorResponse, parseNoticeResponse } from '../wire/error-fields.ts'
import type { EmbeddedConnection } from './connections.ts'
import { GrpcStatus } from './grpc-status.ts'
import { refuseHints } from './hint-rules.ts'
import { mutationCost } from './mutation-cost.ts'
import { isPartitionable } from './partitionable.ts'
import { PRINT_NOTHING, PRINT_TREE, TREE_MESSAGE } from './printed-tree.ts'
import type { RowSink } from './result-writer.ts'
import type { SqlRequest } from './spanner-requests.ts'
import {
  type CachedStatement,
  describeStatement,
  type StatementDescription,
} from './statement-cache.ts'
import { refuseAnalysed } from './tree-refusal.ts'
import { type BoundValue, decodeParameter } from './value-decoder.ts'

/** SQL of ours that goes out in the same write before the statement. */
export interface Prelude {
  readonly sql: string
  /** Its row, as text. */
  readonly onRow?: (values: readonly (string | null)[]) => void
  /** Called when it has run. */
  readonly onDone?: () => void
}

export interface StatementRun {
  readonly connection: EmbeddedConnection
  readonly statement: CachedStatement
  readonly request: SqlRequest
  readonly prelude: readonly Prelude[]
  readonly signal: AbortSignal
}

/** How a statement is run in a transaction. */
export interface RunOptions {
  readonly sink: RowSink
  readonly signal: AbortSignal
  /** The client asks for nothing after it but Commit. */
  readonly isLast: boolean
  /** Only what the statement returns is wanted: Parse and Describe. */
  readonly isPlanOnly: boolean
}

/** Where rows go: `start` is called when the prelude is through, with what the columns are. */
export interface RunTarget {
  readonly sink: Pick<RowSink, 'row'>
  start(description: StatementDescription): void
  /** SQL of ours that goes out right before the statement; asked for when that has been described. */
  prelude?(): readonly Prelude[]
  /** Called when it has run, with the rows of its command tag, before the end of its rows is told. What it throws, the call throws. */
  counted?(rows: number): Promise<void>
}

/** Frames of a conversation as it goes: which of its statements is being answered, and what has gone wrong. */
class Conversation {
  readonly #prelude: readonly Prelude[]
  #answered = 0
  error: PgError | undefined
  tag = ''
  paramOids: readonly number[] = []
  fields: readonly { readonly name: string; readonly typeOid: number }[] = []
  /** What PostgreSQL has printed of its analysis. */
  tree: string | undefined

  constructor(prelude: readonly Prelude[]) {
    this.#prelude = prelude
  }

  get isPastPrelude(): boolean {
    return this.#answered >= this.#prelude.length
  }

  /** Returns true for a row of the statement itself. */
  take(frame: BackendFrame): boolean {
    switch (frame.type) {
      case BACKEND_TYPE.dataRow:
        if (this.isPastPrelude) return true
        this.#prelude[this.#answered]?.onRow?.(decodeTextRow(frame))
        return false
      case BACKEND_TYPE.commandComplete:
        if (this.isPastPrelude) this.tag = parseCommandComplete(frame.body)
        else this.#prelude[this.#answered]?.onDone?.()
        this.#answered++
        return false
      case BACKEND_TYPE.errorResponse:
        this.error ??= parseErrorResponse(frame.body)
        return false
      case BACKEND_TYPE.parameterDescription:
        this.paramOids = parseParameterDescription(frame.body)
        return false
      case BACKEND_TYPE.noticeResponse:
        this.#takeNotice(frame)
        return false
      case BACKEND_TYPE.rowDescription:
        this.fields = parseRowDescription(frame.body)
        return false
      default:
        return false
    }
  }

  #takeNotice(frame: BackendFrame): void {
    const { message, detail } = parseNoticeResponse(frame.body)
    if (TREE_MESSAGE.test(message)) this.tree ??= detail
  }
}

function writePrelude(out: FrontendWriter, prelude: readonly Prelude[]): void {
  for (const { sql } of prelude) out.run(sql)
}

/** Parse and Describe, unless it is known what they answer. Throws PgError. Returns whether the prelude went out with it. */
export async function describe(run: StatementRun): Promise<boolean> {
  const { connection, statement } = run
  if (statement.description !== undefined) return false
  const { acceptance } = statement
  const names = await acceptance.names(connection.server)
  const out = new FrontendWriter()
  const conversation = new Conversation(run.prelude)
  writePrelude(out, run.prelude)
  for (const sql of PRINT_TREE) out.run(sql)
  out.parse(statement.sql, statement.parseOids).describeStatement()
  for (const sql of PRINT_NOTHING) out.run(sql)
  out.sync()
  await converse(connection, out, { conversation, signal: run.signal })
  if (conversation.error !== undefined) throw conversation.error
  const { tree, paramOids, fields } = conversation
  const analysed = tree === undefined ? undefined : readNodeText(tree)
  const checked =
    analysed === undefined
      ? undefined
      : await names.read((known) => {
          refuseAnalysed(analysed, known, acceptance.profile)
          refuseHints(statement.hints, {
            kind: statement.kind,
            tree: analysed,
            names: known,
            profile: acceptance.profile,
          })
          return { cost: mutationCost(analysed, known), relations: known.relations }
        })
  statement.description = describeStatement(statement, {
    paramOids,
    fields,
    cost: checked?.cost,
    relations: checked?.relations,
    isPartitionable: isPartitionable(analysed),
  })
  return true
}

async function converse(
  connection: EmbeddedConnection,
  out: FrontendWriter,
  options: { readonly conversation: Conversation; readonly signal: AbortSignal | undefined },
): Promise<void> {
  const bytes = out.take()
  await connection.server.stream({ bytes, syncs: 1, signal: options.signal }, (frame) => {
    options.conversation.take(frame)
  })
}

/** Runs SQL of ours, in one write. Throws the first PgError. */
export async function runPrelude(
  connection: EmbeddedConnection,
  prelude: readonly Prelude[],
  signal?: AbortSignal,
): Promise<void> {
  const out = new FrontendWriter()
  const conversation = new Conversation(prelude)
  writePrelude(out, prelude)
  await converse(connection, out.sync(), { conversation, signal })
  if (conversation.error !== undefined) throw conversation.error
}

/**
 * Runs a statement, its prelude before it in the same write, and hands its rows to the target as they come. Returns the number of rows of
 * its command tag. Throws PgError, or INVALID_ARGUMENT where a parameter does not fit.
 */
export async function runStatement(run: StatementRun, target: RunTarget): Promise<number> {
  const { connection, statement } = run
  const isPreludeSent = await describe(run)
  const description = statement.description
  if (description === undefined)
    throw new GrpcStatus(GRPC.INTERNAL, 'statement without a description')
  const prelude = [...(isPreludeSent ? [] : run.prelude), ...(target.prelude?.() ?? [])]
  const conversation = new Conversation(prelude)
  const out = new FrontendWriter()
  const name = writeStatement({ ...run, prelude }, description, out)
  const rows = new RowForwarder(target, description)
  const bytes = out.sync().take()
  await connection.server.stream({ bytes, syncs: 1, signal: run.signal }, (frame) => {
    if (frame.type === BACKEND_TYPE.bindComplete && conversation.isPastPrelude) {
      connection.markPrepared(statement, name)
    }
    return conversation.take(frame) ? rows.forward(frame.whole) : undefined
  })
  if (conversation.error !== undefined) throw conversation.error
  const count = countOf(conversation.tag)
  await target.counted?.(count)
  rows.finish()
  return count
}

/** Hands rows to a target. A row that it cannot take ends its interest, not the connection: the error waits for the end. */
class RowForwarder {
  readonly #target: RunTarget
  readonly #description: StatementDescription
  #isStarted = false
  #failure: unknown

  constructor(target: RunTarget, description: StatementDescription) {
    this.#target = target
    this.#description = description
  }

  forward(row: Buffer): Promise<void> | undefined {
    if (this.#failure !== undefined) return undefined
    try {
      this.#start()
      const wait = this.#target.sink.row(row)
      return wait?.catch((error: unknown) => {
        this.#failure = error
      })
    } catch (error) {
      this.#failure = error
      return undefined
    }
  }

  /** Throws what went wrong with a row. */
  finish(): void {
    if (this.#failure !== undefined) throw asError(this.#failure)
    this.#start()
  }

  #start(): void {
    if (this.#isStarted) return
    this.#isStarted = true
    this.#target.start(this.#description)
  }
}

/** Prelude, Parse where needed, Bind, Execute. Returns the prepared statement's name. */
function writeStatement(
  run: StatementRun,
  description: StatementDescription,
  out: FrontendWriter,
): string {
  const { connection, statement } = run
  const params = bindParameters(run, description)
  writePrelude(out, run.prelude)
  let name = connection.preparedName(statement)
  if (name === undefined) {
    name = connection.newName()
    out.parse(statement.sql, description.paramOids, name)
  }
  out.bind(name, {
    paramFormats: params.map((value) => (Buffer.isBuffer(value) ? 1 : 0)),
    params: params.map((value) => (typeof value === 'string' ? Buffer.from(value) : value)),
    resultFormats: description.columns.map((column) => column.format),
  })
  out.execute()
  return name
}

function bindParameters(run: StatementRun, description: StatementDescription): BoundValue[] {
  const { request, statement } = run
  return description.paramOids.map((oid, index) => {
    const name = `p${index + 1}`
    const value = request.params.get(name)
    if (value === undefined && !statement.params.has(index + 1)) return null
    if (value === undefined) {
      throw new GrpcStatus(GRPC.INVALID_ARGUMENT, `No parameter found for binding: ${name}`)
    }
    const isDeclared = (statement.declaredOids[index] ?? 0) !== 0
    return decodeParameter({ name, oid, isDeclared }, value)
  })
}

/** The last number of `INSERT 0 5`, `UPDATE 3`, `SELECT 2`. */
function countOf(tag: string): number {
  return Number(/\d+$/.exec(tag)?.[0] ?? 0)
}

function asError(failure: unknown): Error {
  return failure instanceof Error ? failure : new Error(String(failure))
}
