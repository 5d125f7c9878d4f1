import tap from 'tap'
import { isConcurrently, withoutConcurrently } from '../../server/sql/concurrently.ts'
import { cursorCommand } from '../../server/sql/cursor-commands.ts'
import { createDatabaseCommand, dropDatabaseCommand } from '../../server/sql/database-commands.ts'
import { loadParser } from '../../server/sql/postgres-parser.ts'
import {
  deallocateCommand,
  executeCommand,
  prepareCommand,
} from '../../server/sql/prepared-commands.ts'
import {
  discardCommand,
  explainCommand,
  listenCommand,
  lockCommand,
  showCommand,
} from '../../server/sql/session-commands.ts'
import { setCommand } from '../../server/sql/set-command.ts'
import { type ParsedStatement, parseStatements } from '../../server/sql/statement.ts'
import { transactionCommand } from '../../server/sql/transaction-command.ts'

await loadParser()

function one(text: string): ParsedStatement {
  const [statement] = parseStatements(text)
  if (statement === undefined) throw new Error(`no statement in ${text}`)
  return statement
}

tap.test('transaction commands', async (t) => {
  const says = (text: string) => {
    const command = transactionCommand(one(text).node)
    return [command?.kind, command?.options, command?.chain, command?.savepointName]
  }
  t.same(says('begin'), ['begin', {}, false, undefined])
  t.same(says('start transaction isolation level repeatable read, read only, deferrable'), [
    'start',
    { isolation: 'repeatable read', readOnly: true, deferrable: true },
    false,
    undefined,
  ])
  t.same(says('begin read only read write not deferrable'), [
    'begin',
    { readOnly: false, deferrable: false },
    false,
    undefined,
  ])
  t.same(says('end and chain'), ['commit', {}, true, undefined])
  t.same(says('abort'), ['rollback', {}, false, undefined])
  t.same(says('savepoint "A b"'), ['savepoint', {}, false, 'A b'])
  t.same(says('release savepoint Ab'), ['release', {}, false, 'ab'])
  t.same(says('rollback work to savepoint x'), ['rollback-to', {}, false, 'x'])
  t.equal(transactionCommand(one("prepare transaction 'g'").node)?.globalId, 'g')
  t.equal(transactionCommand(one('select 1').node), undefined)
})

tap.test('settings', async (t) => {
  const cases: readonly (readonly [string, unknown])[] = [
    ['set a.B = 1', { kind: 'set', name: 'a.b', value: '1', values: ['1'] }],
    ["set local x to 'it''s'", { kind: 'set-local', name: 'x', value: "it's", values: ["it's"] }],
    ['set x to -1.50', { kind: 'set', name: 'x', value: '-1.50', values: ['-1.50'] }],
    ['set x to on', { kind: 'set', name: 'x', value: 'on', values: ['on'] }],
    [
      'set DateStyle to ISO, DMY',
      { kind: 'set', name: 'datestyle', value: 'iso, dmy', values: ['iso', 'dmy'] },
    ],
    [
      `set search_path to a, "B c", 'select', ''`,
      {
        kind: 'set',
        name: 'search_path',
        value: 'a, "B c", "select", ""',
        values: ['a', 'B c', 'select', ''],
      },
    ],
    ["set schema 'X'", { kind: 'set', name: 'search_path', value: '"X"', values: ['X'] }],
    ["set names 'utf8'", { kind: 'set', name: 'client_encoding', value: 'utf8', values: ['utf8'] }],
    ['set names', { kind: 'set-default', name: 'client_encoding' }],
    ['set x to default', { kind: 'set-default', name: 'x' }],
    ['set local x to default', { kind: 'set-local-default', name: 'x' }],
    ['set x from current', { kind: 'set-current', name: 'x', isLocal: false }],
    ['set role "R"', { kind: 'set', name: 'role', value: 'R', values: ['R'] }],
    ['set role none', { kind: 'set', name: 'role', value: 'none', values: ['none'] }],
    [
      'set local session authorization u',
      { kind: 'set-local', name: 'session_authorization', value: 'u', values: ['u'] },
    ],
    ['set session authorization default', { kind: 'set-default', name: 'session_authorization' }],
    ['reset session authorization', { kind: 'reset', name: 'session_authorization' }],
    [
      'set xml option content',
      { kind: 'set', name: 'xmloption', value: 'CONTENT', values: ['CONTENT'] },
    ],
    ['set time zone local', { kind: 'set-default', name: 'timezone' }],
    [
      "set time zone 'Europe/Berlin'",
      { kind: 'set', name: 'timezone', value: 'Europe/Berlin', values: ['Europe/Berlin'] },
    ],
    ['set time zone -7.5', { kind: 'set', name: 'timezone', value: '-7.5', values: ['-7.5'] }],
    ['reset time zone', { kind: 'reset', name: 'timezone' }],
    ['reset X', { kind: 'reset', name: 'x' }],
    ['reset all', { kind: 'reset-all' }],
    ['set transaction read only', { kind: 'set-transaction', modes: { readOnly: true } }],
    ["set transaction snapshot 's'", { kind: 'set-transaction-snapshot', snapshot: 's' }],
    [
      'set session characteristics as transaction isolation level serializable',
      { kind: 'set-session-characteristics', modes: { isolation: 'serializable' } },
    ],
  ]
  for (const [text, expected] of cases) t.same(setCommand(one(text).node), expected, text)
  t.equal(setCommand(one('show all').node), undefined)
})

