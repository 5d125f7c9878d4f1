import { type BackendError, type BackendFailure, INTERLEAVING } from '../backend/backend-error.ts'
import { PgError } from '../base/pg-error.ts'
import { SQL_STATE } from '../base/sql-state.ts'
import { CITEXT } from '../types/user-type.ts'
import {
  findRangeError,
  type KeyColumn,
  type KnownKey,
  keyText,
  quoteIfNeeded,
  rowText,
  toPlainPgError,
} from './backend-words.ts'
import type { Column, ColumnDomain, Constraint, LogicalSchema, Table } from './logical-schema.ts'

type Failure<K extends BackendFailure['kind']> = Extract<BackendFailure, { kind: K }>

/** VARHDRSZ: what typmod of varchar(n) and char(n) adds to n. */
const VARLENA_HEADER_BYTES = 4
const BPCHAR = 1042

/** What a statement writes. */
export interface Written {
  readonly table: Table
  /** The only row, in PostgreSQL's text form by column of the table; undefined where it is not known. */
  readonly row: readonly (string | null)[] | undefined
}

/**
 * A failed statement in PostgreSQL's words: code, message, detail and the fields that name schema, table, column and
 * constraint (src/backend/access/nbtree/nbtinsert.c, src/backend/executor/execMain.c, src/backend/utils/adt/ri_triggers.c).
 * `written` is what the statement writes: the emulator's duplicate keys name no table, and Spanner never says which row failed.
 */
export function toPgError(error: BackendError, schema: LogicalSchema, written?: Written): PgError {
  const { failure } = error
  switch (failure.kind) {
    case 'unique-violation':
      return uniqueViolation(failure, { error, schema, written })
    case 'foreign-key-violation':
      return foreignKeyViolation(failure, { error, schema, written })
    case 'not-null-violation':
      return notNullViolation(failure, { error, schema, written })
    case 'check-violation':
      return checkViolation(failure, { error, schema, written })
    case 'string-too-long':
      return stringTooLong(failure, error, schema)
    default:
      return toPlainPgError(error)
  }
}

interface Case {
  readonly error: BackendError
  readonly schema: LogicalSchema
  readonly written: Written | undefined
}

function findTable(schema: LogicalSchema, physicalName: string | undefined): Table | undefined {
  return physicalName === undefined ? undefined : schema.tablesByPhysicalName.get(physicalName)
}

/** Constraints of one physical name are unique in a named schema; an index may come with its schema. */
function isNamed(physicalName: string, wanted: string): boolean {
  return physicalName === wanted || wanted.endsWith(`.${physicalName}`)
}

function keyColumns(table: Table, attributes: readonly number[]): KeyColumn[] {
  return attributes.map(
    (attribute) =>
      table.columns.find((column) => column.attribute === attribute) ?? { name: '', typeOid: 0 },
  )
}

function uniqueViolation(
  failure: Failure<'unique-violation'>,
  { error, schema, written }: Case,
): PgError {
  const found =
    failure.index === undefined
      ? primaryKeyOf(findTable(schema, failure.table) ?? written?.table)
      : findUnique(failure.index, [
          ...tablesFirst(schema, findTable(schema, failure.table) ?? written?.table),
        ])
  if (found === undefined) return toPlainPgError(error)
  const key = keyText(keyColumns(found.table, found.columns), {
    ...(isOfCitext(found) ? {} : failure),
    written: writtenKey(written, found.table, found.columns),
  })
  return new PgError(
    SQL_STATE.uniqueViolation,
    `duplicate key value violates unique constraint "${found.name}"`,
    {
      detail: key === undefined ? undefined : `Key ${key} already exists.`,
      schema: found.table.schema,
      table: found.table.name,
      constraint: found.name,
      cause: error,
    },
  )
}

/** Spanner tells such a key in lower case. */
function isOfCitext({ table, columns }: FoundKey): boolean {
  return table.columns.some(
    ({ attribute, typeOid }) => typeOid === CITEXT && columns.includes(attribute),
  )
}

interface FoundKey {
  readonly table: Table
  readonly name: string
  readonly columns: readonly number[]
}

function primaryKeyOf(table: Table | undefined): FoundKey | undefined {
  const key = table?.constraints.find((constraint) => constraint.type === 'primary-key')
  return table === undefined || key === undefined
    ? undefined
    : { table, name: key.name, columns: key.columns }
}

/** The likeliest table first: names of indexes repeat in other schemas. */
function* tablesFirst(schema: LogicalSchema, likely: Table | undefined): Iterable<Table> {
  if (likely !== undefined) yield likely
  yield* schema.tablesByPhysicalName.values()
}

function findUnique(index: string, tables: readonly Table[]): FoundKey | undefined {
  for (const table of tables) {
    const named = [
      ...table.constraints.filter((constraint) => constraint.type === 'unique'),
      ...table.indexes,
    ].find((candidate) => isNamed(candidate.physicalName, index))
    if (named !== undefined) return { table, name: named.name, columns: named.columns }
  }
  return undefined
}

function foreignKeyViolation(
  failure: Failure<'foreign-key-violation'>,
  { error, schema, written }: Case,
): PgError {
  const found = findForeignKey(failure, schema)
  if (found === undefined) return toPlainPgError(error)
  const { table, constraint, target } = found
  const known = { ...failure, ...parentKey(failure, constraint) }
  const [message, detail] =
    failure.side === 'referencing'
      ? [
          `insert or update on table "${table.name}" violates foreign key constraint "${constraint.name}"`,
          keyDetail(
            keyColumns(table, constraint.columns),
            { ...known, written: writtenKey(written, table, constraint.columns) },
            `is not present in table "${target.name}".`,
          ),
        ]
      : [
          `update or delete on table "${target.name}" violates foreign key constraint "${constraint.name}" on table "${table.name}"`,
          keyDetail(
            keyColumns(target, constraint.referencedColumns),
            known,
            `is still referenced from table "${table.name}".`,
          ),
        ]
  return new PgError(SQL_STATE.foreignKeyViolation, message, {
    detail,
    schema: table.schema,
    table: table.name,
    constraint: constraint.name,
    cause: error,
  })
}

