import t from 'tap'
import { emitSpannerDdl } from '../../server/schema/emit-spanner-ddl.ts'
import { expandedSchema, tablesWithWaitingDefaults } from '../../server/schema/expanded-schema.ts'
import type {
  PhysicalSchema,
  PhysicalTable,
  PhysicalTableColumn,
} from '../../server/schema/physical-schema.ts'
import { waitingDemands } from '../../server/schema/waiting-demands.ts'

const NOTHING: ReadonlySet<string> = new Set()
const WRITTEN: ReadonlySet<string> = new Set(['t'])

function column(name: string, more: Partial<PhysicalTableColumn> = {}): PhysicalTableColumn {
  return { name, type: { code: 'STRING' }, sqlType: 'character varying', notNull: false, ...more }
}

const id = column('id', { type: { code: 'INT64' }, sqlType: 'bigint', notNull: true })

function table(more: Partial<PhysicalTable> = {}): PhysicalTable {
  return {
    name: 't',
    columns: [id],
    primaryKey: ['id'],
    checks: [],
    foreignKeys: [],
    indexes: [],
    ...more,
  }
}

function schema(...tables: PhysicalTable[]): PhysicalSchema {
  return { schemas: [], sequences: [], tables, views: [] }
}

/** What is declared for the rows' sake, and what is when they are committed. */
function steps(before: PhysicalSchema, after: PhysicalSchema, written: ReadonlySet<string>) {
  const held = expandedSchema(before, after, written)
  const emit = (from: PhysicalSchema, to: PhysicalSchema) =>
    emitSpannerDdl(from, to, new Map()).map(({ sql }) => sql)
  return {
    first: emit(before, held),
    last: emit(held, after),
    back: emit(held, before),
    demands: waitingDemands(held, after),
  }
}

const index = {
  name: 't_a',
  unique: true,
  columns: [{ name: 'a', descending: false, nullsFirst: false }],
  include: [],
  notNull: ['a'],
}
const check = { name: 'c', expression: 'a > 0' }
const key = {
  name: 'k',
  columns: ['a'],
  referencedTable: 'u',
  referencedColumns: ['id'],
  onDelete: 'no-action',
} as const

t.test('what is new comes first, and goes with ROLLBACK', async (t) => {
  const before = schema(table())
  const after = schema(table({ columns: [id, column('a')] }), table({ name: 'u' }))
  const { first, last, back } = steps(before, after, WRITTEN)
  t.match(first, [/^CREATE TABLE "u"/, /^ALTER TABLE "t" ADD COLUMN "a"/])
  t.same(last, [])
  t.same(back, ['ALTER TABLE "t" DROP COLUMN "a"', 'DROP TABLE "u"'])
})

t.test('what goes is there until the rows are committed, and need not be filled', async (t) => {
  const a = column('a', { notNull: true })
  const before = schema(table({ columns: [id, a] }), table({ name: 'u', foreignKeys: [key] }))
  const { first, last, back } = steps(before, schema(table()), NOTHING)
  t.match(first, [/ALTER COLUMN "a" DROP NOT NULL$/, 'ALTER TABLE "u" DROP CONSTRAINT "k"'])
  t.same(last, ['ALTER TABLE "t" DROP COLUMN "a"', 'DROP TABLE "u"'])
  t.match(back, [/ALTER COLUMN "a" SET NOT NULL$/, /^ALTER TABLE "u" ADD CONSTRAINT "k"/])
})

t.test('of rows that others wrote everything is demanded at once', async (t) => {
  const before = schema(table({ columns: [id, column('a')] }))
  const after = schema(
    table({ columns: [id, column('a', { notNull: true })], checks: [check], indexes: [index] }),
  )
  const { first, last, demands } = steps(before, after, NOTHING)
  t.match(first, [/SET NOT NULL$/, /ADD CONSTRAINT "c"/, /^CREATE UNIQUE INDEX/])
  t.same(last, [])
  t.same(demands, [])
})

t.test('of rows that the transaction wrote it is asked, and declared behind them', async (t) => {
  const u = table({ name: 'u' })
  const before = schema(table({ columns: [id, column('a')] }), u)
  const strict = table({
    columns: [id, column('a', { notNull: true, sqlType: 'character varying(3)' })],
    checks: [check],
    foreignKeys: [key],
    indexes: [index],
  })
  const { first, last, demands } = steps(before, schema(strict, u), WRITTEN)
  t.same(first, [])
  t.equal(last.length, 4)
  t.same(
    demands.map(({ sql, failure }) => [failure.kind, sql]),
    [
      ['not-null-violation', `SELECT 'x' FROM "t" WHERE "a" IS NULL LIMIT 1`],
      ['string-too-long', `SELECT 'x' FROM "t" WHERE length("a") > 3 LIMIT 1`],
      ['check-violation', `SELECT 'x' FROM "t" WHERE NOT (a > 0) LIMIT 1`],
      [
        'foreign-key-violation',
        `SELECT a."a" FROM "t" AS a WHERE a."a" IS NOT NULL AND NOT EXISTS (SELECT 1 FROM "u" AS b WHERE a."a" = b."id") LIMIT 1`,
      ],
      [
        'unique-violation',
        `SELECT "a" FROM "t" WHERE "a" IS NOT NULL GROUP BY "a" HAVING count(*) > 1 LIMIT 1`,
      ],
    ],
  )
})

t.test('rows that were written under a default keep it', async (t) => {
  const before = schema(table({ columns: [id, column('a', { default: "'old'" })] }))
  const after = schema(table({ columns: [id, column('a', { default: "'new'" })] }))
  t.same(steps(before, after, WRITTEN).first, [])
  t.match(steps(before, after, NOTHING).first, [/SET DEFAULT \('new'\)$/])
  t.same(tablesWithWaitingDefaults(expandedSchema(before, after, WRITTEN), after), ['t'])
  t.same(tablesWithWaitingDefaults(expandedSchema(before, after, NOTHING), after), [])
})

t.test('a text column is as long as either needs it', async (t) => {
  const long = schema(table({ columns: [id, column('a', { sqlType: 'character varying(9)' })] }))
  const short = schema(table({ columns: [id, column('a', { sqlType: 'character varying(3)' })] }))
  t.same(steps(long, short, WRITTEN).first, [])
  t.match(steps(short, long, WRITTEN).first, [/TYPE character varying\(9\)/])
})
