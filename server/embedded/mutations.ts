import { status as GRPC } from '@grpc/grpc-js'
import { ProtoReader } from '../base/protobuf-reader.ts'
import type { EmbeddedDatabase } from './database.ts'
import { GrpcStatus } from './grpc-status.ts'
import { type KeySet, keySetCondition, Parameters, readKeySet, readList } from './key-set.ts'
import { deleteCost, insertCost, updateCost } from './mutation-cost.ts'
import { isCascadedFrom, RowRewrites, rewritten } from './row-rewrites.ts'
import type { SqlRequest } from './spanner-requests.ts'
import {
  type ColumnShape,
  findColumn,
  mustFindColumn,
  quoteIdentifier,
  type TableShape,
} from './table-shape.ts'
import type { ServerTransaction } from './transaction.ts'
import { refuseLarge } from './value-limits.ts'
import { MAX_MUTATIONS, tooManyMutations } from './write-limits.ts'

/** google.spanner.v1.Mutation. Values are encoded google.protobuf.Values. */
export type Mutation = WriteMutation | DeleteMutation

interface WriteMutation {
  readonly kind: 'insert' | 'update' | 'insert-or-update' | 'replace'
  readonly table: string
  readonly columns: readonly string[]
  readonly rows: readonly (readonly Buffer[])[]
}

interface DeleteMutation {
  readonly kind: 'delete'
  readonly table: string
  readonly keySet: KeySet
}

const WRITES = ['insert', 'update', 'insert-or-update', 'replace'] as const
const DELETE_FIELD = 5
/** What stands in a mutation for the timestamp of its commit. */
const COMMIT_TIMESTAMP = 'spanner.commit_timestamp()'

/** Throws INVALID_ARGUMENT for an empty one, UNIMPLEMENTED for an operation that is not known here. */
export function readMutation(reader: ProtoReader): Mutation {
  while (reader.hasMore) {
    const tag = reader.tag()
    const kind = WRITES[(tag >>> 3) - 1]
    if (kind !== undefined) return readWrite(kind, reader.message())
    if (tag >>> 3 === DELETE_FIELD) return readDelete(reader.message())
    throw new GrpcStatus(
      GRPC.UNIMPLEMENTED,
      'Mutations other than insert, update, insert_or_update, replace and delete are not supported by this server.',
    )
  }
  throw new GrpcStatus(GRPC.INVALID_ARGUMENT, 'Mutation without an operation.')
}

function readWrite(kind: WriteMutation['kind'], reader: ProtoReader): WriteMutation {
  let table = ''
  const columns: string[] = []
  const rows: (readonly Buffer[])[] = []
  while (reader.hasMore) {
    const tag = reader.tag()
    if (tag >>> 3 === 1) table = reader.string()
    else if (tag >>> 3 === 2) columns.push(reader.string())
    else if (tag >>> 3 === 3) rows.push(readList(reader.message()))
    else reader.skip(tag)
  }
  return { kind, table, columns, rows }
}

function readDelete(reader: ProtoReader): DeleteMutation {
  let table = ''
  let keySet: KeySet = { keys: [], ranges: [], isAll: false }
  while (reader.hasMore) {
    const tag = reader.tag()
    if (tag >>> 3 === 1) table = reader.string()
    else if (tag >>> 3 === 2) keySet = readKeySet(reader.message())
    else reader.skip(tag)
  }
  return { kind: 'delete', table, keySet }
}

/** What a mutation counts. A range of keys counts as one row of each index: how many rows it has is not known yet. */
function countOf(mutation: Mutation, table: TableShape): number {
  const { writes } = table
  if (mutation.kind === 'delete') {
    const { keys, ranges, isAll } = mutation.keySet
    return (keys.length + ranges.length + (isAll ? 1 : 0)) * deleteCost(writes)
  }
  const named = mutation.columns.flatMap((name) => findColumn(table, name)?.number ?? [])
  const cost = mutation.kind === 'update' ? updateCost : insertCost
  return mutation.rows.length * cost(writes, named)
}

/**
 * Applies mutations in their order, as statements of the transaction, and gives what they count. Throws what the first one that fails says, INVALID_ARGUMENT where they
 * are too many for one Commit; the emulator takes any number. Unique indexes and foreign keys are checked when all are applied.
 */
