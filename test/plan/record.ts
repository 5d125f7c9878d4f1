/**
 * Records the trees of all statements in test/plan/golden and writes what the emitter makes of them back into the scripts:
 * `node dist/test/plan/record.js`, then read the diff.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { DIALECT } from '../../server/sql/dialect-lookup.ts'
import {
  contextOf,
  describeBoth,
  emitRecorded,
  readRecordedTrees,
  readSchemaFixture,
  writeRecording,
} from './emit-fixture.ts'
import { printGoldenCases, readGoldenScripts, treeKey } from './golden-script.ts'
import { PLAN_TESTS, SCHEMA_QUERY, type SchemaRows } from './schema-fixture.ts'
import { findPostgres, startPostgres, type ThrowawayPostgres } from './throwaway-postgres.ts'

async function main(): Promise<void> {
  const bin = findPostgres()
  if (bin === undefined) throw new Error('no PostgreSQL here')
  const server = await startPostgres(bin)
  try {
    await record(server)
  } finally {
    await server.stop()
  }
  rewrite()
}

async function record(server: ThrowawayPostgres): Promise<void> {
  await server.rows(readFileSync(fixture('schema.sql'), 'utf8'))
  for (const file of readdirSync(fixture('clients')).sort()) {
    const schema = file.replace('.sql', '')
    await server.rows(`CREATE SCHEMA ${schema}; SET search_path = ${schema}`)
    await server.rows(readFileSync(fixture(`clients/${file}`), 'utf8'))
  }
  const [row] = await server.rows(SCHEMA_QUERY)
  const trees: Record<string, string> = {}
  for (const script of readGoldenScripts()) {
    await server.rows(`SET search_path = ${script.schema}`)
    for (const golden of script.cases) {
      trees[treeKey(script, golden)] = await treeOf(server, golden.statement)
    }
  }
  writeRecording({ schema: JSON.parse(row?.[0] ?? '') as SchemaRows, trees })
}

async function treeOf(server: ThrowawayPostgres, statement: string): Promise<string> {
  try {
    return (await server.analyse(statement, [])).tree
  } catch (error) {
    throw new Error(`${statement}: ${String(error)}`, { cause: error })
  }
}

function rewrite(): void {
  const schema = readSchemaFixture()
  const trees = readRecordedTrees()
  for (const script of readGoldenScripts()) {
    const cases = script.cases.map((golden) => {
      const tree = trees[treeKey(script, golden)] ?? ''
      const production = emitRecorded(tree, contextOf(schema, 'production', DIALECT))
      const emulator = emitRecorded(tree, contextOf(schema, 'emulator', DIALECT))
      return { ...golden, expected: describeBoth(production, emulator) }
    })
    writeFileSync(script.path, printGoldenCases(cases))
  }
}

function fixture(name: string): string {
  return fileURLToPath(new URL(`fixtures/${name}`, PLAN_TESTS))
}

await main()
