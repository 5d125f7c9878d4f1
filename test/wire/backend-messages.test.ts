import { PassThrough } from 'node:stream'
import fc from 'fast-check'
import { parse } from 'pg-protocol/dist/index.js'
import { test } from 'tap'
import { ByteWriter } from '../../server/base/byte-writer.ts'
import { PgError, type PgNotice } from '../../server/base/pg-error.ts'
import * as decoder from '../../server/wire/backend-decoder.ts'
import * as encoder from '../../server/wire/backend-messages.ts'
import { parseErrorResponse, parseNoticeResponse } from '../../server/wire/error-fields.ts'

function bytesOf(write: (out: ByteWriter) => void): Buffer {
  const out = new ByteWriter(16)
  write(out)
  return out.take()
}

/** What an independent decoder of PostgreSQL's protocol makes of our bytes. */
async function readByOracle(bytes: Buffer): Promise<readonly object[]> {
  const messages: object[] = []
  const stream = new PassThrough()
  const done = parse(stream, (message) => messages.push({ ...message }))
  stream.end(bytes)
  await done
  return messages
}

const FIELD = {
  name: 'größe',
  tableOid: 4_294_967_290,
  attributeNumber: 3,
  typeOid: 1043,
  typeSizeBytes: -1,
  typmod: 14,
}
const OTHER = { ...FIELD, name: '?column?', tableOid: 0, typeOid: 23, typeSizeBytes: 4, typmod: -1 }

const EVERY_FIELD = {
  detail: 'Key (id)=(1) already exists.',
  hint: 'hint',
  position: 12,
  internalPosition: 3,
  internalQuery: 'select 2',
  where: 'PL/pgSQL function f()',
  schema: 'public',
  table: 't',
  column: 'c',
  dataType: 'int4',
  constraint: 't_pkey',
}
const ERROR = new PgError(
  '23505',
  'duplicate key value violates unique constraint "t_pkey"',
  EVERY_FIELD,
)
const NOTICE: PgNotice = { severity: 'WARNING', code: '25001', message: 'careful', hint: 'a hint' }

test('an independent decoder reads what we write', async (t) => {
  const bytes = bytesOf((out) => {
    encoder.writeAuthenticationOk(out)
    encoder.writeParameterStatus(out, 'client_encoding', 'UTF8')
    encoder.writeBackendKeyData(out, 4711, Buffer.from([0, 0, 1, 2]))
    encoder.writeReadyForQuery(out, 'I')
    encoder.writeParseComplete(out)
    encoder.writeBindComplete(out)
    encoder.writeCloseComplete(out)
    encoder.writeNoData(out)
    encoder.writePortalSuspended(out)
    encoder.writeEmptyQueryResponse(out)
    encoder.writeParameterDescription(out, [23, 25])
    encoder.writeRowDescription(out, [FIELD, OTHER], [1])
    encoder.writeCommandComplete(out, 'INSERT 0 1')
    encoder.writeCopyDone(out)
    encoder.writeCopyData(out, Buffer.from('row\n'))
    encoder.writeCopyInResponse(out, 0, [0, 0])
    encoder.writeCopyOutResponse(out, 1, [1])
  })
  t.match(await readByOracle(bytes), [
    { name: 'authenticationOk' },
    { name: 'parameterStatus', parameterName: 'client_encoding', parameterValue: 'UTF8' },
    { name: 'backendKeyData', processID: 4711, secretKey: 258 },
    { name: 'readyForQuery', status: 'I' },
    { name: 'parseComplete' },
    { name: 'bindComplete' },
    { name: 'closeComplete' },
    { name: 'noData' },
    { name: 'portalSuspended' },
    { name: 'emptyQuery' },
    { name: 'parameterDescription', dataTypeIDs: [23, 25] },
    {
      name: 'rowDescription',
      fields: [
        {
          name: 'größe',
          columnID: 3,
          dataTypeID: 1043,
          dataTypeSize: -1,
          dataTypeModifier: 14,
          format: 'binary',
        },
        {
          name: '?column?',
          tableID: 0,
          dataTypeID: 23,
          dataTypeSize: 4,
          dataTypeModifier: -1,
          format: 'binary',
        },
      ],
    },
    { name: 'commandComplete', text: 'INSERT 0 1' },
    { name: 'copyDone' },
    { name: 'copyData', chunk: Buffer.from('row\n') },
    { name: 'copyInResponse', columnTypes: [0, 0], binary: false },
    { name: 'copyOutResponse', columnTypes: [1], binary: true },
  ])
})

