import fc from 'fast-check'
import { test } from 'tap'
import { ByteWriter } from '../../server/base/byte-writer.ts'
import { PgError } from '../../server/base/pg-error.ts'
import { writeCopyData, writeCopyDone } from '../../server/wire/backend-messages.ts'
import { FrontendDecoder } from '../../server/wire/frontend-decoder.ts'
import * as encoder from '../../server/wire/frontend-encoder.ts'
import type { FrontendMessage, StartupPacket } from '../../server/wire/frontend-message.ts'

function bytesOf(write: (out: ByteWriter) => void): Buffer {
  const out = new ByteWriter(16)
  write(out)
  return out.take()
}

function raw(letter: string, body: string | Buffer, length?: number): Buffer {
  const head = Buffer.alloc(5)
  head.write(letter, 'latin1')
  const bytes = typeof body === 'string' ? Buffer.from(body, 'latin1') : body
  head.writeInt32BE(length ?? bytes.length + 4, 1)
  return Buffer.concat([head, bytes])
}

function pullOnly(bytes: Buffer) {
  const decoder = new FrontendDecoder()
  decoder.push(bytes)
  return decoder.pullMessage()
}

const BIND = {
  portal: 'p',
  statement: 's',
  paramFormats: [0, 1] as const,
  params: [Buffer.from('text'), null],
  resultFormats: [1] as const,
}

/** Every message, as our own encoder writes it and as it must be read. */
const MESSAGES: readonly (readonly [Buffer, FrontendMessage])[] = [
  [
    bytesOf((out) => encoder.writeQuery(out, 'select 1 -- é€😀')),
    { kind: 'Query', text: 'select 1 -- é€😀' },
  ],
  [
    bytesOf((out) =>
      encoder.writeParse(out, 's1', { text: 'select $1', paramTypes: [23, 0, 4_294_967_295] }),
    ),
    { kind: 'Parse', statement: 's1', text: 'select $1', paramTypes: [23, 0, 4_294_967_295] },
  ],
  [bytesOf((out) => encoder.writeBind(out, BIND)), { kind: 'Bind', ...BIND }],
  [
    bytesOf((out) => encoder.writeDescribe(out, 'statement', 'x')),
    { kind: 'Describe', target: 'statement', name: 'x' },
  ],
  [
    bytesOf((out) => encoder.writeDescribe(out, 'portal', '')),
    { kind: 'Describe', target: 'portal', name: '' },
  ],
  [
    bytesOf((out) => encoder.writeExecute(out, 'p', 50)),
    { kind: 'Execute', portal: 'p', maxRows: 50 },
  ],
  [
    bytesOf((out) => encoder.writeExecute(out, '', -1)),
    { kind: 'Execute', portal: '', maxRows: 0 },
  ],
  [
    bytesOf((out) => encoder.writeClose(out, 'portal', 'p')),
    { kind: 'Close', target: 'portal', name: 'p' },
  ],
  [
    bytesOf((out) => encoder.writeClose(out, 'statement', 's')),
    { kind: 'Close', target: 'statement', name: 's' },
  ],
  [bytesOf(encoder.writeFlush), { kind: 'Flush' }],
  [bytesOf(encoder.writeSync), { kind: 'Sync' }],
  [
    bytesOf((out) => writeCopyData(out, Buffer.from('1\t2\n'))),
    { kind: 'CopyData', data: Buffer.from('1\t2\n') },
  ],
  [bytesOf(writeCopyDone), { kind: 'CopyDone' }],
  [bytesOf((out) => encoder.writeCopyFail(out, 'why')), { kind: 'CopyFail', reason: 'why' }],
  [raw('F', 'anything'), { kind: 'FunctionCall' }],
  [bytesOf(encoder.writeTerminate), { kind: 'Terminate' }],
]

test('every message is read as it was written', async (t) => {
  for (const [bytes, message] of MESSAGES) t.strictSame(pullOnly(bytes), message, message.kind)
})

test('a stream cut at any byte gives the same messages', async (t) => {
  const stream = Buffer.concat(MESSAGES.map(([bytes]) => bytes))
  const expected = MESSAGES.map(([, message]) => message)
  for (let cut = 0; cut <= stream.length; cut++) {
    const decoder = new FrontendDecoder()
    const got: unknown[] = []
    for (const chunk of [stream.subarray(0, cut), stream.subarray(cut)]) {
      decoder.push(chunk)
      for (let m = decoder.pullMessage(); m; m = decoder.pullMessage()) got.push(m)
    }
    t.strictSame(got, expected, `cut at ${cut}`)
    t.equal(decoder.bufferedBytes, 0)
  }
})

test('a message that is not whole is waited for, whichever byte it ends at', async (t) => {
  for (const [bytes, message] of MESSAGES) {
    for (let end = 0; end < bytes.length; end++) {
      t.equal(pullOnly(bytes.subarray(0, end)), undefined, `${message.kind} up to ${end}`)
    }
  }
})