export async function applyMutations(
  database: EmbeddedDatabase,
  transaction: ServerTransaction,
  mutations: readonly Mutation[],
): Promise<number> {
  let count = 0
  if (mutations.length === 0) return count
  const { signal } = new AbortController()
  await transaction.runOwn('SET CONSTRAINTS ALL DEFERRED', signal)
  const rewrites = new RowRewrites((request) => run(transaction, request))
  for (const mutation of mutations) {
    const table = await database.tableShape(mutation.table, '')
    count += countOf(mutation, table)
    if (count > MAX_MUTATIONS && database.profile === 'production') throw tooManyMutations()
    if (mutation.kind === 'delete') {
      await rewrites.deleting(table, mutation.keySet)
      await run(transaction, deletion(table, mutation.keySet))
    } else await writeRows({ transaction, rewrites }, mutation, table)
  }
  await transaction.runOwn('SET CONSTRAINTS ALL IMMEDIATE', signal)
  return count
}

/** Where rows are written. */
interface Target {
  readonly transaction: ServerTransaction
  readonly rewrites: RowRewrites
}

interface Row {
  readonly table: TableShape
  readonly row: readonly Buffer[]
}

async function writeRows(
  target: Target,
  mutation: WriteMutation,
  table: TableShape,
): Promise<void> {
  if (mutation.rows.length === 0)
    throw new GrpcStatus(GRPC.INVALID_ARGUMENT, `Mutation of table ${table.name} has no rows.`)
  for (const row of mutation.rows) await writeRow(target, mutation, { table, row })
}

async function writeRow(
  { transaction, rewrites }: Target,
  mutation: WriteMutation,
  { table, row }: Row,
): Promise<void> {
  const columns = mutation.columns.map((name) => mustFindColumn(table, name))
  refuseGenerated(table, mutation, columns)
  if (row.length !== columns.length || new Set(columns).size !== columns.length) {
    throw new GrpcStatus(
      GRPC.INVALID_ARGUMENT,
      `Mutation of table ${table.name} has ${columns.length} columns and ${row.length} values.`,
    )
  }
  const key = keyOf(table, columns, row)
  if (columns.length === 0) throw keyIsMissing(table)
  if (key !== undefined) await rewrites.writing(table, key)
  if (mutation.kind === 'update') {
    if (key === undefined) throw keyIsMissing(table)
    if ((await run(transaction, update(table, { columns, row, key }))) > 0) return
    const shown = key.map((value) => textOf(value)).join(',')
    throw new GrpcStatus(
      GRPC.NOT_FOUND,
      `Row [${shown}] in table ${table.name} is missing. Row cannot be updated.`,
    )
  }
  if (mutation.kind === 'replace' && key !== undefined) {
    // To replace is to delete and to write.
    if (isCascadedFrom(table)) throw rewritten(table)
    await run(transaction, deletion(table, { keys: [key], ranges: [], isAll: false }))
  }
  await run(
    transaction,
    insertion(table, { columns, row, isUpsert: mutation.kind === 'insert-or-update' }),
  )
}

/** An update may name generated columns of the key: they say which row it is. */
function refuseGenerated(
  table: TableShape,
  mutation: WriteMutation,
  columns: readonly ColumnShape[],
): void {
  const generated = columns.find(
    ({ name, isGenerated }) =>
      isGenerated && !(mutation.kind === 'update' && table.key.some((part) => part.name === name)),
  )
  if (generated === undefined) return
  throw new GrpcStatus(
    GRPC.FAILED_PRECONDITION,
    `Cannot write into generated column \`${table.name}.${generated.name}\`.`,
  )
}

/** The values of the primary key; undefined where the row leaves some to their defaults. */
function keyOf(
  table: TableShape,
  columns: readonly ColumnShape[],
  row: readonly Buffer[],
): readonly Buffer[] | undefined {
  const values = table.key.flatMap(
    ({ name }) => row[columns.findIndex((column) => column.name === name)] ?? [],
  )
  return values.length === table.key.length ? values : undefined
}

