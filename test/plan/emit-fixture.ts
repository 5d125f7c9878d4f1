import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { gunzipSync, gzipSync } from 'node:zlib'
import type { Capabilities } from '../../server/backend/capabilities.ts'
import { PgError } from '../../server/base/pg-error.ts'
import type { DialectTable, EmitContext } from '../../server/plan/emission.ts'
import { emitPushdown } from '../../server/plan/emit-pushdown.ts'
import { NotPushable } from '../../server/plan/not-pushable.ts'
import type { ParamSource, PushdownRoute, SequenceDraws } from '../../server/plan/plan.ts'
import type { LogicalSchema } from '../../server/schema/logical-schema.ts'
import { findTypeName } from '../../server/sql/builtin-catalog.ts'
import { readQueryTree } from '../../server/sql/query-tree-reader.ts'
import { PLAN_TESTS, type SchemaRows, toLogicalSchema } from './schema-fixture.ts'

/** Production Spanner as documented, and the official emulator 1.5.28 as measured. */
export const PROFILES: Readonly<Record<'production' | 'emulator', Capabilities>> = {
  production: {
    concurrentWrites: true,
    survivesStatementError: true,
    forUpdate: true,
    uuidType: true,
    interval: true,
    distinctFrom: true,
    generateSeries: true,
    jsonbFunctions: true,
    aggregateOrderBy: true,
    safeNumericKeysAndNullFloats: true,
    partitionedDml: true,
    sequenceStateIsNext: false,
    repeatableRead: true,
  },
  emulator: {
    concurrentWrites: false,
    survivesStatementError: false,
    forUpdate: false,
    uuidType: false,
    interval: false,
    distinctFrom: false,
    generateSeries: false,
    jsonbFunctions: false,
    aggregateOrderBy: false,
    safeNumericKeysAndNullFloats: false,
    partitionedDml: false,
    sequenceStateIsNext: true,
    repeatableRead: false,
  },
}

/** What record.ts keeps: the client's objects, and the tree texts of all statements by their key (golden-script.ts). */
export interface Recording {
  readonly schema: SchemaRows
  readonly trees: Readonly<Record<string, string>>
}

const RECORDING = fileURLToPath(new URL('fixtures/recording.json.gz', PLAN_TESTS))

function readRecording(): Recording {
  return JSON.parse(gunzipSync(readFileSync(RECORDING)).toString()) as Recording
}

export function writeRecording(recording: Recording): void {
  writeFileSync(RECORDING, gzipSync(JSON.stringify(recording), { level: 9 }))
}

export function readRecordedTrees(): Recording['trees'] {
  return readRecording().trees
}

/** The logical schema that the trees were recorded with. */
export function readSchemaFixture(): LogicalSchema {
  return toLogicalSchema(readRecording().schema)
}

export type Emitted =
  | { readonly kind: 'route'; readonly route: PushdownRoute }
  | { readonly kind: 'refused'; readonly text: string }

/** Emits a recorded statement for one profile. */
export function emitRecorded(tree: string, context: EmitContext): Emitted {
  const [query] = readQueryTree(tree)
  if (query === undefined) return { kind: 'refused', text: 'no query' }
  try {
    return { kind: 'route', route: emitPushdown(query, context) }
  } catch (error) {
    if (error instanceof NotPushable)
      return { kind: 'refused', text: `not pushable: ${error.reason}` }
    if (error instanceof PgError)
      return { kind: 'refused', text: `error ${error.code}: ${error.message}` }
    throw error
  }
}

export function contextOf(
  schema: LogicalSchema,
  profile: keyof typeof PROFILES,
  dialect: DialectTable,
): EmitContext {
  const settings = { timeZone: 'UTC', dateStyle: 'ISO, MDY' }
  return { schema, capabilities: PROFILES[profile], dialect, settings }
}

/** What a golden script says about a statement: production's form, and the emulator's where it differs. */
export function describeBoth(production: Emitted, emulator: Emitted): string {
  const one = describe(production)
  const other = describe(emulator)
  return one === other ? one : `${one}\nemulator:\n${other}`
}

function describe(emitted: Emitted): string {
  if (emitted.kind === 'refused') return emitted.text
  const { route } = emitted
  return [
    route.sql,
    ...route.params.map((source, i) => `$${i + 1}: ${describeSource(source, route)}`),
    ...(route.computed === undefined
      ? []
      : [`companion: ${route.computed.text}`, ...describeComputedParams(route)]),
    ...(route.columns.length === 0 ? [] : [`=> ${route.columns.map(describeColumn).join(', ')}`]),
    ...(route.again === undefined
      ? []
      : [
          `again: ${route.again.sql}`,
          `bound then, as row.column: ${route.again.params
            .map(({ row, column }) => `${row + 1}.${column + 1}`)
            .join(', ')}`,
        ]),
    ...(route.draws === undefined ? [] : describeDraws(route.draws)),
    ...(route.locksRows ? ['locks rows'] : []),
    ...(route.isOrdered ? ['ordered'] : []),
  ].join('\n')
}

function describeDraws({ sql, sequences }: SequenceDraws): readonly string[] {
  const drawn = sequences.map(({ column, row }) => {
    if (column === undefined) return 'unseen'
    return `column ${column + 1}${row === undefined ? '' : ` of row ${row.index + 1}`}`
  })
  const returning = / RETURNING .*$/.exec(sql)?.[0] ?? ''
  return [`draws: ${drawn.join(', ')}${returning}`]
}

function describeSource(source: ParamSource, _route: PushdownRoute): string {
  if (source.kind === 'transaction-start') return 'transaction start'
  const counts = source.countsRows === undefined ? '' : `, ${source.countsRows}`
  const type = `${typeName(source.typeOid)}${counts}`
  return source.kind === 'client'
    ? `client $${source.number} ${type}`
    : `companion column ${source.index + 1} ${type}`
}

function describeComputedParams({ computed }: PushdownRoute): readonly string[] {
  return (computed?.paramNumbers ?? []).map((number, i) => {
    const type = typeName(computed?.paramTypes[i] ?? 0)
    return `companion $${i + 1}: ${number === 0 ? 'transaction start' : `client $${number}`} ${type}`
  })
}

function describeColumn(column: { readonly typeOid: number; readonly typmod: number }): string {
  return `${typeName(column.typeOid)}${column.typmod === -1 ? '' : `(${column.typmod})`}`
}

function typeName(oid: number): string {
  return findTypeName(oid) ?? String(oid)
}
