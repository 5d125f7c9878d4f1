import {
  checkFreeName,
  checkNewName,
  type DdlCursor,
  type DdlPlan,
  invalidDdl,
  nameArray,
  quoteText,
  unsupportedDdl,
} from './ddl-cursor.ts'

/** After CREATE CHANGE STREAM. */
export function translateCreateChangeStream(cursor: DdlCursor): DdlPlan {
  const isConditional = cursor.profile === 'production' && cursor.accept('if', 'not', 'exists')
  const stream = cursor.name()
  checkNewName('Change Stream', stream.name)
  const name = quoteText(stream.name)
  const scope = cursor.accept('for') ? readScope(cursor, name) : NOTHING
  const options = cursor.accept('with') ? readOptions(cursor, 'CREATE') : []
  cursor.end()
  return {
    skipIf: isConditional
      ? `SELECT EXISTS (SELECT FROM _spanner_meta.change_streams WHERE name = ${name})`
      : undefined,
    statements: [
      checkFreeName(stream),
      `INSERT INTO _spanner_meta.change_streams VALUES (${name}, ${scope.tracksAll})`,
      ...scope.statements,
      ...options.flatMap((option) => setOption(name, option)),
    ],
  }
}

/** After ALTER CHANGE STREAM. */
export function translateAlterChangeStream(cursor: DdlCursor): DdlPlan {
  const name = quoteText(cursor.name().name)
  const statements = [`SELECT _spanner.find_change_stream(${name})`, ...readAction(cursor, name)]
  cursor.end()
  return { statements }
}

/** After DROP CHANGE STREAM. */
export function translateDropChangeStream(cursor: DdlCursor): DdlPlan {
  const isConditional = cursor.profile === 'production' && cursor.accept('if', 'exists')
  const name = quoteText(cursor.name().name)
  cursor.end()
  return {
    statements: [
      ...(isConditional ? [] : [`SELECT _spanner.find_change_stream(${name})`]),
      `DELETE FROM _spanner_meta.change_streams WHERE name = ${name}`,
    ],
  }
}

/** What a stream watches: the statements say it, for a stream that watches nothing. */
interface Scope {
  readonly tracksAll: boolean
  readonly statements: readonly string[]
}

const NOTHING: Scope = { tracksAll: false, statements: [] }

function readAction(cursor: DdlCursor, name: string): string[] {
  if (cursor.accept('drop', 'for', 'all')) return watch(name, NOTHING)
  if (cursor.accept('set', 'for')) return watch(name, readScope(cursor, name))
  if (cursor.accept('set'))
    return readOptions(cursor, 'ALTER').flatMap((option) => setOption(name, option))
  cursor.expect('reset')
  return cursor
    .columnList()
    .map(
      (option) =>
        `DELETE FROM _spanner_meta.change_stream_options WHERE stream = ${name} AND name = ${quoteText(option)}`,
    )
}

function watch(name: string, { tracksAll, statements }: Scope): string[] {
  return [
    `DELETE FROM _spanner_meta.change_stream_tables WHERE stream = ${name}`,
    `UPDATE _spanner_meta.change_streams SET tracks_all = ${tracksAll} WHERE name = ${name}`,
    ...statements,
  ]
}

function readScope(cursor: DdlCursor, name: string): Scope {
  if (cursor.accept('all')) return { tracksAll: true, statements: [] }
  const statements: string[] = []
  do {
    const table = cursor.name()
    const columns = readColumns(cursor)
    statements.push(
      `SELECT _spanner.track(${name}, ${quoteText(table.sql)}, ${quoteText(table.shown)}, ${columns})`,
    )
  } while (cursor.accept(','))
  return { tracksAll: false, statements }
}

/** `(a, b)`; `()` is the key alone; without parentheses it is all columns. */
function readColumns(cursor: DdlCursor): string {
  if (!cursor.sees('(')) return 'NULL'
  return nameArray(cursor.accept('(', ')') ? [] : cursor.columnList())
}

type Option = readonly [name: string, value: string]

const VALUE_TYPES = ['OLD_AND_NEW_VALUES', 'NEW_ROW', 'NEW_VALUES', 'NEW_ROW_AND_OLD_VALUES']
const EXCLUSIONS = [
  'exclude_ttl_deletes',
  'exclude_insert',
  'exclude_update',
  'exclude_delete',
  'allow_txn_exclusion',
]
const DAY_SECONDS = 86_400
const UNIT_SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3_600, d: DAY_SECONDS }

function readOptions(cursor: DdlCursor, verb: 'CREATE' | 'ALTER'): Option[] {
  return cursor.elements().map((element) => {
    const option = element.identifier()
    element.expect('=')
    const { kind, text } = element.next()
    element.end()
    const value = kind === 'string' ? text.slice(1, -1).replaceAll("''", "'") : text
    checkOption(option, value, verb)
    return [option, value]
  })
}

function checkOption(option: string, value: string, verb: string): void {
  if (option === 'retention_period') {
    const [, number, unit = ''] = /^(\d+)([smhd])$/.exec(value) ?? []
    const seconds = Number(number) * (UNIT_SECONDS[unit] ?? Number.NaN)
    if (seconds >= DAY_SECONDS && seconds <= 7 * DAY_SECONDS) return
    throw unsupportedDdl(
      `Invalid retention_period: ${value}. Change Streams retention period must be a value in the range [24h, 7d].`,
    )
  }
  if (option === 'value_capture_type') {
    if (VALUE_TYPES.includes(value)) return
    throw unsupportedDdl(
      `Invalid value_capture_type: ${value}. Change Streams only support value capture types in OLD_AND_NEW_VALUES, NEW_ROW, and NEW_VALUES.`,
    )
  }
  if (!EXCLUSIONS.includes(option))
    throw invalidDdl(
      `Invalid change stream option '${option}' in <${verb} CHANGE STREAM> statement.`,
    )
}

function setOption(name: string, [option, value]: Option): string[] {
  return [
    `INSERT INTO _spanner_meta.change_stream_options VALUES (${name}, ${quoteText(option)}, ${quoteText(value)}) ` +
      'ON CONFLICT (stream, name) DO UPDATE SET value = excluded.value',
  ]
}