test('a body that is shorter than it says is 08P01', async (t) => {
  for (const [bytes, message] of MESSAGES) {
    if (message.kind === 'FunctionCall' || message.kind === 'CopyData') continue
    for (let end = 5; end < bytes.length; end++) {
      const letter = bytes.toString('latin1', 0, 1)
      t.throws(
        () => pullOnly(raw(letter, bytes.subarray(5, end))),
        { code: '08P01', severity: 'FATAL' },
        `${message.kind} up to ${end}`,
      )
    }
  }
})

test('what PostgreSQL refuses, it refuses in these words', async (t) => {
  const fatal = (message: string) => ({ code: '08P01', severity: 'FATAL', message })
  t.throws(() => pullOnly(raw('x', '')), fatal('invalid frontend message type 120'))
  t.throws(() => pullOnly(Buffer.from('x')), fatal('invalid frontend message type 120'))
  t.throws(() => pullOnly(raw('p', 'secret\0')), fatal('invalid frontend message type 112'))
  t.throws(() => pullOnly(raw('Q', '', 3)), fatal('invalid message length'))
  t.throws(() => pullOnly(raw('Q', '', -1)), fatal('invalid message length'))
  t.throws(() => pullOnly(raw('S', '', 10_001)), fatal('invalid message length'))
  t.throws(() => pullOnly(raw('Q', '', 64 * 1024 * 1024 + 1)), fatal('invalid message length'))
  t.throws(() => pullOnly(raw('Q', 'select 1\0rest\0')), fatal('invalid message format'))
  t.throws(() => pullOnly(raw('S', 'x')), fatal('invalid message format'))
  t.throws(() => pullOnly(raw('Q', 'select 1')), fatal('invalid string in message'))
  t.throws(
    () => pullOnly(raw('P', 's\0q\0\xff\xff')),
    fatal('insufficient data left in message'),
    'more parameter types than bytes',
  )
})

test('limits hold to the byte', async (t) => {
  const small = raw('E', Buffer.from(`${'p'.repeat(9_991)}\0\0\0\0\0`))
  t.equal(small.length, 10_001)
  t.match(pullOnly(small), { kind: 'Execute', portal: /^p{9991}$/ })
  const limited = new FrontendDecoder({ largeMessageLimitBytes: 13 })
  limited.push(raw('Q', 'select 1\0'))
  t.strictSame(limited.pullMessage(), { kind: 'Query', text: 'select 1' })
  limited.push(raw('Q', 'select 10\0'))
  t.throws(() => limited.pullMessage(), { message: 'invalid message length' })
})

test('an ERROR of PostgreSQL comes as a message, and the stream goes on', async (t) => {
  const decoder = new FrontendDecoder()
  const subtypeX = Buffer.from('Xname\0')
  const cases: readonly (readonly [Buffer, string, string, string])[] = [
    [
      raw('Q', 'select \xff\0'),
      'Query',
      '22021',
      'invalid byte sequence for encoding "UTF8": 0xff',
    ],
    [
      raw('P', 's\xc3\x28\0q\0\0\0'),
      'Parse',
      '22021',
      'invalid byte sequence for encoding "UTF8": 0xc3 0x28',
    ],
    [raw('D', subtypeX), 'Describe', '08P01', 'invalid DESCRIBE message subtype 88'],
    [raw('C', subtypeX), 'Close', '08P01', 'invalid CLOSE message subtype 88'],
    [raw('B', '\0\0\0\x01\0\x07'), 'Bind', '22023', 'unsupported format code: 7'],
    [
      raw('B', '\0\0\0\x02\0\0\0\0\0\x01\xff\xff\xff\xff\0\0'),
      'Bind',
      '08P01',
      'bind message has 2 parameter formats but 1 parameters',
    ],
  ]
  for (const [bytes, of, code, message] of cases) {
    decoder.push(bytes)
    t.match(decoder.pullMessage(), {
      kind: 'Unreadable',
      of,
      error: { code, message, severity: 'ERROR' },
    })
  }
  decoder.push(bytesOf(encoder.writeSync))
  t.strictSame(decoder.pullMessage(), { kind: 'Sync' })
})

test('a password is waited for and nothing else is held meanwhile', async (t) => {
  const decoder = new FrontendDecoder()
  const bytes = bytesOf((out) => encoder.writePassword(out, Buffer.from('secret\0')))
  decoder.push(bytes.subarray(0, 6))
  t.equal(decoder.pullPassword(), undefined)
  decoder.push(bytes.subarray(6))
  t.strictSame(decoder.pullPassword(), Buffer.from('secret\0'))
  decoder.push(raw('p', '', 65_536))
  t.throws(() => decoder.pullPassword(), { message: 'invalid message length' })
  const other = new FrontendDecoder()
  other.push(Buffer.from('Q'))
  t.throws(() => other.pullPassword(), {
    code: '08P01',
    severity: 'FATAL',
    message: 'expected password response, got message type 81',
  })
})

