import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { freePort } from '../helpers/free-port.ts'

/** A server that pgload starts and ends by itself: its commands are scripts that become the server. */
export interface Endpoint {
  readonly name: string
  /** Where it listens, `127.0.0.1:port`. */
  readonly target: string
  readonly start: string
  /** Kinds of start that are measured, by what is different about them. */
  readonly starts: Readonly<Record<string, string>>
}

/** Spanwire as built, with its defaults: one data directory for all starts but those that are its first. */
export async function spanwireEndpoint(
  dir: string,
  given: { readonly main: string; readonly fakeAddress: string },
): Promise<Endpoint> {
  const target = `127.0.0.1:${await freePort()}`
  // PostgreSQL, which may run as another user, must get through to the data directories.
  const firsts = join(dir, 'first')
  await mkdir(firsts, { mode: 0o755 })
  const command = (dataDir: string) =>
    `${ownEnvironment(given.fakeAddress)} ${quote(process.execPath)} ${quote(given.main)} --listen ${target} --data-dir ${dataDir}`
  const start = await writeScript(dir, 'spanwire', `exec ${command(quote(join(dir, 'data')))}`)
  const first = await writeScript(
    dir,
    'spanwire-first',
    `data=$(mktemp -d ${quote(firsts)}/XXXXXX) && chmod 755 "$data" && exec ${command('"$data"')}`,
  )
  return {
    name: 'Spanwire',
    target,
    start,
    starts: { 'first start, empty data directory': first, 'later start': start },
  }
}

/** PGAdapter with its defaults, for the database `bench` alone. */
export async function pgadapterEndpoint(
  dir: string,
  given: { readonly classpath: string; readonly fakeAddress: string },
): Promise<Endpoint> {
  const port = await freePort()
  const start = await writeScript(
    dir,
    'pgadapter',
    `exec ${ownEnvironment(given.fakeAddress)} java -cp ${quote(given.classpath)} com.google.cloud.spanner.pgadapter.Server -p p -i i -d bench -s ${port} -dir ''`,
  )
  return { name: 'PGAdapter', target: `127.0.0.1:${port}`, start, starts: { start } }
}

/** What the user's shell happens to have set must not change what is measured. */
function ownEnvironment(fakeAddress: string): string {
  const kept = ['PATH', 'HOME'].map((name) => `${name}=${quote(process.env[name] ?? '')}`)
  return `env -i ${kept.join(' ')} SPANNER_EMULATOR_HOST=${fakeAddress}`
}

async function writeScript(dir: string, name: string, body: string): Promise<string> {
  const file = join(dir, `${name}.sh`)
  await writeFile(file, `#!/bin/sh\n${body}\n`, { mode: 0o755 })
  return file
}

function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`
}
