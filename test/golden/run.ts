import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { serialize } from 'pg-protocol/dist/index.js'
import { type ServerAddress, type ServerMessage, WireClient } from '../helpers/wire-client.ts'
import { renderAnswer } from './render.ts'
import { type GoldenScript, type GoldenStep, parseScript } from './script.ts'

/** Sources, not the built copies: the scripts are read and rewritten where they are kept. */
export const SCRIPTS_DIR = join(import.meta.dirname, '..', '..', '..', 'test', 'golden', 'scripts')

/**
 * How long a statement that is sent without waiting has for itself: so that PostgreSQL sees waiting statements in the order of the
 * script. No answer on another server may depend on it.
 */
const ASYNC_SETTLE_MS = 200

export const GOLDEN_USER = 'tester'

export async function loadScripts(): Promise<ReadonlyMap<string, GoldenScript>> {
  const names = (await readdir(SCRIPTS_DIR)).filter((name) => name.endsWith('.golden')).sort()
  const scripts = new Map<string, GoldenScript>()
  for (const name of names) {
    const content = await readFile(join(SCRIPTS_DIR, name), 'utf8')
    scripts.set(name.slice(0, -'.golden'.length), parseScript(content))
  }
  return scripts
}

/** The scripts whose names have `part` in them, by default what `GOLDEN` says; all where that says nothing. */
export async function chosenScripts(
  part: string | undefined = process.env['GOLDEN'],
): Promise<ReadonlyMap<string, GoldenScript>> {
  const scripts = [...(await loadScripts())]
  return new Map(scripts.filter(([name]) => part === undefined || name.includes(part)))
}

/** Runs one script in a database of its own, and gives the answer to each of its steps as lines. */
export async function runScript(
  address: ServerAddress,
  name: string,
  script: GoldenScript,
): Promise<readonly (readonly string[])[]> {
  const database = `golden_${name.replaceAll('-', '_')}`.slice(0, 30)
  await inDatabase(address, 'postgres', async (admin) => {
    await admin.query(`drop database if exists ${database}`)
    mustSucceed(await admin.query(`create database ${database}`))
  })
  const clients = new Map<string, WireClient>()
  const answers: (readonly string[])[] = []
  try {
    for (const step of script.steps) {
      const client = clients.get(step.connection) ?? (await connect(address, database))
      clients.set(step.connection, client)
      answers.push(renderAnswer(await send(client, step)))
    }
  } finally {
    for (const client of clients.values()) await client.end()
  }
  await inDatabase(address, 'postgres', async (admin) => {
    await admin.query(`drop database if exists ${database}`)
  })
  return answers
}

async function send(client: WireClient, step: GoldenStep): Promise<readonly ServerMessage[]> {
  client.copyData = step.copyData
  if (step.timing === 'await') return client.untilReady()
  if (step.timing === 'async') {
    client.send(serialize.query(step.text))
    await client.settle(ASYNC_SETTLE_MS)
    return []
  }
  if (step.mode === 'simple') return client.query(step.text)
  if (step.maxRows > 0) return client.inPieces(step.text, step.values, step.maxRows)
  return client.extended(step.text, step.values)
}

async function connect(address: ServerAddress, database: string): Promise<WireClient> {
  const { client, messages } = await WireClient.connect(address, {
    user: GOLDEN_USER,
    database,
    TimeZone: 'UTC',
    // PostgreSQL takes any setting whose name has a point.
    'spanwire.emulation': 'on',
    DateStyle: 'ISO, MDY',
  })
  mustSucceed(messages)
  return client
}

async function inDatabase(
  address: ServerAddress,
  database: string,
  work: (client: WireClient) => Promise<void>,
): Promise<void> {
  const client = await connect(address, database)
  try {
    await work(client)
  } finally {
    await client.end()
  }
}

function mustSucceed(messages: readonly ServerMessage[]): void {
  const error = messages.find((message) => message.name === 'error')
  if (error !== undefined) throw new Error(`a server said: ${error['message']} (${error['code']})`)
}
