import { type ServiceError, status } from '@grpc/grpc-js'
import type { Message } from '../../embedded/embedded-client.ts'

/*
 * What a call came to, as a text that two servers must share: the code and the kinds of details of an error, with the names that clients read out
 * of its words; of an answer everything but what each server makes up by itself (ids, timestamps, tokens, plans).
 */

/** What clients read out of the words of errors: the names of constraints and indexes, and that a session is gone. */
const TELLING = /\b(?:r_p|q_p|self_up|g_n|k_w|k_v|Session not found)\b/g

/** Fields that hold a moment, an id or a token: that they are there is all that counts. */
const PRESENT = new Set([
  'createTime',
  'approximateLastUseTime',
  'commitTimestamp',
  'readTimestamp',
  'id',
  'name',
  'resumeToken',
  'partitionToken',
  'precommitToken',
  'last',
])

export function errorText(error: ServiceError): string {
  const details = Object.keys(error.metadata?.getMap() ?? {})
    .filter((name) => name.startsWith('google.rpc.') && name !== ERROR_INFO)
    .sort()
  const words = wordsOf(error.details)
  return [status[error.code] ?? String(error.code), ...details, ...words].join(' ')
}

/** Ours alone: the names behind the words (grpc-status.ts). */
const ERROR_INFO = 'google.rpc.errorinfo-bin'

function wordsOf(text: string): string[] {
  return [...new Set(text.match(TELLING) ?? [])].sort()
}

/** Rows are in the order that was asked for, or in none. */
export function answerText(method: string, answer: Message, isOrdered: boolean): string {
  if (answer.stats?.queryPlan !== undefined) answer.stats.queryPlan = {}
  if (answer.stats?.queryStats !== undefined) answer.stats.queryStats = {}
  if (method === 'updateDatabaseDdl') return operationText(answer)
  if (Array.isArray(answer.partitions)) answer.partitions = answer.partitions.length > 0
  if (answer.status !== undefined)
    answer.status = [status[answer.status.code ?? 0], ...wordsOf(answer.status.message ?? '')]
  if (answer.rows !== undefined) {
    const rows = answer.rows.map((row: Message) => JSON.stringify((row.values ?? []).map(plain)))
    answer.rows = isOrdered ? rows : rows.sort()
  }
  return JSON.stringify(shown(answer))
}

/** What of a schema is not as the scripts find it. */
export function ddlText(found: readonly string[], now: readonly string[]): string {
  const made = now.filter((statement) => !found.includes(statement)).sort()
  return JSON.stringify({
    made,
    gone: found.filter((statement) => !now.includes(statement)).sort(),
  })
}

function operationText({ error, done }: Message): string {
  if (error === undefined) return done === true ? 'done' : 'under way'
  return [status[error.code], ...wordsOf(error.message)].join(' ')
}

/** Times of now, which differ. */
const LATELY = /^2\d{3}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z$/

function plain(of: Message): unknown {
  if (LATELY.test(of.stringValue ?? '')) return 'lately'
  if (of.listValue !== undefined) return (of.listValue.values ?? []).map(plain)
  return of.stringValue ?? of.boolValue ?? of.numberValue ?? null
}

/** The answer without what is made up; keys sorted, and what is empty left out. */
function shown(of: unknown): unknown {
  if (Buffer.isBuffer(of)) return of.length === 0 ? undefined : 'bytes'
  if (Array.isArray(of)) return of.map(shown)
  if (typeof of !== 'object' || of === null) return of
  const entries = Object.entries(of)
    .map(([key, one]) => [key, isMadeUp(key, one) ? 'present' : shown(one)] as const)
    .filter(([, one]) => one !== undefined && !isEmpty(one))
  return Object.fromEntries(entries.sort(([left], [right]) => (left < right ? -1 : 1)))
}

function isMadeUp(key: string, of: unknown): boolean {
  return PRESENT.has(key) && of !== undefined && of !== '' && !(key === 'name' && !isPath(of))
}

function isPath(of: unknown): boolean {
  return typeof of === 'string' && of.startsWith('projects/')
}

function isEmpty(of: unknown): boolean {
  return typeof of === 'object' && of !== null && Object.keys(of).length === 0 && !Array.isArray(of)
}

/** The messages of a stream as the one answer that they are. */
export function merged(messages: readonly Message[]): Message {
  const values: Message[] = []
  const [first = {}] = messages
  let isChunked = false
  let stats: Message
  for (const message of messages) {
    const [head, ...rest] = message.values ?? []
    if (head !== undefined) {
      if (isChunked) values[values.length - 1] = joined(values[values.length - 1], head)
      else values.push(head)
    }
    values.push(...rest)
    isChunked = message.chunkedValue === true
    stats = message.stats ?? stats
  }
  const width = first.metadata?.rowType?.fields?.length ?? 0
  const rows = []
  for (let at = 0; width > 0 && at < values.length; at += width)
    rows.push({ values: values.slice(at, at + width) })
  return { metadata: first.metadata, rows, stats }
}

function joined(left: Message, right: Message): Message {
  if (left.listValue === undefined) return { stringValue: left.stringValue + right.stringValue }
  const [last, ...before] = left.listValue.values.toReversed()
  const [next, ...rest] = right.listValue.values
  const isCut = last?.stringValue !== undefined && next?.stringValue !== undefined
  const middle = isCut ? [joined(last, next)] : [last, next]
  return { listValue: { values: [...before.toReversed(), ...middle, ...rest] } }
}
