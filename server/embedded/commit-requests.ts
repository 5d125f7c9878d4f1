import { ProtoReader } from '../base/protobuf-reader.ts'
import { type Mutation, readMutation } from './mutations.ts'
import { readOptions, type TransactionOptions } from './spanner-requests.ts'

/** google.spanner.v1.CommitRequest. */
export interface CommitRequest {
  readonly session: string
  readonly transactionId: string | undefined
  /** Of a transaction that is begun by the Commit and lives no longer. */
  readonly singleUse: TransactionOptions | undefined
  readonly mutations: readonly Mutation[]
  readonly returnCommitStats: boolean
}

/** Throws as `readMutation` does. */
export function readCommitRequest(bytes: Buffer): CommitRequest {
  const reader = new ProtoReader(bytes)
  let session = ''
  let transactionId: string | undefined
  let singleUse: TransactionOptions | undefined
  const mutations: Mutation[] = []
  let returnCommitStats = false
  while (reader.hasMore) {
    const tag = reader.tag()
    switch (tag >>> 3) {
      case 1:
        session = reader.string()
        break
      case 2:
        transactionId = reader.string()
        break
      case 3:
        singleUse = readOptions(reader.message())
        break
      case 4:
        mutations.push(readMutation(reader.message()))
        break
      case 5:
        returnCommitStats = reader.bool()
        break
      default:
        reader.skip(tag)
    }
  }
  return { session, transactionId, singleUse, mutations, returnCommitStats }
}

/** The groups of mutations of a BatchWriteRequest; a group without mutations is an empty one. */
export function readBatchWriteRequest(bytes: Buffer): {
  readonly session: string
  readonly groups: readonly (readonly Mutation[])[]
} {
  const reader = new ProtoReader(bytes)
  let session = ''
  const groups: (readonly Mutation[])[] = []
  while (reader.hasMore) {
    const tag = reader.tag()
    if (tag >>> 3 === 1) session = reader.string()
    else if (tag >>> 3 === 4) groups.push(readGroup(reader.message()))
    else reader.skip(tag)
  }
  return { session, groups }
}

function readGroup(reader: ProtoReader): readonly Mutation[] {
  const mutations: Mutation[] = []
  while (reader.hasMore) {
    const tag = reader.tag()
    if (tag >>> 3 === 1) mutations.push(readMutation(reader.message()))
    else reader.skip(tag)
  }
  return mutations
}
