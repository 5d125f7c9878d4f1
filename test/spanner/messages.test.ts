import t from 'tap'
import { MalformedMessage, ProtoReader } from '../../server/base/protobuf-reader.ts'
import { ProtoWriter } from '../../server/base/protobuf-writer.ts'
import {
  decodeListDatabases,
  decodeOperation,
  encodeCreateDatabase,
  encodeCreateInstance,
  encodeListDatabases,
  encodeName,
  encodeUpdateDatabaseDdl,
} from '../../server/spanner/admin-messages.ts'
import {
  encodeBeginTransaction,
  encodeCommit,
  encodeExecuteBatchDml,
  encodeExecuteSql,
  encodeRollback,
} from '../../server/spanner/requests.ts'
import { decodeBatchDml, decodeCommit, readTransaction } from '../../server/spanner/responses.ts'
import {
  decodeSession,
  decodeSessions,
  encodeBatchCreateSessions,
  encodeCreateSession,
  encodeDeleteSession,
} from '../../server/spanner/session-messages.ts'
import {
  partitionedDmlOptions,
  readOnlyOptions,
  readWriteOptions,
  STRONG_READ,
} from '../../server/spanner/transaction-options.ts'
import { textParam } from '../helpers/rows.ts'
import { decodeRequest, encodeReply } from '../helpers/spanner-protos.ts'

const SPANNER = 'google.spanner.v1.Spanner'
const DATABASES = 'google.spanner.admin.database.v1.DatabaseAdmin'
const INSTANCES = 'google.spanner.admin.instance.v1.InstanceAdmin'

t.test('ExecuteSqlRequest is what Google’s protos read', async (test) => {
  const bytes = encodeExecuteSql({
    session: 's',
    selector: { kind: 'begin', options: readWriteOptions({ isolation: 'repeatable-read' }) },
    statement: {
      sql: 'SELECT $1, $2',
      params: [
        textParam('INT64', '5'),
        {
          type: { code: 'ARRAY', element: { code: 'NUMERIC', annotation: 'PG_NUMERIC' } },
          value: Buffer.from([0x32, 0x00]),
        },
      ],
    },
    resumeToken: Buffer.from('token'),
    seqno: 300,
    isLast: true,
    transactionTag: 'tag',
    requestOptions: { priority: 'low', requestTag: 'statement' },
    isPlanOnly: true,
  })
  test.same(decodeRequest(`${SPANNER}/ExecuteStreamingSql`, bytes), {
    session: 's',
    transaction: {
      selector: 'begin',
      begin: {
        mode: 'readWrite',
        readWrite: { readLockMode: 1 },
        isolationLevel: 2,
      },
    },
    sql: 'SELECT $1, $2',
    params: {
      fields: {
        p1: { kind: 'stringValue', stringValue: '5' },
        p2: { kind: 'listValue', listValue: {} },
      },
    },
    paramTypes: {
      p1: { code: 2 },
      p2: { code: 8, arrayElementType: { code: 10, typeAnnotation: 2 } },
    },
    resumeToken: Buffer.from('token'),
    queryMode: 1,
    seqno: '300',
    requestOptions: { priority: 1, requestTag: 'statement', transactionTag: 'tag' },
    lastStatement: true,
  })
})

t.test('the other selectors, and nothing that was not asked for', async (test) => {
  const statement = { sql: 'x', params: [] }
  const selectorOf = (bytes: Buffer): unknown =>
    decodeRequest(`${SPANNER}/ExecuteSql`, bytes)['transaction']
  test.same(
    decodeRequest(
      `${SPANNER}/ExecuteSql`,
      encodeExecuteSql({
        session: 's',
        selector: { kind: 'single-use', options: STRONG_READ },
        statement,
      }),
    ),
    {
      session: 's',
      sql: 'x',
      transaction: {
        selector: 'singleUse',
        singleUse: {
          mode: 'readOnly',
          readOnly: { timestampBound: 'strong', strong: true, returnReadTimestamp: true },
        },
      },
    },
  )
  const id = Buffer.from('id')
  test.same(
    selectorOf(encodeExecuteSql({ session: 's', selector: { kind: 'id', id }, statement })),
    { selector: 'id', id },
  )
  const begin = encodeExecuteSql({
    session: 's',
    selector: { kind: 'begin', options: readWriteOptions({ isolation: 'serializable' }) },
    statement,
  })
  test.same(selectorOf(begin), {
    selector: 'begin',
    begin: { mode: 'readWrite', readWrite: {} },
  })
})

