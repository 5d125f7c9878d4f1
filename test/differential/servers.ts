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
  readonly emulation: Emulation
  readonly capabilities: Capabilities
  /** With text parameters by the extended protocol, else in one Query message. */
  run(sql: string, parameters?: readonly string[]): Promise<Outcome>
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
  const reference = {
    name: 'postgresql',
    emulation: 'off',
    capabilities: PROFILES.production,
  } as const
  return startTested(reference, async () => ({
    ...(await startOracle()),
    isDead: async () => false,
  }))
}

/** What becomes of statements that Spanner cannot run: they are 0A000, or emulated. To PostgreSQL it is a setting like any other. */
export type Emulation = 'off' | 'on'

/** Spanwire on the embedded backend. */
export function startEmbedded(emulation: Emulation): Promise<TestedServer> {
  return startTested(
    { name: 'embedded', emulation, capabilities: PROFILES.production },
    async () => ({
      ...(await startSpanwire()),
      isDead: async () => false,
    }),
  )
}

/** Spanwire on the official emulator; undefined where there is none. */
export async function startOnEmulator(emulation: Emulation): Promise<TestedServer | undefined> {
  const first = await startEmulator()
  if (first === undefined) return undefined
  await first.stop()
  return startTested(
    { name: 'emulator', emulation, capabilities: PROFILES.emulator },
    startEmulated,
  )
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

interface Tested {
  readonly name: string
  readonly emulation: Emulation
  readonly capabilities: Capabilities
}

async function startTested(
  { name, emulation, capabilities }: Tested,
  start: () => Promise<Started>,
): Promise<TestedServer> {
  let started = await start()
  let client = await openTables(started, emulation)
  return {
    name,
    emulation,
    capabilities,
    async run(sql, parameters = []) {
      const answer = parameters.length > 0 ? client.extended(sql, parameters) : client.query(sql)
      const outcome = outcomeOf(await answer)
      const isSuspect =
        outcome.kind === 'lost' || (outcome.kind === 'error' && LOST.test(outcome.code))
      if (!isSuspect || !(await started.isDead())) return outcome
      client.destroy()
      await started.stop()
      started = await start()
      client = await openTables(started, emulation)
      return { kind: 'lost' }
    },
    async stop() {
      await client.end()
      await started.stop()
    },
  }
}

/** A connection to a new database with the tables, under settings that values read alike in. */
async function openTables(address: ServerAddress, emulation: Emulation): Promise<WireClient> {
  const admin = await connectTo(address, 'postgres')
  await mustRun(admin, `CREATE DATABASE ${DATABASE}`)
  await admin.end()
  const client = await connectTo(address, DATABASE)
  for (const sql of [`SET spanwire.emulation = '${emulation}'`, ...TABLES])
    await mustRun(client, sql)
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
