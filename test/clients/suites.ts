import type { Test } from 'tap'
import { type ServerAddress, WireClient } from '../helpers/wire-client.ts'
import { checkNodePostgres } from './node-postgres.ts'
import { checkPostgresJs } from './postgres-js.ts'
import { checkPsycopg } from './psycopg.ts'

/** Real client libraries against one server, in the database `clients`. */
export async function checkClients(t: Test, address: ServerAddress): Promise<void> {
  const { client } = await WireClient.connect(address, { user: 'tester', database: 'postgres' })
  await client.query('create database clients')
  await client.end()
  await t.test('node-postgres', (t) => checkNodePostgres(t, address))
  await t.test('postgres.js', (t) => checkPostgresJs(t, address))
  await t.test('psycopg 3', (t) => checkPsycopg(t, address))
}