t.test('the options of transactions', async (test) => {
  const read = (options: Buffer): unknown =>
    decodeRequest(`${SPANNER}/BeginTransaction`, encodeBeginTransaction('s', options))['options']
  const readOnly = (bound: object): unknown => ({
    mode: 'readOnly',
    readOnly: { ...bound, returnReadTimestamp: true },
  })
  test.same(read(readOnlyOptions(undefined)), readOnly({ timestampBound: 'strong', strong: true }))
  test.same(
    read(readOnlyOptions({ kind: 'exact-staleness', nanoseconds: 15_000_000_001n })),
    readOnly({ timestampBound: 'exactStaleness', exactStaleness: { seconds: '15', nanos: 1 } }),
  )
  test.same(
    read(readOnlyOptions({ kind: 'max-staleness', nanoseconds: 500n })),
    readOnly({ timestampBound: 'maxStaleness', maxStaleness: { nanos: 500 } }),
  )
  test.same(
    read(readOnlyOptions({ kind: 'read-timestamp', timestamp: '2023-11-14T23:13:20.12+01:00' })),
    readOnly({
      timestampBound: 'readTimestamp',
      readTimestamp: { seconds: '1700000000', nanos: 120_000_000 },
    }),
  )
  test.same(
    read(
      readOnlyOptions({ kind: 'min-read-timestamp', timestamp: '2023-11-14t22:13:20.000000001z' }),
    ),
    readOnly({
      timestampBound: 'minReadTimestamp',
      minReadTimestamp: { seconds: '1700000000', nanos: 1 },
    }),
  )
  for (const timestamp of ['', '2023-11-14', '1969-12-31T23:59:59Z', '2023-13-01T00:00:00Z'])
    test.throws(() => readOnlyOptions({ kind: 'read-timestamp', timestamp }), RangeError)
  const previous = Buffer.from('before')
  test.same(read(readWriteOptions({ isolation: 'repeatable-read' }, previous)), {
    mode: 'readWrite',
    readWrite: { readLockMode: 1, multiplexedSessionPreviousTransactionId: previous },
    isolationLevel: 2,
  })
  test.same(read(readWriteOptions({ isolation: 'serializable', excludeFromChangeStreams: true })), {
    mode: 'readWrite',
    readWrite: {},
    excludeTxnFromChangeStreams: true,
  })
  test.same(read(partitionedDmlOptions(true)), {
    mode: 'partitionedDml',
    partitionedDml: {},
    excludeTxnFromChangeStreams: true,
  })
})