tap.test('SET TIME ZONE INTERVAL keeps what its fields keep', async (t) => {
  const value = (text: string) => {
    const command = setCommand(one(text).node)
    return command?.kind === 'set' ? command.value : command
  }
  t.equal(value("set time zone interval '+00:00' hour to minute"), "INTERVAL '+00:00'")
  t.equal(value("set time zone interval '-08:30:15' hour to minute"), "INTERVAL '-08:30'")
  t.equal(value("set time zone interval '3' hour"), "INTERVAL '3:00'")
  t.equal(value("set time zone interval '3 hours'"), "INTERVAL '3 hours'")
})

tap.test('prepared statements', async (t) => {
  const prepare = (text: string) => {
    const command = prepareCommand(text, one(text).node)
    return [command?.name, command?.argumentTypes, command?.text, command?.textOffset]
  }
  t.same(prepare('prepare é (int, numeric(10, 2), text[]) as  select $1 as x'), [
    'é',
    ['int', 'numeric(10, 2)', 'text[]'],
    'select $1 as x',
    44,
  ])
  t.same(prepare('prepare "as" as insert into t values (1)'), [
    'as',
    [],
    'insert into t values (1)',
    16,
  ])
  const execute = (text: string) => executeCommand(text, one(text).node)
  t.same(execute("execute a ( 1 , f(2, 'é🙂,'), array[1, 2])"), {
    name: 'a',
    args: [
      { text: '1', offset: 12 },
      { text: "f(2, 'é🙂,')", offset: 16 },
      { text: 'array[1, 2]', offset: 29 },
    ],
  })
  t.same(execute('execute b'), { name: 'b', args: [] })
  t.same(deallocateCommand(one('deallocate prepare "X"').node), { name: 'X' })
  t.same(deallocateCommand(one('deallocate all').node), { name: undefined })
  t.equal(prepareCommand('select 1', one('select 1').node), undefined)
})

tap.test('cursors', async (t) => {
  const says = (text: string) => {
    const command = cursorCommand(text, one(text).node)
    if (command?.kind !== 'declare') return command
    const { query: _query, ...rest } = command
    return rest
  }
  t.same(says('declare "for" binary no scroll cursor with hold for select 1 for update'), {
    kind: 'declare',
    name: 'for',
    binary: true,
    scroll: false,
    hold: true,
    text: 'select 1 for update',
    textOffset: 52,
  })
  t.match(says('declare c scroll cursor for select 1'), {
    scroll: true,
    hold: false,
    binary: false,
  })
  t.match(says('declare c cursor for select 1'), { scroll: undefined })
  const fetch = (kind: string, direction: string, count: number | string) => ({
    kind,
    name: 'c',
    direction,
    count,
  })
  t.same(says('fetch c'), fetch('fetch', 'forward', 1))
  t.same(says('fetch 0 from c'), fetch('fetch', 'forward', 0))
  t.same(says('fetch -3 in c'), fetch('fetch', 'forward', -3))
  t.same(says('fetch all c'), fetch('fetch', 'forward', 'all'))
  t.same(says('move backward all in c'), fetch('move', 'backward', 'all'))
  t.same(says('fetch prior c'), fetch('fetch', 'backward', 1))
  t.same(says('fetch first c'), fetch('fetch', 'absolute', 1))
  t.same(says('fetch last c'), fetch('fetch', 'absolute', -1))
  t.same(says('fetch relative 5 c'), fetch('fetch', 'relative', 5))
  t.same(says('close c'), { kind: 'close', name: 'c' })
  t.same(says('close all'), { kind: 'close', name: undefined })
})

