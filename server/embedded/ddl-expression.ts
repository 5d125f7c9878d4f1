import { status as GRPC } from '@grpc/grpc-js'
import { FrontendWriter } from '../companion/frontend-messages.ts'
import type { ServerConnection } from '../companion/server-connection.ts'
import { NodeFields } from '../sql/node-fields.ts'
import { type NodeObject, readNodeText } from '../sql/node-text.ts'
import { OID } from '../types/pg-type.ts'
import { BACKEND_TYPE, parseRowDescription } from '../wire/backend-decoder.ts'
import { parseErrorResponse, parseNoticeResponse } from '../wire/error-fields.ts'
import type { DatabaseNames } from './database-names.ts'
import { type DdlExpression, quoteText } from './ddl-cursor.ts'
import { GrpcStatus } from './grpc-status.ts'
import type { NameReader } from './name-reader.ts'
import { PRINT_NOTHING, PRINT_TREE, TREE_MESSAGE } from './printed-tree.ts'
import type { Profile } from './profile.ts'
import { walkNodes } from './query-tree-walk.ts'
import { refuseWritten } from './raw-refusal.ts'
import { refuseAnalysed } from './tree-refusal.ts'

/**
 * Throws INVALID_ARGUMENT where Spanner does not take an expression of DDL: what it does not take in a query (but for generated columns), the
 * moment in a check, a default or a generated value of another type than its column. The connection is in the batch's transaction.
 */
export async function checkExpression(
  connection: ServerConnection,
  expression: DdlExpression,
  { names, profile }: { readonly names: NameReader; readonly profile: Profile },
): Promise<void> {
  const analysed = await analyse(connection, expression.query)
  const type = (await names.read((known) => known.typeAt(analysed.typeOid))) ?? ''
  if (expression.kind === 'generated') {
    requireType(expression, type)
    return
  }
  const tree = readNodeText(analysed.tree)
  try {
    refuseWritten(expression.query, profile)
    await names.read((known) => refuseAnalysed(tree, known, profile))
  } catch (error) {
    throw error instanceof GrpcStatus ? invalid(error.message) : error
  }
  const nodes: NodeObject[] = []
  walkNodes(tree, (node) => void nodes.push(node))
  if (expression.kind === 'check') await names.read((known) => refuseMoments(nodes, known))
  if (expression.kind !== 'default') return
  await requireSequences(connection, nodes, names)
  if (profile === 'emulator-1.5.28') {
    if (!fits(expression, type) || nodes.some(isLiteralJsonb))
      throw invalid(`Cannot use a default of type ${type} for a column of type ${expression.type}`)
  }
}

function invalid(text: string): GrpcStatus {
  return new GrpcStatus(GRPC.INVALID_ARGUMENT, text)
}

async function analyse(
  connection: ServerConnection,
  sql: string,
): Promise<{ tree: string; typeOid: number }> {
  const out = new FrontendWriter()
  for (const setting of PRINT_TREE) out.run(setting)
  out.parse(sql, []).describeStatement()
  for (const setting of PRINT_NOTHING) out.run(setting)
  out.sync()
  let tree = ''
  let typeOid = 0
  let failure: Error | undefined
  await connection.stream({ bytes: out.take(), syncs: 1 }, (frame) => {
    if (frame.type === BACKEND_TYPE.errorResponse) failure ??= parseErrorResponse(frame.body)
    else if (frame.type === BACKEND_TYPE.rowDescription)
      typeOid = parseRowDescription(frame.body)[0]?.typeOid ?? 0
    else if (frame.type === BACKEND_TYPE.noticeResponse) {
      const { message, detail } = parseNoticeResponse(frame.body)
      // The settings that end the printing are printed too.
      if (TREE_MESSAGE.test(message) && tree === '') tree = detail ?? ''
    }
    return undefined
  })
  if (failure !== undefined) throw invalid(failure.message)
  return { tree, typeOid }
}

/** Spanner casts no generated value to its column's type. */
function requireType({ type }: DdlExpression, given: string): void {
  if (type.startsWith('spanner.')) return
  const [wanted, found] = [spannerType(type), spannerType(given)]
  if (wanted !== found)
    throw invalid(
      `Error parsing the definition of a generated column: Expected type ${wanted}; found ${found}`,
    )
}

/** Whole numbers are of one size, and strings have no length. */
function spannerType(type: string): string {
  const base = type.replace(/\(.*\)/, '')
  return base.replace('character varying', 'text').replace(/^(?:integer|smallint)/, 'bigint')
}

function refuseMoments(nodes: readonly NodeObject[], names: DatabaseNames): void {
  const isMoment = (node: NodeObject) =>
    node.tag === 'SQLVALUEFUNCTION' ||
    (node.tag === 'FUNCEXPR' &&
      names.functionAt(new NodeFields(node).int('funcid'))?.name === 'now')
  if (nodes.some(isMoment))
    throw invalid('The expression of a check constraint must be deterministic')
}

/** nextval takes the name of a sequence that is there. */
async function requireSequences(
  connection: ServerConnection,
  nodes: readonly NodeObject[],
  names: NameReader,
): Promise<void> {
  const calls = await names.read((known) => nodes.filter((node) => isNextval(node, known)))
  for (const node of calls) {
    const fields = new NodeFields(node)
    const bytes = new NodeFields(fields.objects('args')[0] ?? node).bytes('constvalue')
    // A varlena: four bytes of length, then the text.
    const name = bytes?.subarray(4).toString() ?? ''
    try {
      await connection.query(`SELECT _spanner.find_sequence(${quoteText(name)})`)
    } catch (error) {
      throw invalid(error instanceof Error ? error.message : String(error))
    }
  }
}

function isNextval(node: NodeObject, names: DatabaseNames): boolean {
  return (
    node.tag === 'FUNCEXPR' &&
    names.functionAt(new NodeFields(node).int('funcid'))?.name === 'nextval'
  )
}

function isLiteralJsonb(node: NodeObject): boolean {
  if (node.tag !== 'CONST') return false
  const fields = new NodeFields(node)
  return fields.int('consttype') === OID.jsonb && !fields.bool('constisnull')
}

/** Literals without a type that a column takes, and types that are converted. */
const TAKES_LITERALS = new Set(['text', 'timestamp with time zone', 'date'])
const TAKES_INTEGERS = new Set(['bigint', 'double precision', 'real'])

function fits({ type, literal }: DdlExpression, given: string): boolean {
  const column = type.replace(/\(.*\)/, '').replace('character varying', 'text')
  if (literal === 'null') return column === 'text'
  if (literal === 'text') return TAKES_LITERALS.has(column)
  if (given === 'bigint') return TAKES_INTEGERS.has(column)
  return given === column || column === 'spanner.commit_timestamp'
}
