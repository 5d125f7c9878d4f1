import t from 'tap'
import { startSpanwire } from '../helpers/spanwire.ts'
import { type ServerMessage, WireClient } from '../helpers/wire-client.ts'

const spanwire = await startSpanwire()
t.teardown(() => spanwire.stop())

/** `large` has 2,000 rows, of which those of `small` are the first four; a statement may load 20. */
const SETUP = [
  'create table large (id bigint primary key, grp bigint, t text)',
  'create table small (id bigint primary key, name text)',
  'create view named as select l.id, l.t, s.name from large l join small s on s.id = l.id',
  "insert into large select n, n % 3, 'row ' || n from generate_series(1, 2000) n",
  "insert into small values (1, 'a'), (2, 'b'), (3, 'c'), (4, 'd')",
]

/** What Spanner cannot run: few rows of `large` have a part in the result, and no condition says so of `large` alone. */
const STATEMENTS: readonly (readonly [text: string, rows: readonly string[]])[] = [
  [
    'select l.id, rank() over (order by l.id) from large l join small s using (id)',
    ['1|1', '2|2', '3|3', '4|4'],
  ],
  [
    "select l.id, rank() over (order by l.id) from large l, small s where s.id = l.id and s.name > 'b'",
    ['3|1', '4|2'],
  ],
  [
    'select s.id, l.t, rank() over (order by s.id) from small s left join large l on l.id = s.id + 1 - 1',
    ['1|row 1|1', '2|row 2|2', '3|row 3|3', '4|row 4|4'],
  ],
  [
    "select s.id, x.t, rank() over (order by s.id) from small s, lateral (select t from large l where l.id = s.id limit 1) x where s.name = 'c'",
    ['3|row 3|1'],
  ],
  [
    'select id, rank() over (order by id) from large where id in (select id from small where id > 2)',
    ['3|1', '4|2'],
  ],
  [
    'select l.id, rank() over (order by l.id) from large l where exists (select 1 from small s where s.id = l.id and s.name < $$c$$)',
    ['1|1', '2|2'],
  ],
  [
    'select s.id, (select count(*) from large l where l.id = s.id), rank() over (order by s.id) from small s where s.id > 3',
    ['4|1|1'],
  ],
  [
    'select distinct on (s.name) s.name, l.t from small s join large l on l.id = s.id order by s.name desc',
    ['d|row 4', 'c|row 3', 'b|row 2', 'a|row 1'],
  ],
  ["select id, rank() over (order by id) from named where name = 'b'", ['2|1']],
]

t.test('the tables that it is joined with say which rows of a large one are loaded', async (t) => {
  const { client } = await WireClient.connect(spanwire, {
    user: 'me',
    database: 'postgres',
    options: '-c spanwire.emulation=on',
  })
  for (const statement of SETUP) await client.query(statement)
  await client.query('set spanwire.emulation_max_rows = 20')
  for (const [text, rows] of STATEMENTS) t.strictSame(rowsOf(await client.query(text)), rows, text)
  const all = 'select l.id, rank() over () from large l left join small s using (id)'
  t.match(
    rowsOf(await client.query(all)),
    [/^54000 emulation needs more than 20 rows/],
    'where the others say nothing, all are needed',
  )
  await client.end()
})

function rowsOf(messages: readonly ServerMessage[]): readonly string[] {
  return messages.flatMap((message) => {
    if (message.name === 'error') return [`${message['code']} ${message['message']}`]
    return message.name === 'dataRow' ? [(message['fields'] as readonly string[]).join('|')] : []
  })
}