tap.test('SHOW, DISCARD, LOCK, LISTEN', async (t) => {
  t.same(showCommand(one('show Time Zone').node), { name: 'timezone' })
  t.same(showCommand(one('show "DateStyle"').node), { name: 'datestyle' })
  t.same(showCommand(one('show transaction isolation level').node), {
    name: 'transaction_isolation',
  })
  t.same(discardCommand(one('discard all').node), { target: 'all' })
  t.same(discardCommand(one('discard temp').node), { target: 'temp' })
  t.same(lockCommand(one('lock table only a.b, c in share mode nowait').node), {
    relations: [
      { schema: 'a', name: 'b', only: true },
      { schema: undefined, name: 'c', only: false },
    ],
    mode: 'SHARE',
    noWait: true,
  })
  t.match(lockCommand(one('lock a').node), { mode: 'ACCESS EXCLUSIVE', noWait: false })
  t.match(lockCommand(one('lock a in row exclusive mode').node), { mode: 'ROW EXCLUSIVE' })
  t.same(listenCommand(one('listen "A"').node), { kind: 'listen', channel: 'A', payload: '' })
  t.same(listenCommand(one("notify a, 'p'").node), { kind: 'notify', channel: 'a', payload: 'p' })
  t.same(listenCommand(one('unlisten *').node), {
    kind: 'unlisten',
    channel: undefined,
    payload: '',
  })
})

tap.test('EXPLAIN', async (t) => {
  const says = (text: string) => {
    const command = explainCommand(text, one(text).node)
    return [command?.analyze, command?.format, command?.text, [...(command?.options ?? [])]]
  }
  t.same(says('explain select 1'), [false, 'text', 'select 1', []])
  t.same(says('explain (select 1)'), [false, 'text', '(select 1)', []])
  t.same(says('explain analyze verbose select 1').slice(0, 3), [true, 'text', 'select 1'])
  t.same(says('explain (analyze off, format JSON, costs) (select 1)'), [
    false,
    'json',
    '(select 1)',
    [
      ['analyze', 'off'],
      ['format', 'json'],
      ['costs', undefined],
    ],
  ])
  const listed = 'explain (verbose off, analyze, summary 0, costs false) (select 1)'
  t.match(explainCommand(listed, one(listed).node), {
    head: 'explain (verbose off, analyze, summary 0, costs false) ',
    verbose: false,
    costs: false,
    timing: true,
    summary: false,
  })
  const plain = 'explain verbose select 1'
  t.match(explainCommand(plain, one(plain).node), {
    head: 'explain verbose ',
    verbose: true,
    costs: true,
    timing: false,
    summary: false,
  })
})

tap.test('databases', async (t) => {
  const created = createDatabaseCommand(
    one(
      'create database "X" with template = template0 encoding \'utf8\' owner default connection limit 5 is_template true',
    ).node,
  )
  t.equal(created?.name, 'X')
  t.same(
    [...(created?.options ?? [])],
    [
      ['template', 'template0'],
      ['encoding', 'utf8'],
      ['owner', undefined],
      ['connection_limit', '5'],
      ['is_template', 'true'],
    ],
  )
  t.same(dropDatabaseCommand(one('drop database if exists x with (force)').node), {
    name: 'x',
    missingOk: true,
    force: true,
  })
  t.same(dropDatabaseCommand(one('drop database x').node), {
    name: 'x',
    missingOk: false,
    force: false,
  })
})

tap.test('CONCURRENTLY', async (t) => {
  const without = (text: string) => {
    const { node } = one(text)
    const result = withoutConcurrently(text, node)
    return [isConcurrently(node), result, isConcurrently(one(result).node)]
  }
  t.same(without('create /*é*/ unique index /*x*/ concurrently if not exists i on t (a)'), [
    true,
    'create /*é*/ unique index if not exists i on t (a)',
    false,
  ])
  t.same(without('drop index concurrently if exists a, b'), [
    true,
    'drop index if exists a, b',
    false,
  ])
  t.same(without('refresh materialized view concurrently m'), [
    true,
    'refresh materialized view m',
    false,
  ])
  t.same(without('alter table t detach partition p concurrently'), [
    true,
    'alter table t detach partition p',
    false,
  ])
  t.same(without('reindex index concurrently i'), [true, 'reindex index i', false])
  t.same(without('reindex (verbose, concurrently) index i').slice(0, 2), [
    true,
    'reindex (verbose, concurrently FALSE) index i',
  ])
  t.same(without('reindex (concurrently on, verbose) index i').slice(0, 2), [
    true,
    'reindex (concurrently FALSE, verbose) index i',
  ])
  t.same(without('create index on t (a)'), [false, 'create index on t (a)', false])
})
