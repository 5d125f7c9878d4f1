import {
  checkFreeName,
  checkNewName,
  type DdlCursor,
  type DdlPlan,
  type ObjectName,
  quoteText,
  unsupportedDdl,
} from './ddl-cursor.ts'

/** Options of a sequence or identity column. */
export interface SequenceOptions {
  readonly hasKind: boolean
  readonly start: string | undefined
  readonly skip: readonly [string, string] | undefined
}

/** After CREATE SEQUENCE. */
export function translateCreateSequence(cursor: DdlCursor): DdlPlan {
  const isConditional = cursor.accept('if', 'not', 'exists')
  const sequence = cursor.name()
  checkNewName('Sequence', sequence.name)
  const options = readSequenceOptions(cursor)
  cursor.end()
  const start = options.start ?? '1'
  const [min, max] = options.skip ?? ['NULL', 'NULL']
  const kind = options.hasKind
    ? `'sequence'`
    : `_spanner.default_kind('sequence', ${quoteText(sequence.shown)})`
  return {
    skipIf: isConditional
      ? `SELECT to_regclass(${quoteText(sequence.sql)}) IS NOT NULL`
      : undefined,
    statements: [
      checkFreeName(sequence),
      `CREATE SEQUENCE ${sequence.sql} START ${start}`,
      `SELECT _spanner.register_sequence(${quoteText(sequence.sql)}::regclass, ${start}, ${min}, ${max}, ${kind})`,
    ],
  }
}

/** After ALTER SEQUENCE. */
export function translateAlterSequence(cursor: DdlCursor): DdlPlan {
  const isConditional = cursor.accept('if', 'exists')
  const sequence = cursor.name()
  cursor.accept('set')
  const hasSkip = cursor.sees('skip') || cursor.sees('no')
  const options = readSequenceOptions(cursor)
  cursor.end()
  const [min, max] = options.skip ?? ['NULL', 'NULL']
  return {
    skipIf: isConditional ? `SELECT to_regclass(${quoteText(sequence.sql)}) IS NULL` : undefined,
    statements: [
      `SELECT _spanner.alter_sequence(_spanner.find_named_sequence(${quoteText(sequence.sql)}, ${quoteText(sequence.shown)}), ` +
        `${options.start ?? 'NULL'}, ${hasSkip}, ${min}, ${max})`,
    ],
  }
}

/** Options of CREATE SEQUENCE and of an identity column, in any order. */
export function readSequenceOptions(cursor: DdlCursor): SequenceOptions {
  let hasKind = false
  let start: string | undefined
  let skip: readonly [string, string] | undefined
  for (;;) {
    if (cursor.accept('bit_reversed_positive')) hasKind = true
    else if (cursor.accept('skip', 'range')) skip = readRange(cursor)
    else if (cursor.accept('no', 'skip', 'range')) skip = undefined
    else if (cursor.accept('start', 'counter') || cursor.accept('restart', 'counter')) {
      cursor.accept('with')
      start = cursor.integer()
    } else if (!cursor.acceptAny(IDLE_OPTIONS)) break
  }
  if (!cursor.isAtEnd && !ENDS.some((word) => cursor.sees(word)))
    throw unsupportedDdl(
      `Optional clause <${cursor.peek()?.value ?? ''}> is not supported in sequence options.`,
    )
  return { hasKind, start, skip }
}

/** Options that say what every sequence is. */
const IDLE_OPTIONS: readonly (readonly string[])[] = [
  ['no', 'cycle'],
  ['no', 'minvalue'],
  ['no', 'maxvalue'],
  ['owned', 'by', 'none'],
]
/** What may follow the options. */
const ENDS = [')', ';', ',']

function readRange(cursor: DdlCursor): readonly [string, string] {
  const from = cursor.integer()
  cursor.accept(',')
  return [from, cursor.integer()]
}

/** After IDENTITY. */
export function readIdentity(cursor: DdlCursor): SequenceOptions {
  if (!cursor.accept('(')) return { hasKind: false, start: undefined, skip: undefined }
  const options = readSequenceOptions(cursor)
  cursor.expect(')')
  return options
}

/** SQL that makes a column an identity column. */
export function addIdentity(table: ObjectName, column: string, options: SequenceOptions): string {
  const [min, max] = options.skip ?? ['NULL', 'NULL']
  const kind = options.hasKind
    ? `'identity'`
    : `_spanner.default_kind('identity', ${quoteText(column)})`
  return `SELECT _spanner.add_identity(${quoteText(table.sql)}::regclass, ${quoteText(column)}, ${options.start ?? '1'}, ${min}, ${max}, ${kind})`
}
