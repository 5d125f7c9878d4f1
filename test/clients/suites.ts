import type { Test } from 'tap'
import { type ServerAddress, WireClient } from '../helpers/wire-client.ts'
import { checkNodePostgres } from './node-postgres.ts'
import { checkPostgresJs } from './postgres-js.ts'
import { checkPsql } from './psql-suite.ts'
import { checkPsycopg } from './psycopg.ts'
import { CREATE_TYPED_TABLES } from './values.ts'

/** Real client libraries against one server, in the database `clients`. */
export async function checkClients(t: Test, address: ServerAddress): Promise<void> {
  const { client } = await WireClient.connect(address, { user: 'tester', database: 'postgres' })
  await client.query('create database clients')
  await client.end()
  await createTables(t, address)
  await t.test('node-postgres', (t) => checkNodePostgres(t, address))
  await t.test('postgres.js', (t) => checkPostgresJs(t, address))
  await t.test('psql 15', (t) => checkPsql(t, address))
  await t.test('psycopg 3', (t) => checkPsycopg(t, address))
}

async function createTables(t: Test, address: ServerAddress): Promise<void> {
  const { client } = await WireClient.connect(address, { user: 'tester', database: 'clients' })
  const messages = await client.query(CREATE_TYPED_TABLES)
  t.strictSame(
    messages.filter(({ name }) => name === 'error'),
    [],
    'tables of all types',
  )
  await client.end()
}