function keyIsMissing(table: TableShape): GrpcStatus {
  return new GrpcStatus(
    GRPC.FAILED_PRECONDITION,
    `Mutation of table ${table.name} must have the columns of its primary key: ${table.key.map((part) => part.name).join(', ')}.`,
  )
}

function deletion(table: TableShape, keySet: KeySet): SqlRequest {
  const params = new Parameters()
  return params.request(`DELETE FROM ${table.sql} WHERE ${keySetCondition(table, keySet, params)}`)
}

function update(
  table: TableShape,
  {
    columns,
    row,
    key,
  }: { columns: readonly ColumnShape[]; row: readonly Buffer[]; key: readonly Buffer[] },
): SqlRequest {
  const params = new Parameters()
  const isKey = new Set(table.key.map((part) => part.name))
  const sets = columns.flatMap((column, index) =>
    isKey.has(column.name)
      ? []
      : [
          `${quoteIdentifier(column.name)} = ${written(table, column, { value: row[index], params })}`,
        ],
  )
  const condition = keySetCondition(table, { keys: [key], ranges: [], isAll: false }, params)
  const [first] = table.key
  // Without other columns it is still an error where the row is missing.
  if (sets.length === 0 && first !== undefined) {
    return params.request(
      `SELECT ${quoteIdentifier(first.name)} FROM ${table.sql} WHERE ${condition}`,
    )
  }
  return params.request(`UPDATE ${table.sql} SET ${sets.join(', ')} WHERE ${condition}`)
}

function insertion(
  table: TableShape,
  {
    columns,
    row,
    isUpsert,
  }: { columns: readonly ColumnShape[]; row: readonly Buffer[]; isUpsert: boolean },
): SqlRequest {
  const params = new Parameters()
  const names = columns.map(({ name }) => quoteIdentifier(name))
  const values = columns.map((column, index) =>
    written(table, column, { value: row[index], params }),
  )
  const insert = `INSERT INTO ${table.sql} (${names.join(', ')}) VALUES (${values.join(', ')})`
  if (!isUpsert) return params.request(insert)
  const key = table.key.map(({ name }) => quoteIdentifier(name))
  // The dialect's DO UPDATE has all columns of the row, or there is nothing to change.
  const isKeyOnly = names.every((name) => key.includes(name))
  const sets = names.map((name) => `${name} = excluded.${name}`).join(', ')
  const action = isKeyOnly ? 'NOTHING' : `UPDATE SET ${sets}`
  return params.request(`${insert} ON CONFLICT (${key.join(', ')}) DO ${action}`)
}

function written(
  table: TableShape,
  column: ColumnShape,
  { value, params }: { readonly value: Buffer | undefined; readonly params: Parameters },
): string {
  if (value === undefined) return 'NULL'
  refuseLarge(`${table.name}.${column.name}`, column.type, value)
  const isStamp = column.isCommitTimestamp && textOf(value) === COMMIT_TIMESTAMP
  return isStamp ? 'spanner.pending_commit_timestamp()' : params.add(value, column.type)
}

/** The text of an encoded google.protobuf.Value that is a string, else what it looks like. */
function textOf(value: Buffer): string {
  const reader = new ProtoReader(value)
  if (!reader.hasMore) return 'NULL'
  const tag = reader.tag()
  if (tag >>> 3 === 3) return reader.string()
  if (tag >>> 3 === 2) return String(reader.double())
  return tag >>> 3 === 4 ? String(reader.bool()) : 'NULL'
}

/** Runs a statement and returns how many rows it changed or found. */
async function run(transaction: ServerTransaction, request: SqlRequest): Promise<number> {
  let count = 0
  await transaction.execute(request, {
    sink: {
      start: () => undefined,
      row: () => {
        count++
        return undefined
      },
      end: (stats) => {
        if (stats !== undefined) count = rowCount(stats)
        return undefined
      },
    },
    signal: new AbortController().signal,
    isLast: false,
    isPlanOnly: false,
  })
  return count
}

/** ResultSetStats.row_count_exact. */
function rowCount(stats: Buffer): number {
  const reader = new ProtoReader(stats)
  return reader.hasMore && reader.tag() >>> 3 === 3 ? reader.uint() : 0
}