/** Of a row that is interleaved Spanner tells the whole key: the parent's is what it begins with. */
function parentKey(
  { constraint: name, key }: Failure<'foreign-key-violation'>,
  constraint: Constraint,
): KnownKey {
  if (name !== INTERLEAVING || key === undefined) return {}
  return { key: key.slice(0, constraint.columns.length) }
}

function keyDetail(columns: readonly KeyColumn[], key: KnownKey, rest: string): string | undefined {
  const text = keyText(columns, key)
  return text === undefined ? undefined : `Key ${text} ${rest}`
}

/** The referencing table is always named; the constraint not by production where a referenced row goes. */
function findForeignKey(
  failure: Failure<'foreign-key-violation'>,
  schema: LogicalSchema,
): { table: Table; constraint: Constraint; target: Table } | undefined {
  const table = findTable(schema, failure.table)
  const keys = (table?.constraints ?? []).filter(({ type }) => type === 'foreign-key')
  const { constraint: wanted } = failure
  const named =
    wanted === undefined ? undefined : keys.find((key) => isNamed(key.physicalName, wanted))
  const constraint = named ?? (keys.length === 1 ? keys[0] : undefined)
  const target = schema.relations.get(constraint?.referencedTable ?? 0)
  if (table === undefined || constraint === undefined || target?.kind !== 'table') return undefined
  return { table, constraint, target }
}

function findColumn(
  table: Table | undefined,
  physicalName: string | undefined,
): Column | undefined {
  return table?.columns.find((column) => column.physical.name === physicalName)
}

function notNullViolation(
  failure: Failure<'not-null-violation'>,
  { error, schema, written }: Case,
): PgError {
  const table = findTable(schema, failure.table) ?? written?.table
  const column = findColumn(table, failure.column)
  if (table === undefined || column === undefined) return toPlainPgError(error)
  if (column.domain?.notNull === true) return nullInDomain(column.domain, error)
  return new PgError(
    SQL_STATE.notNullViolation,
    `null value in column "${column.name}" of relation "${table.name}" violates not-null constraint`,
    {
      detail: failingRow(written, table),
      schema: table.schema,
      table: table.name,
      column: column.name,
      cause: error,
    },
  )
}

function checkViolation(
  failure: Failure<'check-violation'>,
  { error, schema, written }: Case,
): PgError {
  const range = findRangeError(failure.constraint, error)
  if (range !== undefined) return range
  const table = findTable(schema, failure.table)
  const constraint = table?.constraints.find(
    ({ type, physicalName }) => type.endsWith('check') && physicalName === failure.constraint,
  )
  if (table === undefined || constraint === undefined) return toPlainPgError(error)
  const { domain } =
    table.columns.find(({ attribute }) => attribute === constraint.columns[0]) ?? {}
  if (constraint.type === 'domain-check' && domain !== undefined)
    return domainViolation(domain, constraint, error)
  return new PgError(
    SQL_STATE.checkViolation,
    `new row for relation "${table.name}" violates check constraint "${constraint.name}"`,
    {
      detail: failingRow(written, table),
      schema: table.schema,
      table: table.name,
      constraint: constraint.name,
      cause: error,
    },
  )
}

/** ExecEvalConstraintNotNull of src/backend/executor/execExprInterp.c. */
function nullInDomain(domain: ColumnDomain, cause: BackendError): PgError {
  return new PgError(
    SQL_STATE.notNullViolation,
    `domain ${domainText(domain)} does not allow null values`,
    { schema: domain.schema, dataType: domain.name, cause },
  )
}

/** ExecEvalConstraintCheck. */
function domainViolation(domain: ColumnDomain, { name }: Constraint, cause: BackendError): PgError {
  return new PgError(
    SQL_STATE.checkViolation,
    `value for domain ${domainText(domain)} violates check constraint "${name}"`,
    { schema: domain.schema, dataType: domain.name, constraint: name, cause },
  )
}

/** format_type, under the usual search_path. */
function domainText({ schema, name }: ColumnDomain): string {
  return schema === 'public'
    ? quoteIfNeeded(name)
    : `${quoteIfNeeded(schema)}.${quoteIfNeeded(name)}`
}

function failingRow(written: Written | undefined, table: Table): string | undefined {
  if (written?.row === undefined || written.table !== table) return undefined
  return `Failing row contains ${rowText(written.row)}.`
}

/** The values of some columns in the row that was to be written. */
function writtenKey(
  written: Written | undefined,
  table: Table,
  attributes: readonly number[],
): readonly (string | null)[] | undefined {
  const { row } = written ?? {}
  if (row === undefined || written?.table !== table) return undefined
  return attributes.map(
    (attribute) => row[table.columns.findIndex((column) => column.attribute === attribute)] ?? null,
  )
}

function stringTooLong(
  failure: Failure<'string-too-long'>,
  error: BackendError,
  schema: LogicalSchema,
): PgError {
  const column = findColumn(findTable(schema, failure.table), failure.column)
  const limit =
    failure.limit ?? (column === undefined ? undefined : column.typmod - VARLENA_HEADER_BYTES)
  if (limit === undefined) return toPlainPgError(error)
  const type = column?.typeOid === BPCHAR ? 'character' : 'character varying'
  return new PgError(
    SQL_STATE.stringDataRightTruncation,
    `value too long for type ${type}(${limit})`,
    { cause: error },
  )
}
