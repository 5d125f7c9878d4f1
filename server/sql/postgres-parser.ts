import { setFlagsFromString } from 'node:v8'
import { Bug } from '../base/pg-error.ts'

type PostgresParser = typeof import('libpg-query')

/**
 * What V8's optimising compiler needs for the parser's huge functions, 23 MB and more, malloc never gives back; what it makes is no
 * faster for the texts that clients send (18 us a point SELECT without it, 24 to 30 us with it; 140 and 112 us for 450 characters).
 * The flags count when the module is compiled, so it is imported here and nowhere else.
 */
const BASELINE_COMPILER_ONLY = ['--no-wasm-dynamic-tiering', '--no-wasm-tier-up']

let parser: PostgresParser | undefined

/** Loads PostgreSQL's parser (libpg-query, WebAssembly). Harmless when called again. */
export async function loadParser(): Promise<void> {
  if (parser !== undefined) return
  for (const flag of BASELINE_COMPILER_ONLY) setFlagsFromString(flag)
  const loaded = await import('libpg-query')
  await loaded.loadModule()
  // The first text takes 8 ms, which a start has left over while it waits, and the first client has not.
  loaded.parseSync('select 1')
  parser = loaded
}

/** The parser. {@link loadParser} must have finished. */
export function postgresParser(): PostgresParser {
  if (parser === undefined) throw new Bug('the parser is used before loadParser() has finished')
  return parser
}