t.test('the other requests of google.spanner.v1', async (test) => {
  const id = Buffer.from([0, 255, 7])
  test.same(
    decodeRequest(
      `${SPANNER}/ExecuteBatchDml`,
      encodeExecuteBatchDml({
        session: 's',
        selector: { kind: 'id', id },
        statements: [
          { sql: 'a', params: [textParam('STRING', null)] },
          { sql: 'b', params: [] },
        ],
        seqno: 3,
        isLast: true,
        transactionTag: 'tag',
      }),
    ),
    {
      session: 's',
      transaction: { selector: 'id', id },
      statements: [
        {
          sql: 'a',
          params: { fields: { p1: { kind: 'nullValue', nullValue: 0 } } },
          paramTypes: { p1: { code: 6 } },
        },
        { sql: 'b' },
      ],
      seqno: '3',
      requestOptions: { transactionTag: 'tag' },
      lastStatements: true,
    },
  )
  test.same(
    decodeRequest(
      `${SPANNER}/Commit`,
      encodeCommit({
        session: 's',
        transactionId: id,
        transactionTag: 'tag',
        requestOptions: { priority: 'high' },
        maxCommitDelayMs: 100,
        returnCommitStats: true,
        precommitToken: new ProtoWriter().bytes(1, id).uint(2, 4).take(),
      }),
    ),
    {
      session: 's',
      transaction: 'transactionId',
      transactionId: id,
      returnCommitStats: true,
      maxCommitDelay: { nanos: 100_000_000 },
      requestOptions: { priority: 3, transactionTag: 'tag' },
      precommitToken: { precommitToken: id, seqNum: 4 },
    },
  )
  test.same(decodeRequest(`${SPANNER}/Rollback`, encodeRollback('s', id)), {
    session: 's',
    transactionId: id,
  })
  test.same(
    decodeRequest(`${SPANNER}/BeginTransaction`, encodeBeginTransaction('s', STRONG_READ)),
    {
      session: 's',
      options: {
        mode: 'readOnly',
        readOnly: { timestampBound: 'strong', strong: true, returnReadTimestamp: true },
      },
    },
  )
  test.same(
    decodeRequest(`${SPANNER}/BatchCreateSessions`, encodeBatchCreateSessions('d', 25, 'role')),
    { database: 'd', sessionTemplate: { creatorRole: 'role' }, sessionCount: 25 },
  )
  test.same(decodeRequest(`${SPANNER}/CreateSession`, encodeCreateSession('d', 'role')), {
    database: 'd',
    session: { creatorRole: 'role', multiplexed: true },
  })
  test.same(decodeRequest(`${SPANNER}/DeleteSession`, encodeDeleteSession('s')), { name: 's' })
})

t.test('the requests of the admin services', async (test) => {
  test.same(decodeRequest(`${DATABASES}/ListDatabases`, encodeListDatabases('p', 'next')), {
    parent: 'p',
    pageSize: 1000,
    pageToken: 'next',
  })
  test.same(
    decodeRequest(`${DATABASES}/CreateDatabase`, encodeCreateDatabase('p', 'CREATE DATABASE "d"')),
    { parent: 'p', createStatement: 'CREATE DATABASE "d"', databaseDialect: 2 },
  )
  test.same(
    decodeRequest(`${DATABASES}/UpdateDatabaseDdl`, encodeUpdateDatabaseDdl('d', ['a', 'b'], 'op')),
    { database: 'd', statements: ['a', 'b'], operationId: 'op' },
  )
  for (const method of ['DropDatabase', 'GetDatabaseDdl']) {
    test.same(decodeRequest(`${DATABASES}/${method}`, encodeName('d')), { database: 'd' })
  }
  test.same(decodeRequest(`${INSTANCES}/GetInstance`, encodeName('i')), { name: 'i' })
  test.same(decodeRequest(`${INSTANCES}/CreateInstance`, encodeCreateInstance('p', 'i', 'c')), {
    parent: 'projects/p',
    instanceId: 'i',
    instance: {
      name: 'projects/p/instances/i',
      config: 'projects/p/instanceConfigs/c',
      displayName: 'i',
      nodeCount: 1,
    },
  })
  test.same(decodeRequest('google.longrunning.Operations/GetOperation', encodeName('o')), {
    name: 'o',
  })
})

