import { readdirSync } from 'node:fs'
import t from 'tap'
import { type LogEntry, TransactionLog } from '../../server/transaction/log.ts'
import { RowsSeen } from '../../server/transaction/rows-seen.ts'

function rowsOf(...cells: readonly string[]): RowsSeen {
  const rows = new RowsSeen()
  for (const cell of cells) {
    const bytes = Buffer.from(cell)
    rows.add({
      rowCount: 1,
      columnCount: 1,
      bytes,
      starts: Uint32Array.of(0),
      ends: Uint32Array.of(bytes.length),
    })
  }
  return rows
}

function read(name: string): LogEntry {
  return {
    kind: 'statement',
    statement: { sql: name, params: [{ type: { code: 'STRING' }, value: Buffer.from(name) }] },
    isDml: false,
    isOrdered: true,
    observed: { rows: rowsOf('a', name), rowCount: undefined, failure: undefined },
  }
}

function write(name: string, rowCount: bigint): LogEntry {
  return {
    kind: 'statement',
    statement: { sql: name, params: [] },
    isDml: true,
    isOrdered: false,
    observed: { rows: undefined, rowCount, failure: undefined },
  }
}

const names = (log: TransactionLog) =>
  [...log.entries()].map((entry) => (entry.kind === 'statement' ? entry.statement.sql : entry.kind))

t.test('what was changed since a mark is taken out, with all that came after it', async (t) => {
  const log = new TransactionLog()
  log.append(write('before', 1n))
  const mark = log.mark()
  log.append(read('seen'))
  log.append(write('nothing', 0n))
  t.notOk(log.hasWritten(mark))
  log.append(write('change', 1n))
  log.append(read('after'))
  t.ok(log.hasWritten(mark))
  log.truncate(mark)
  t.strictSame(names(log), ['before', 'seen', 'nothing'])
  log.truncate(0)
  t.strictSame(names(log), [])
  t.equal(log.memoryBytes, 0)
})

t.test('past its bound the log goes on on disk, and reads the same', async (t) => {
  // Of its own: others put their logs into the machine's.
  const folder = t.testdir()
  const before = process.env['TMPDIR']
  process.env['TMPDIR'] = folder
  t.teardown(() => {
    if (before === undefined) delete process.env['TMPDIR']
    else process.env['TMPDIR'] = before
  })
  const log = new TransactionLog(300)
  const entries = [read('first'), write('second', 2n), read('third'), write('fourth', 4n)]
  for (const entry of entries) log.append(entry)
  t.ok(log.memoryBytes <= 300)
  t.strictSame(readdirSync(folder), [], 'nobody else can open the file')
  t.strictSame(names(log), ['first', 'second', 'third', 'fourth'])
  const third = [...log.entries()][2]
  t.equal(third?.kind, 'statement')
  if (third?.kind === 'statement') {
    t.equal(third.observed.rows?.digest(true), rowsOf('a', 'third').digest(true))
    t.strictSame(third.statement, read('third').kind === 'statement' && third.statement)
    t.ok(Buffer.isBuffer(third.statement.params[0]?.value))
  }
  log.truncate(2)
  t.strictSame(names(log), ['first', 'second', 'third'])
  log.close()
})
