import type { Test } from 'tap'
import { orSkip } from '../helpers/on-emulator.ts'
import { type BackendKind, startRecordedBackend } from '../helpers/recorded-backend.ts'
import { startSpanwire } from '../helpers/spanwire.ts'
import { type ServerAddress, WireClient } from '../helpers/wire-client.ts'
import { type BudgetRow, checkRows, DATABASE, USER } from './rpc-budget.ts'
import { nodePostgresBudget } from './rpc-budget-node-postgres.ts'
import { pgjdbcBudget } from './rpc-budget-pgjdbc.ts'
import { pgxBudget } from './rpc-budget-pgx.ts'
import { psycopgBudget } from './rpc-budget-psycopg.ts'
import { wireBudget } from './rpc-budget-wire.ts'

/** Two tables with rows, which every client's rows read and write. */
const SCHEMA = [
  'create table item (id bigint primary key, n integer not null, v varchar(20))',
  'create table other (id bigint primary key, v text)',
  'create table numbered (id serial primary key, other_id integer)',
  "insert into item values (1, 10, 'one'), (2, 20, 'two'), (3, 30, null)",
]

/** Counts what clients cost on one backend. */
export async function checkBudget(t: Test, kind: BackendKind): Promise<void> {
  await orSkip(
    t,
    () => startRecordedBackend(kind),
    async (backend) => {
      const spanwire = await startSpanwire({ env: backend.env })
      t.teardown(() => spanwire.stop())
      await prepare(spanwire)
      const check = (t: Test, rows: readonly BudgetRow[]) => checkRows(t, backend.proxy, rows)
      await t.test('the wire', (t) => wireBudget(t, spanwire, check))
      await t.test('node-postgres', (t) => nodePostgresBudget(t, spanwire, check))
      await t.test('psycopg 3', (t) => psycopgBudget(t, spanwire, check))
      await t.test('pgx', (t) => pgxBudget(t, spanwire, check))
      await t.test('pgjdbc', (t) => pgjdbcBudget(t, spanwire, check))
    },
  )
}

async function prepare(address: ServerAddress): Promise<void> {
  const admin = await WireClient.connect(address, { user: USER, database: 'postgres' })
  await admin.client.query(`create database ${DATABASE}`)
  await admin.client.end()
  const { client } = await WireClient.connect(address, { user: USER, database: DATABASE })
  for (const text of SCHEMA) await client.query(text)
  await client.end()
}
