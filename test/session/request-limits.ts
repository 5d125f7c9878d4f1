import type { Test } from 'tap'
import { type ServerAddress, type ServerMessage, WireClient } from '../helpers/wire-client.ts'

const MEGABYTE = 1024 * 1024

/** A connection to a database that stays what it is. */
export async function connectTo(address: ServerAddress): Promise<WireClient> {
  const { client } = await WireClient.connect(address, { user: 'me', database: 'limits' })
  return client
}

/** Makes the database that {@link connectTo} connects to. */
export async function makeDatabase(address: ServerAddress): Promise<void> {
  const { client } = await WireClient.connect(address, { user: 'me', database: 'postgres' })
  await client.query('create database limits')
  await client.end()
}

/** SQLSTATE and message of the error in an answer, else its command tags. */
export function outcome(answer: readonly ServerMessage[]): string {
  const error = answer.find(({ name }) => name === 'error')
  if (error !== undefined) return `${error['code']} ${error['message']}`
  const tags = answer.filter(({ name }) => name === 'commandComplete')
  return tags.map((message) => message['text']).join(', ')
}

/** The state of the transaction that an answer ends in: I, T or E. */
export function statusOf(answer: readonly ServerMessage[]): unknown {
  return answer.at(-1)?.['status']
}

const list = (count: number, of: (n: number) => string): string =>
  Array.from({ length: count }, (_, n) => of(n)).join(', ')
const numbers = (count: number): string[] => Array.from({ length: count }, (_, n) => String(n))

/** What one statement may hold: past it there is 54000 with a hint, nothing is written, and the connection is of use as before. */
export async function checkRequestLimits(t: Test, address: ServerAddress): Promise<void> {
  const client = await connectTo(address)
  await client.query('create table held (id bigint primary key, b text)')
  const refuses = async (
    what: string,
    text: string,
    values: readonly string[] | undefined,
    message: RegExp,
  ): Promise<void> => {
    const send = () => (values === undefined ? client.query(text) : client.extended(text, values))
    const alone = await send()
    t.match(outcome(alone), message, what)
    t.match(alone.find(({ name }) => name === 'error')?.['hint'], /./, `${what}: a hint`)
    t.equal(statusOf(alone), 'I', `${what}: no block is open`)
    await client.query('begin; insert into held values (-1)')
    t.equal(statusOf(await send()), 'E', `${what}: a block has failed`)
    t.match(outcome(await client.query('select 1')), /^25P02 /)
    t.equal(outcome(await client.query('rollback')), 'ROLLBACK')
  }
  const placeholders = (count: number) => list(count, (n) => `$${n + 1}`)
  const tooManyParams = /^54000 Spanner takes at most 950 parameters in a statement, found 951$/
  await refuses(
    'parameters of a query',
    `select count(*) from held where id in (${placeholders(951)})`,
    numbers(951),
    tooManyParams,
  )
  await refuses(
    'parameters of an INSERT',
    `insert into held (id) values ${list(951, (n) => `($${n + 1})`)}`,
    numbers(951),
    tooManyParams,
  )
  t.equal(
    outcome(
      await client.extended(`delete from held where id in (${placeholders(950)})`, numbers(950)),
    ),
    'DELETE 0',
  )
  await refuses(
    'values of IN',
    `select count(*) from held where id in (${list(10_001, String)})`,
    undefined,
    /^54000 Spanner takes at most 10000 values in an IN list, found 10001$/,
  )
  await refuses(
    'characters',
    `insert into held values (1, '${'x'.repeat(1_000_000)}')`,
    undefined,
    /^54000 Spanner takes at most 1000000 characters in a statement, found 10000\d\d$/,
  )
  const tooLarge = /^54000 Spanner takes at most 10485760 bytes in a request, found \d+$/
  const half = 'x'.repeat(6 * MEGABYTE)
  await refuses(
    'bytes of a query',
    'select count(*) from held where b = $1 or b = $2',
    [half, half],
    tooLarge,
  )
  await refuses(
    'bytes of an INSERT',
    'insert into held values (1, $1), (2, $2)',
    [half, half],
    tooLarge,
  )
  t.equal(outcome(await client.query('select id from held')), 'SELECT 0')
  // Each has its own request, although they come together.
  const third = 'x'.repeat(2.4 * MEGABYTE)
  const pipeline = ['1', '2', '3', '4', '5'].map((id) => ({
    text: 'insert into held values ($1, $2)',
    values: [id, third],
  }))
  const answers = await client.pipeline(pipeline)
  t.equal(outcome(answers), pipeline.map(() => 'INSERT 0 1').join(', '))
  await client.end()
}
