import { status as GRPC } from '@grpc/grpc-js'
import type { ProtoReader } from '../base/protobuf-reader.ts'
import type { SpannerType } from '../types/spanner-type.ts'
import { GrpcStatus } from './grpc-status.ts'
import type { SqlRequest } from './spanner-requests.ts'
import { type KeyPart, quoteIdentifier, type TableShape } from './table-shape.ts'

/** google.spanner.v1.KeySet: which rows of a table or index. Values are encoded google.protobuf.Values. */
export interface KeySet {
  readonly keys: readonly (readonly Buffer[])[]
  readonly ranges: readonly KeyRange[]
  readonly isAll: boolean
}

export interface KeyBound {
  readonly values: readonly Buffer[]
  readonly isOpen: boolean
}

export interface KeyRange {
  readonly start: KeyBound | undefined
  readonly end: KeyBound | undefined
}

export function readKeySet(reader: ProtoReader): KeySet {
  const keys: (readonly Buffer[])[] = []
  const ranges: KeyRange[] = []
  let isAll = false
  while (reader.hasMore) {
    const tag = reader.tag()
    if (tag >>> 3 === 1) keys.push(readList(reader.message()))
    else if (tag >>> 3 === 2) ranges.push(readRange(reader.message()))
    else if (tag >>> 3 === 3) isAll = reader.bool()
    else reader.skip(tag)
  }
  return { keys, ranges, isAll }
}

function readRange(reader: ProtoReader): KeyRange {
  let start: KeyBound | undefined
  let end: KeyBound | undefined
  while (reader.hasMore) {
    const tag = reader.tag()
    const field = tag >>> 3
    if (field < 1 || field > 4) {
      reader.skip(tag)
      continue
    }
    const bound = { values: readList(reader.message()), isOpen: field === 2 || field === 4 }
    if (field <= 2) start = bound
    else end = bound
  }
  return { start, end }
}

/** google.protobuf.ListValue: its values stay encoded. */
export function readList(reader: ProtoReader): Buffer[] {
  const values: Buffer[] = []
  while (reader.hasMore) {
    const tag = reader.tag()
    if (tag >>> 3 === 1) values.push(reader.bytes())
    else reader.skip(tag)
  }
  return values
}

/** Whether an encoded google.protobuf.Value is null. */
export function isNullValue(bytes: Buffer): boolean {
  return bytes.length === 0 || bytes[0] === 0x08
}

/** Collects the parameters of a statement as its text is made. */
export class Parameters {
  readonly #params = new Map<string, Buffer>()
  readonly #types = new Map<string, SpannerType>()

  /** `$1`, `$2` ... */
  add(value: Buffer, type: SpannerType): string {
    const number = this.#params.size + 1
    this.#params.set(`p${number}`, value)
    this.#types.set(`p${number}`, type)
    return `$${number}`
  }

  request(sql: string): SqlRequest {
    return { sql, params: this.#params, paramTypes: this.#types }
  }
}

/** The rows of a key set as a condition of SQL. Throws FAILED_PRECONDITION for keys that do not fit. */
export function keySetCondition(table: TableShape, set: KeySet, params: Parameters): string {
  if (set.isAll) return 'true'
  const parts = [
    ...set.keys.map((values) => {
      if (values.length !== table.key.length) throw wrongKey(table, values.length)
      return equalTo(prefix(table, values), params)
    }),
    ...set.ranges.map((range) => inRange(table, range, params)),
  ]
  return parts.length === 0 ? 'false' : parts.map((part) => `(${part})`).join(' OR ')
}

interface KeyValue {
  readonly part: KeyPart
  readonly value: Buffer
}

function prefix(table: TableShape, values: readonly Buffer[]): KeyValue[] {
  return values.map((value, index) => {
    const part = table.key[index]
    if (part === undefined) throw wrongKey(table, values.length)
    return { part, value }
  })
}

function wrongKey(table: TableShape, count: number): GrpcStatus {
  return new GrpcStatus(
    GRPC.FAILED_PRECONDITION,
    `Wrong number of key parts for ${table.keyName}. Expected ${table.key.length} key parts, found ${count} key parts.`,
  )
}

function equalTo(key: readonly KeyValue[], params: Parameters): string {
  const parts = key.map(({ part, value }) => {
    const column = quoteIdentifier(part.name)
    return isNullValue(value) ? `${column} IS NULL` : `${column} = ${params.add(value, part.type)}`
  })
  return parts.length === 0 ? 'true' : parts.join(' AND ')
}

function inRange(table: TableShape, range: KeyRange, params: Parameters): string {
  if (range.start === undefined || range.end === undefined) {
    throw new GrpcStatus(GRPC.INVALID_ARGUMENT, 'KeyRange must have a start and an end.')
  }
  const after = beyond(prefix(table, range.start.values), {
    isAfter: true,
    isOpen: range.start.isOpen,
    params,
  })
  const before = beyond(prefix(table, range.end.values), {
    isAfter: false,
    isOpen: range.end.isOpen,
    params,
  })
  return `(${after}) AND (${before})`
}

/** Lexicographic comparison with the first parts of a key: a bound of fewer parts holds every key that begins with them. */
function beyond(
  key: readonly KeyValue[],
  how: { readonly isAfter: boolean; readonly isOpen: boolean; readonly params: Parameters },
): string {
  const cases = key.map(
    (one, index) =>
      `${equalTo(key.slice(0, index), how.params)} AND ${differsFrom(one, how.isAfter, how.params)}`,
  )
  if (!how.isOpen) cases.push(equalTo(key, how.params))
  return cases.length === 0 ? 'false' : cases.join(' OR ')
}

/** Whether a column comes after a value, or before it. NULL is a value that comes before all others, or after them. */
function differsFrom({ part, value }: KeyValue, isAfter: boolean, params: Parameters): string {
  const column = quoteIdentifier(part.name)
  const isTowardsNull = isAfter !== part.areNullsFirst
  if (isNullValue(value)) return isTowardsNull ? 'false' : `${column} IS NOT NULL`
  const symbol = isAfter !== part.isDescending ? '>' : '<'
  const differs = `${column} ${symbol} ${params.add(value, part.type)}`
  return isTowardsNull ? `(${differs} OR ${column} IS NULL)` : differs
}