function pullStartup(bytes: Buffer): StartupPacket | undefined {
  const decoder = new FrontendDecoder()
  decoder.push(bytes)
  return decoder.pullStartupPacket()
}

const PARAMETERS = new Map([
  ['user', 'anna'],
  ['database', 'shop'],
  ['options', ''],
])
const STARTUP = bytesOf((out) => encoder.writeStartup(out, PARAMETERS))

test('packets of the startup phase are read as they were written', async (t) => {
  t.strictSame(pullStartup(STARTUP), {
    kind: 'StartupMessage',
    majorVersion: 3,
    minorVersion: 0,
    parameters: PARAMETERS,
  })
  t.match(pullStartup(bytesOf((out) => encoder.writeStartup(out, PARAMETERS, 2))), {
    minorVersion: 2,
  })
  t.strictSame(pullStartup(bytesOf(encoder.writeSslRequest)), { kind: 'SSLRequest' })
  t.strictSame(pullStartup(bytesOf(encoder.writeGssEncRequest)), { kind: 'GSSENCRequest' })
  const secretKey = Buffer.from('abcd')
  t.strictSame(pullStartup(bytesOf((out) => encoder.writeCancelRequest(out, 7, secretKey))), {
    kind: 'CancelRequest',
    processId: 7,
    secretKey,
  })
  for (let end = 0; end < STARTUP.length; end++)
    t.equal(pullStartup(STARTUP.subarray(0, end)), undefined)
})

test('garbage at startup is closed without an answer', async (t) => {
  for (const garbage of [
    'GET / HTTP/1.1\r\n\r\n',
    '\x16\x03\x01\x02\x00',
    '\0\0\0\x07',
    '\xff\xff\xff\xff',
  ]) {
    t.throws(() => pullStartup(Buffer.from(garbage, 'latin1')), { name: 'UnansweredError' })
  }
  const tooLong = Buffer.alloc(8)
  tooLong.writeInt32BE(10_005)
  t.throws(() => pullStartup(tooLong), { message: 'invalid length of startup packet' })
  tooLong.writeInt32BE(10_004)
  t.equal(pullStartup(tooLong), undefined)
  t.throws(
    () => pullStartup(bytesOf((out) => encoder.writeCancelRequest(out, 7, Buffer.from('abc')))),
    { name: 'UnansweredError' },
  )
})

function startup(code: number, rest: string): Buffer {
  const packet = Buffer.alloc(8)
  packet.writeInt32BE(8 + rest.length)
  packet.writeInt32BE(code, 4)
  return Buffer.concat([packet, Buffer.from(rest, 'latin1')])
}

test('wrong startup packets are refused in PostgreSQL words', async (t) => {
  for (const rest of [
    '',
    'user',
    'user\0',
    'user\0anna\0',
    'user\0anna\0\0\0',
    'user\0anna\0\0x',
  ]) {
    t.throws(
      () => pullStartup(startup(196_608, rest)),
      {
        code: '08P01',
        severity: 'FATAL',
        message: 'invalid startup packet layout: expected terminator as last byte',
      },
      JSON.stringify(rest),
    )
  }
  t.throws(() => pullStartup(startup(2 << 16, '\0')), {
    code: '0A000',
    message: 'unsupported frontend protocol 2.0: server supports 3.0 to 3.2',
  })
  t.throws(() => pullStartup(startup((1234 << 16) | 5679, 'more')), {
    message: 'unsupported frontend protocol 1234.5679: server supports 3.0 to 3.2',
  })
})

test('no bytes make the decoder throw anything but a PgError', async (t) => {
  const frame = fc
    .tuple(fc.constantFrom(...'QPBDECHSXFdcfpx'), fc.uint8Array({ maxLength: 40 }))
    .map(([letter, body]) => raw(letter, Buffer.from(body)))
  const mutated = fc
    .tuple(fc.constantFrom(...MESSAGES), fc.nat(), fc.integer({ min: 0, max: 255 }))
    .map(([[bytes], at, value]) => {
      const copy = Buffer.from(bytes)
      copy[at % copy.length] = value
      return copy
    })
  const noise = fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes))
  const pulls = ['pullMessage', 'pullStartupPacket', 'pullPassword'] as const
  fc.assert(
    fc.property(
      fc.constantFrom(...pulls),
      fc.array(fc.oneof(frame, mutated, noise), { maxLength: 6 }),
      (pull, chunks) => {
        const decoder = new FrontendDecoder()
        try {
          for (const chunk of chunks) {
            decoder.push(chunk)
            while (decoder[pull]() !== undefined);
          }
        } catch (error) {
          if (!(error instanceof PgError) || error.severity !== 'FATAL') throw error
        }
      },
    ),
    { numRuns: 3000, seed: 7 },
  )
  t.pass('held')
})