test('rows: values, NULL, and none', async (t) => {
  const bytes = bytesOf((out) => {
    const start = encoder.beginDataRow(out, 3)
    out.int32(2)
    out.text('é')
    out.int32(-1)
    out.int32(0)
    encoder.endDataRow(out, start)
    encoder.endDataRow(out, encoder.beginDataRow(out, 0))
  })
  t.match(await readByOracle(bytes), [
    { name: 'dataRow', fields: ['é', null, ''] },
    { name: 'dataRow', fields: [] },
  ])
})

test('errors and notices: every field, severity always in both forms', async (t) => {
  const bytes = bytesOf((out) => {
    encoder.writeError(out, ERROR)
    encoder.writeNotice(out, NOTICE)
  })
  t.match(await readByOracle(bytes), [
    {
      name: 'error',
      severity: 'ERROR',
      code: '23505',
      detail: EVERY_FIELD.detail,
      hint: 'hint',
      position: '12',
      internalPosition: '3',
      internalQuery: 'select 2',
      where: EVERY_FIELD.where,
      schema: 'public',
      table: 't',
      column: 'c',
      dataType: 'int4',
      constraint: 't_pkey',
    },
    { name: 'notice', severity: 'WARNING', code: '25001', message: 'careful', hint: 'a hint' },
  ])
  t.equal(
    bytesOf((out) =>
      encoder.writeError(out, new PgError('57P01', 'bye', { severity: 'FATAL' })),
    ).toString('latin1'),
    'E\0\0\0\x1fSFATAL\0VFATAL\0C57P01\0Mbye\0\0',
  )
})

test('a zero byte in a foreign text cannot forge a field', async (t) => {
  const error = new PgError('XX000', 'bad\0C00000', { detail: 'x\0' })
  const frame = frames(bytesOf((out) => encoder.writeError(out, error)))[0]
  t.match(parseErrorResponse(frame?.body ?? Buffer.alloc(0)), {
    code: 'XX000',
    message: 'badC00000',
    fields: { detail: 'x' },
  })
})

test('NegotiateProtocolVersion', async (t) => {
  const bytes = bytesOf((out) => encoder.writeNegotiateProtocolVersion(out, 0, ['_pq_.x']))
  t.equal(bytes.toString('latin1'), 'v\0\0\0\x13\0\x03\0\0\0\0\0\x01_pq_.x\0')
})

function frames(bytes: Buffer): readonly decoder.BackendFrame[] {
  const backend = new decoder.BackendDecoder()
  backend.push(bytes)
  const pulled: decoder.BackendFrame[] = []
  for (let frame = backend.pull(); frame; frame = backend.pull()) pulled.push(frame)
  return pulled
}

function bodyOf(write: (out: ByteWriter) => void): Buffer {
  return bytesOf(write).subarray(5)
}

test('our decoder reads what we write', async (t) => {
  t.strictSame(
    decoder.parseRowDescription(
      bodyOf((out) => encoder.writeRowDescription(out, [FIELD, OTHER], [])),
    ),
    [FIELD, OTHER],
  )
  t.strictSame(
    decoder.parseParameterDescription(
      bodyOf((out) => encoder.writeParameterDescription(out, [1, 2])),
    ),
    [1, 2],
  )
  t.equal(
    decoder.parseCommandComplete(bodyOf((out) => encoder.writeCommandComplete(out, 'BEGIN'))),
    'BEGIN',
  )
  for (const status of ['I', 'T', 'E'] as const) {
    t.equal(
      decoder.parseReadyForQuery(bodyOf((out) => encoder.writeReadyForQuery(out, status))),
      status,
    )
  }
  t.throws(() => decoder.parseReadyForQuery(Buffer.from('x')), { code: '08P01' })
  t.strictSame(
    decoder.parseParameterStatus(bodyOf((out) => encoder.writeParameterStatus(out, 'a', 'b'))),
    {
      name: 'a',
      value: 'b',
    },
  )
  const secretKey = Buffer.from('key!')
  t.strictSame(
    decoder.parseBackendKeyData(bodyOf((out) => encoder.writeBackendKeyData(out, 9, secretKey))),
    {
      processId: 9,
      secretKey,
    },
  )
  t.match(decoder.parseAuthentication(bodyOf(encoder.writeAuthenticationOk)), { code: 0 })
  const error = parseErrorResponse(bodyOf((out) => encoder.writeError(out, ERROR)))
  t.strictSame(error.fields, ERROR.fields)
  t.match(error, { code: '23505', severity: 'ERROR', message: ERROR.message })
  t.strictSame(parseNoticeResponse(bodyOf((out) => encoder.writeNotice(out, NOTICE))), NOTICE)
})

