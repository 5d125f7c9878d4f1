import { connect } from 'node:net'
import type { Capabilities } from '../../server/backend/capabilities.ts'
import { type Emulator, startEmulator } from '../helpers/emulator.ts'
import { ORACLE_USER, startOracle } from '../helpers/oracle.ts'
import { startSpanwire } from '../helpers/spanwire.ts'
import { type ServerAddress, WireClient } from '../helpers/wire-client.ts'
import { PROFILES } from '../plan/emit-fixture.ts'
import { type Outcome, outcomeOf } from './outcome.ts'
import { TABLES } from './tables.ts'

/** A server that statements are run on, with the differential tables in it. */
export interface TestedServer {
  readonly name: string
  readonly capabilities: Capabilities
  run(sql: string): Promise<Outcome>
  stop(): Promise<void>
}

interface Started extends ServerAddress {
  /** Whether what is behind the server has died. */
  isDead(): Promise<boolean>
  stop(): Promise<unknown>
}

const DATABASE = 'differential'

/** The plain PostgreSQL whose answers all others are held to. */
export function startReference(): Promise<TestedServer> {
  return startTested('postgresql', PROFILES.production, async () => ({
    ...(await startOracle()),
    isDead: async () => false,
  }))
}

/** Spanwire on the embedded backend. */
export function startEmbedded(): Promise<TestedServer> {
  return startTested('embedded', PROFILES.production, async () => ({
    ...(await startSpanwire()),
    isDead: async () => false,
  }))
}

/** Spanwire on the official emulator; undefined where there is none. */
export async function startOnEmulator(): Promise<TestedServer | undefined> {
  const first = await startEmulator()
  if (first === undefined) return undefined
  await first.stop()
  return startTested('emulator', PROFILES.emulator, startEmulated)
}

async function startEmulated(): Promise<Started> {
  const emulator = await startEmulator()
  if (emulator === undefined) throw new Error('no emulator')
  const spanwire = await startSpanwire({ env: { SPANNER_EMULATOR_HOST: emulator.address } })
  return {
    ...spanwire,
    isDead: async () => !(await isListening(emulator)),
    async stop() {
      await spanwire.stop()
      await emulator.stop()
    },
  }
}

function isListening({ address }: Emulator): Promise<boolean> {
  const colon = address.lastIndexOf(':')
  return new Promise((resolve) => {
    const socket = connect(Number(address.slice(colon + 1)), address.slice(0, colon))
    socket.once('error', () => resolve(false))
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
  })
}

/** Codes that say that the backend is gone, not that the statement is wrong (class 08, 57P01, 57P02, 58000). */
const LOST = /^(08|57P0|58|XX)/

async function startTested(
  name: string,
  capabilities: Capabilities,
  start: () => Promise<Started>,
): Promise<TestedServer> {
  let started = await start()
  let client = await openTables(started)
  return {
    name,
    capabilities,
    async run(sql) {
      const outcome = outcomeOf(await client.query(sql))
      const isSuspect =
        outcome.kind === 'lost' || (outcome.kind === 'error' && LOST.test(outcome.code))
      if (!isSuspect || !(await started.isDead())) return outcome
      client.destroy()
      await started.stop()
      started = await start()
      client = await openTables(started)
      return { kind: 'lost' }
    },
    async stop() {
      await client.end()
      await started.stop()
    },
  }
}

/** What is not pushed down is 0A000, not emulated; to PostgreSQL it is a setting like any other. */
const PUSHDOWN_ONLY = 'SET spanwire.emulation = off'

/** A connection to a new database with the tables, under settings that values read alike in. */
async function openTables(address: ServerAddress): Promise<WireClient> {
  const admin = await connectTo(address, 'postgres')
  await mustRun(admin, `CREATE DATABASE ${DATABASE}`)
  await admin.end()
  const client = await connectTo(address, DATABASE)
  for (const sql of [PUSHDOWN_ONLY, ...TABLES]) await mustRun(client, sql)
  return client
}

async function connectTo(address: ServerAddress, database: string): Promise<WireClient> {
  const { client } = await WireClient.connect(address, {
    user: ORACLE_USER,
    database,
    TimeZone: 'UTC',
    DateStyle: 'ISO, MDY',
  })
  return client
}

async function mustRun(client: WireClient, sql: string): Promise<void> {
  const outcome = outcomeOf(await client.query(sql))
  if (outcome.kind !== 'rows') throw new Error(`${sql.slice(0, 200)}: ${JSON.stringify(outcome)}`)
}
