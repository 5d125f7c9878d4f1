import t from 'tap'
import { ChangedTables } from '../../server/plan/changed-tables.ts'
import type { Load } from '../../server/plan/plan.ts'
import {
  type Column,
  type LogicalSchema,
  NO_USER_FUNCTIONS,
  NO_USER_TYPES,
  type Table,
} from '../../server/schema/logical-schema.ts'
import {
  type AddedValue,
  addedKey,
  type ColumnNow,
  type TableNow,
} from '../../server/schema/transaction-tables.ts'

const INT4 = 23
const INT8 = 20
const TEXT = 25
const VARCHAR = 1043
const MOOD = 16_400
const MOODS = 16_401
const TABLE = 16_500

function column(attribute: number, name: string, typeOid: number): Column {
  const physical = { name, type: { code: 'STRING' as const }, hasDefault: false }
  const rest = { notNull: false, defaultText: undefined, identity: undefined, generated: false }
  return { attribute, name, typeOid, typmod: -1, physical, ...rest }
}

function now(attribute: number, name: string, typeOid: number, type: string): ColumnNow {
  return { attribute, name, typeOid, typmod: -1, type, isGenerated: false, missing: null }
}

const STORED: Table = {
  kind: 'table',
  oid: TABLE,
  schema: 'public',
  name: 'b',
  columns: [
    column(1, 'i', INT4),
    column(2, 't', TEXT),
    column(3, 'f', MOOD),
    column(4, 'fs', MOODS),
  ],
  constraints: [],
  indexes: [],
  physicalName: 'b',
  hiddenKey: undefined,
}

const COMMITTED: LogicalSchema = {
  version: 1n,
  relations: new Map([[TABLE, STORED]]),
  sequences: new Map(),
  userTypes: {
    ...NO_USER_TYPES,
    labels: new Map([
      [1, 'sad'],
      [2, 'happy'],
    ]),
  },
  userFunctions: NO_USER_FUNCTIONS,
  tablesByPhysicalName: new Map(),
}

const AS_STORED = [
  now(1, 'i', INT4, 'integer'),
  now(2, 't', TEXT, 'text'),
  now(3, 'f', MOOD, 'public.mood'),
  now(4, 'fs', MOODS, 'public.mood[]'),
]

function changes(
  table: Partial<TableNow>,
  more: {
    readonly labels?: readonly string[]
    readonly added?: Readonly<Record<number, AddedValue>>
  } = {},
): ChangedTables {
  const whole = {
    oid: TABLE,
    schema: 'public',
    name: 'b',
    isWritten: true,
    columns: AS_STORED,
    ...table,
  }
  const labels = (more.labels ?? []).map((label, i) => ({
    oid: i + 1,
    typeOid: MOOD,
    arrayOid: MOODS,
    label,
  }))
  const added = Object.entries(more.added ?? {}).map(
    ([attribute, value]) => [addedKey(TABLE, Number(attribute)), value] as const,
  )
  return new ChangedTables(COMMITTED, { tables: [whole], labels }, new Map(added))
}

function converted(tables: ChangedTables, attributes: readonly number[] = []): Load {
  const changed = tables.find(TABLE)
  if (changed === undefined) throw new Error('the table has not changed')
  const columns = changed.loaded.map(({ name, typeOid, physical: { type } }) => ({
    name,
    typeOid,
    type,
  }))
  const load = { table: STORED, columns, read: {} as Load['read'] }
  return changed.convert(load, new Set(attributes))
}

function readable(tables: ChangedTables): readonly string[] {
  const table = tables.schema.relations.get(TABLE)
  return table?.kind === 'table' ? table.columns.map(({ name }) => name) : []
}

t.test('a table that was left alone is as it was', async (t) => {
  const tables = changes({ isWritten: false })
  t.equal(tables.find(TABLE), undefined)
  t.equal(tables.schema, COMMITTED)
})

t.test('rows go into renamed columns as they are', async (t) => {
  const [i, ...others] = AS_STORED
  const columns = [{ ...i, name: 'key' } as ColumnNow, ...others.slice(1)]
  const tables = changes({ name: 'c', columns })
  t.strictSame(readable(tables), ['key', 'f', 'fs'])
  const load = converted(tables)
  t.equal(load.table.name, 'c')
  t.strictSame(
    load.columns.map(({ name }) => name),
    ['key', 'f', 'fs'],
  )
  t.strictSame(load.changed, { stored: { schema: 'public', name: 'b' } })
})

t.test('new columns have the value of the statement that added them', async (t) => {
  const columns = [
    ...AS_STORED,
    { ...now(5, 'now', TEXT, 'text'), missing: "it's" },
    now(6, 'wider', INT8, 'bigint'),
    now(7, 'nothing', TEXT, 'text'),
    { ...now(8, 'made', INT4, 'integer'), isGenerated: true },
  ]
  const constant = {
    kind: 'constant',
    initial: '3',
    text: '3',
    typeOid: INT4,
    type: 'integer',
    isMoment: false,
  } as const
  const tables = changes({ columns }, { added: { 6: constant } })
  t.strictSame(readable(tables), ['i', 't', 'f', 'fs'])
  const { changed } = converted(tables, [5, 6, 7, 8])
  t.equal(changed?.refusal, undefined)
  t.equal(
    changed?.staged?.after[0],
    `INSERT INTO "public"."b" ("i", "t", "f", "fs", "now", "wider", "nothing") OVERRIDING SYSTEM VALUE SELECT ${[
      'c1',
      'c2',
      'c3',
      'c4',
      "CAST('it''s' AS text)",
      "CAST('3' AS integer)",
      'NULL',
    ].join(', ')} FROM pg_temp."spanwire_stored_rows"`,
  )
})

t.test('what Spanner is to draw is refused where it is read, and only there', async (t) => {
  const tables = changes(
    { columns: [...AS_STORED, now(5, 'z', INT4, 'integer')] },
    { added: { 5: { kind: 'drawn', initial: null } } },
  )
  t.equal(converted(tables, [1]).changed?.refusal, undefined)
  t.match(converted(tables, [1]).changed?.staged?.after[0], /row_number\(\) OVER \(\) AS integer/)
  for (const attributes of [[5], [0]])
    t.equal(converted(tables, attributes).changed?.refusal?.code, '0A000')
})

t.test('columns of other types are assigned, of changed labels translated', async (t) => {
  const [i, text, ...moods] = AS_STORED
  const columns = [
    i,
    { ...text, typeOid: VARCHAR, typmod: 7, type: 'character varying(3)' },
    ...moods,
  ]
  const tables = changes({ columns: columns as ColumnNow[] }, { labels: ['sad', 'glad'] })
  t.strictSame(readable(tables), ['i'])
  t.equal(tables.schema.userTypes.labels.get(2), 'glad')
  const { staged } = converted(tables).changed ?? {}
  t.equal(
    staged?.before[0],
    `CREATE TEMPORARY TABLE pg_temp."spanwire_stored_rows" (c1 integer, c2 pg_catalog."text", c3 pg_catalog.text, c4 pg_catalog.text)`,
  )
  t.match(
    staged?.after[0],
    `SELECT c1, c2, CAST(CASE c3 WHEN 'happy' THEN 'glad' ELSE c3 END AS public.mood), CAST(CASE WHEN c4 IS NOT NULL THEN ARRAY(`,
  )
})