test('formats: none, one for all, one each', async (t) => {
  const formats = (given: readonly (0 | 1)[]) =>
    [0, 1].map((index) => encoder.formatAt(given, index))
  t.strictSame(formats([]), [0, 0])
  t.strictSame(formats([1]), [1, 1])
  t.strictSame(formats([0, 1]), [0, 1])
})

test('a row is read back, and no count allocates more than the body has', async (t) => {
  const row = bodyOf((out) => {
    const start = encoder.beginDataRow(out, 2)
    out.int32(1)
    out.text('x')
    out.int32(-1)
    encoder.endDataRow(out, start)
  })
  t.strictSame(decoder.parseDataRow(row), [Buffer.from('x'), null])
  for (const read of [
    decoder.parseDataRow,
    decoder.parseRowDescription,
    decoder.parseParameterDescription,
  ]) {
    t.throws(() => read(Buffer.from('ffff00', 'hex')), {
      message: 'insufficient data left in message',
    })
  }
})

test('bodies cut short are 08P01', async (t) => {
  const bodies: readonly (readonly [(body: Buffer) => unknown, Buffer])[] = [
    [decoder.parseRowDescription, bodyOf((out) => encoder.writeRowDescription(out, [FIELD], []))],
    [
      decoder.parseParameterDescription,
      bodyOf((out) => encoder.writeParameterDescription(out, [1, 2])),
    ],
    [decoder.parseCommandComplete, bodyOf((out) => encoder.writeCommandComplete(out, 'BEGIN'))],
    [decoder.parseParameterStatus, bodyOf((out) => encoder.writeParameterStatus(out, 'a', 'b'))],
    [parseErrorResponse, bodyOf((out) => encoder.writeError(out, ERROR))],
    [parseNoticeResponse, bodyOf((out) => encoder.writeNotice(out, NOTICE))],
  ]
  for (const [read, body] of bodies) {
    for (let end = 0; end < body.length; end++) {
      t.throws(() => read(body.subarray(0, end)), { code: '08P01' }, `${read.name} up to ${end}`)
    }
  }
})

test('frames are whole, wherever the stream was cut', async (t) => {
  const stream = bytesOf((out) => {
    encoder.writeParseComplete(out)
    encoder.writeCommandComplete(out, 'SELECT 1')
    encoder.writeReadyForQuery(out, 'I')
  })
  for (let cut = 0; cut <= stream.length; cut++) {
    const backend = new decoder.BackendDecoder()
    const pulled: decoder.BackendFrame[] = []
    for (const chunk of [stream.subarray(0, cut), stream.subarray(cut)]) {
      backend.push(chunk)
      for (let frame = backend.pull(); frame; frame = backend.pull()) pulled.push(frame)
    }
    t.equal(pulled.map((frame) => String.fromCharCode(frame.type)).join(''), '1CZ')
    t.strictSame(Buffer.concat(pulled.map((frame) => frame.whole)), stream)
    t.strictSame(pulled[2]?.body, Buffer.from('I'))
  }
  t.throws(() => frames(Buffer.from('5a00000003', 'hex')), { message: 'invalid message length' })
  t.throws(() => frames(Buffer.from('5affffffff', 'hex')), { message: 'invalid message length' })
})

test('no body makes a reader throw anything but a PgError', async (t) => {
  const readers = [
    decoder.parseRowDescription,
    decoder.parseParameterDescription,
    decoder.parseDataRow,
    decoder.parseCommandComplete,
    decoder.parseReadyForQuery,
    decoder.parseParameterStatus,
    decoder.parseBackendKeyData,
    decoder.parseAuthentication,
    parseErrorResponse,
    parseNoticeResponse,
  ] as const
  fc.assert(
    fc.property(fc.constantFrom(...readers), fc.uint8Array({ maxLength: 50 }), (read, body) => {
      try {
        read(Buffer.from(body))
      } catch (error) {
        if (!(error instanceof PgError)) throw error
      }
    }),
    { numRuns: 3000, seed: 3 },
  )
  t.pass('held')
})