t.test('replies that Google’s protos wrote', async (test) => {
  const batch = encodeReply(`${SPANNER}/ExecuteBatchDml`, {
    resultSets: [
      {
        metadata: { transaction: { id: Buffer.from('tx'), precommitToken: { seqNum: 1 } } },
        stats: { rowCountExact: '3' },
      },
      { stats: { rowCountExact: '9007199254740993' } },
    ],
    status: { code: 6, message: 'exists' },
    precommitToken: { seqNum: 2 },
  })
  test.same(decodeBatchDml(batch), {
    rowCounts: [3n, 9007199254740993n],
    transaction: {
      id: Buffer.from('tx'),
      readTimestamp: undefined,
      precommitToken: Buffer.from([0x10, 1]),
    },
    status: { code: 6, message: 'exists', retryDelayMs: undefined, resourceType: undefined },
    precommitToken: Buffer.from([0x10, 2]),
  })
  const commit = encodeReply(`${SPANNER}/Commit`, {
    commitTimestamp: { seconds: '1700000000', nanos: 120_005_000 },
    commitStats: { mutationCount: '7' },
    precommitToken: { seqNum: 1 },
  })
  test.same(decodeCommit(commit), {
    commitTimestamp: '2023-11-14T22:13:20.120005Z',
    mutationCount: 7n,
    precommitToken: Buffer.from([0x10, 1]),
  })
  const begun = encodeReply(`${SPANNER}/BeginTransaction`, {
    id: Buffer.from('tx'),
    readTimestamp: { seconds: '1700000000', nanos: 1 },
    precommitToken: { seqNum: 2 },
  })
  test.same(readTransaction(new ProtoReader(begun)), {
    id: Buffer.from('tx'),
    readTimestamp: '2023-11-14T22:13:20.000000001Z',
    precommitToken: Buffer.from([0x10, 2]),
  })
  const sessions = encodeReply(`${SPANNER}/BatchCreateSessions`, {
    session: [{ name: 'a', createTime: { seconds: '1' } }, { name: 'b' }],
  })
  test.same(decodeSessions(sessions), ['a', 'b'])
  const session = encodeReply(`${SPANNER}/CreateSession`, { name: 'm', multiplexed: true })
  test.equal(decodeSession(session), 'm')
  const page = encodeReply(`${DATABASES}/ListDatabases`, {
    databases: [
      { name: 'x/a', databaseDialect: 2 },
      { name: 'x/google', databaseDialect: 1 },
      { name: 'x/unsaid' },
    ],
    nextPageToken: 'more',
  })
  test.same(decodeListDatabases(page), { names: ['x/a', 'x/unsaid'], nextPageToken: 'more' })
})

t.test('an operation says how many statements are in force', async (test) => {
  const timestamp = new ProtoWriter().uint(1, 5).take()
  const metadata = new ProtoWriter()
    .string(1, 'd')
    .string(2, 'a')
    .message(3, timestamp)
    .message(3, timestamp)
    .take()
  const reply = encodeReply('google.longrunning.Operations/GetOperation', {
    name: 'op',
    metadata: {
      type_url: 'type.googleapis.com/google.spanner.admin.database.v1.UpdateDatabaseDdlMetadata',
      value: metadata,
    },
    done: true,
    error: { code: 9, message: 'no' },
  })
  test.same(decodeOperation(reply), {
    name: 'op',
    isDone: true,
    error: { code: 9, message: 'no', retryDelayMs: undefined, resourceType: undefined },
    appliedStatements: 2,
  })
})

t.test(
  'a message cut off anywhere is malformed or shorter, never read past its end',
  async (test) => {
    const whole = encodeReply(`${SPANNER}/Commit`, {
      commitTimestamp: { seconds: '1700000000', nanos: 5 },
      precommitToken: { precommitToken: Buffer.from('abc'), seqNum: 1 },
    })
    for (let length = 0; length < whole.length; length++) {
      // The bytes after the cut are there, in the same memory.
      const cut = whole.subarray(0, length)
      try {
        const { precommitToken } = decodeCommit(cut)
        test.ok(precommitToken === undefined, `cut after ${length}`)
      } catch (error) {
        test.ok(error instanceof MalformedMessage, `cut after ${length}`)
      }
    }
    test.throws(() => new ProtoReader(Buffer.alloc(11, 0xff)).uint(), MalformedMessage)
    test.throws(() => new ProtoReader(Buffer.from([0x0f])).skip(0x0f), MalformedMessage)
  },
)

t.test('integers at the borders of their encodings', async (test) => {
  for (const value of [0, 127, 128, 16_383, 16_384, 2 ** 31, 2 ** 32, Number.MAX_SAFE_INTEGER]) {
    test.equal(new ProtoReader(new ProtoWriter(1).varint(value).take()).uint(), value)
  }
  const minusOne = Buffer.from([255, 255, 255, 255, 255, 255, 255, 255, 255, 1])
  test.equal(new ProtoReader(minusOne).int64(), -1n)
})
