import type { Test } from 'tap'
import { renderAnswer } from '../golden/render.ts'
import { ORACLE_USER, startOracle } from '../helpers/oracle.ts'
import { type ServerAddress, type ServerMessage, WireClient } from '../helpers/wire-client.ts'
import { PROBES, type Probe, SETUP } from './ordinary-errors.ts'

const DATABASE = 'errors'

/** The answer to one probe. */
interface Outcome {
  /** `ok` where it is no error. */
  readonly sqlState: string
  /** Code, message and every field that scripts show. */
  readonly lines: readonly string[]
}

/** Every ordinary error bears PostgreSQL's SQLSTATE, words and fields. */
export async function checkOrdinaryErrors(
  t: Test,
  backend: string,
  server: ServerAddress,
): Promise<void> {
  const oracle = await startOracle()
  t.teardown(() => oracle.stop())
  const [ours, expected] = [await runProbes(server), await runProbes(oracle)]
  let [sameState, sameAnswer] = [0, 0]
  for (const { name } of PROBES) {
    const [here, there] = [ours.get(name), expected.get(name)]
    if (here?.sqlState === there?.sqlState) sameState++
    if (same(here?.lines, there?.lines)) sameAnswer++
    t.equal(here?.sqlState, there?.sqlState, name)
    t.strictSame(here?.lines, there?.lines, `${name}: words and fields`)
  }
  t.comment(
    `${backend}: ${sameState} of ${PROBES.length} SQLSTATEs, ${sameAnswer} of ${PROBES.length} whole answers as PostgreSQL’s`,
  )
}

async function runProbes(address: ServerAddress): Promise<ReadonlyMap<string, Outcome>> {
  const { client: admin } = await connect(address, 'postgres')
  mustSucceed(await admin.query(`create database ${DATABASE}`))
  await admin.end()
  const { client } = await connect(address, DATABASE)
  for (const statement of SETUP) mustSucceed(await client.query(statement))
  const outcomes = new Map<string, Outcome>()
  for (const probe of PROBES) {
    outcomes.set(probe.name, outcomeOf(await runProbe(client, probe)))
    await client.query('rollback')
    await client.query('reset statement_timeout')
  }
  await client.end()
  return outcomes
}

async function runProbe(client: WireClient, { steps }: Probe): Promise<readonly ServerMessage[]> {
  let answer: readonly ServerMessage[] = []
  for (const step of steps) {
    if (typeof step === 'string') answer = await client.query(step)
    else {
      step(client)
      answer = await client.untilReady()
    }
  }
  return answer
}

function outcomeOf(messages: readonly ServerMessage[]): Outcome {
  const error = messages.find(({ name }) => name === 'error')
  return {
    sqlState: error === undefined ? 'ok' : String(error['code']),
    lines: renderAnswer(messages),
  }
}

function connect(address: ServerAddress, database: string) {
  return WireClient.connect(address, { user: ORACLE_USER, database })
}

function mustSucceed(messages: readonly ServerMessage[]): void {
  const error = messages.find(({ name }) => name === 'error')
  if (error !== undefined) throw new Error(`a server said: ${JSON.stringify(error)}`)
}

function same(a: readonly string[] | undefined, b: readonly string[] | undefined): boolean {
  return a?.join('\n') === b?.join('\n')
}
