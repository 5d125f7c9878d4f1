import type { BackendError } from '../backend/backend-error.ts'
import { PgError } from '../base/pg-error.ts'
import { SQL_STATE } from '../base/sql-state.ts'
import {
  findRangeError,
  type KeyColumn,
  type KnownKey,
  keyText,
  toPlainPgError,
} from './backend-words.ts'
import type { StoredObject, StoredTable } from './physical-schema.ts'

/**
 * A schema change that failed on the rows that are there, in PostgreSQL's words (src/backend/commands/tablecmds.c
 * ATRewriteTable, src/backend/utils/sort/tuplesortvariants.c). `rows` are those of the schema that was to be; `table` is the
 * physical table of the statement that failed, for failures that name none.
 */
export function toDdlPgError(
  error: BackendError,
  rows: readonly StoredObject[],
  table: string | undefined,
): PgError {
  const { failure } = error
  const find = (name: string | undefined) => findTable(rows, name ?? table)
  switch (failure.kind) {
    case 'unique-violation':
      return uniqueViolation(error, find(failure.table), failure) ?? toPlainPgError(error)
    case 'foreign-key-violation':
      return foreignKeyViolation(error, find(failure.table), failure) ?? toPlainPgError(error)
    case 'not-null-violation':
      return notNullViolation(error, find(failure.table), failure.column) ?? toPlainPgError(error)
    case 'check-violation':
      return (
        findRangeError(failure.constraint, error) ??
        checkViolation(error, find(failure.table), failure.constraint) ??
        toPlainPgError(error)
      )
    default:
      return toPlainPgError(error)
  }
}

function findTable(
  rows: readonly StoredObject[],
  physicalName: string | undefined,
): StoredTable | undefined {
  return rows.find(
    (row): row is StoredTable => row.kind === 'table' && row.physical.name === physicalName,
  )
}

/** The declared name that stands for a physical one. */
function declaredName(
  names: Readonly<Record<string, string>>,
  physicalName: string | undefined,
): string | undefined {
  return Object.entries(names).find(([, physical]) => physical === physicalName)?.[0]
}

function keyColumnsOf({ declared }: StoredTable, names: readonly string[]): KeyColumn[] {
  return names.map((name) => ({
    name,
    typeOid: declared.columns.find((column) => column.name === name)?.typeOid ?? 0,
  }))
}

interface KeyFailure extends KnownKey {
  readonly index?: string
  readonly constraint?: string
}

function uniqueViolation(
  error: BackendError,
  table: StoredTable | undefined,
  failure: KeyFailure,
): PgError | undefined {
  if (table === undefined) return undefined
  const { index } = failure
  const physical = index?.slice(index.lastIndexOf('.') + 1)
  const { constraints, indexes, columns } = table.names
  const name = declaredName(constraints, physical) ?? declaredName(indexes, physical)
  if (name === undefined) return undefined
  const keyColumns = table.physical.indexes.find(
    (candidate) => candidate.name === physical,
  )?.columns
  const lowered = table.physical.columns.flatMap(({ name: column, lowerCaseOf }) =>
    lowerCaseOf === undefined ? [] : [column],
  )
  const isAsWritten = keyColumns?.some((column) => lowered.includes(column.name)) !== true
  const text = keyText(
    keyColumnsOf(
      table,
      (keyColumns ?? []).map((column) => declaredName(columns, column.name) ?? column.name),
    ),
    isAsWritten ? failure : {},
  )
  return new PgError(SQL_STATE.uniqueViolation, `could not create unique index "${name}"`, {
    detail: text === undefined ? undefined : `Key ${text} is duplicated.`,
    schema: table.declared.schema,
    table: table.declared.name,
    constraint: name,
    cause: error,
  })
}

function foreignKeyViolation(
  error: BackendError,
  table: StoredTable | undefined,
  failure: KeyFailure,
): PgError | undefined {
  const name = declaredName(table?.names.constraints ?? {}, failure.constraint)
  const declared = table?.declared.constraints.find((candidate) => candidate.name === name)
  if (table === undefined || declared === undefined) return undefined
  const text = keyText(keyColumnsOf(table, declared.columns), failure)
  return new PgError(
    SQL_STATE.foreignKeyViolation,
    `insert or update on table "${table.declared.name}" violates foreign key constraint "${declared.name}"`,
    {
      detail:
        text === undefined
          ? undefined
          : `Key ${text} is not present in table "${declared.references?.name}".`,
      schema: table.declared.schema,
      table: table.declared.name,
      constraint: declared.name,
      cause: error,
    },
  )
}

function notNullViolation(
  error: BackendError,
  table: StoredTable | undefined,
  column: string | undefined,
): PgError | undefined {
  const name = declaredName(table?.names.columns ?? {}, column)
  if (table === undefined || name === undefined) return undefined
  const { notNull } = table.declared.columns.find((declared) => declared.name === name) ?? {}
  // Else it is the column's domain that demands it (src/backend/commands/typecmds.c, AlterDomainNotNull).
  const kind = notNull === true ? 'relation' : 'table'
  return new PgError(
    SQL_STATE.notNullViolation,
    `column "${name}" of ${kind} "${table.declared.name}" contains null values`,
    { schema: table.declared.schema, table: table.declared.name, column: name, cause: error },
  )
}

function checkViolation(
  error: BackendError,
  table: StoredTable | undefined,
  constraint: string | undefined,
): PgError | undefined {
  const domainCheck = table?.physical.checks.find((check) => check.name === constraint)?.ofDomain
  if (table !== undefined && domainCheck !== undefined)
    return domainViolation(error, table, domainCheck.column)
  const name = declaredName(table?.names.constraints ?? {}, constraint)
  if (table === undefined || name === undefined) return undefined
  return new PgError(
    SQL_STATE.checkViolation,
    `check constraint "${name}" of relation "${table.declared.name}" is violated by some row`,
    { schema: table.declared.schema, table: table.declared.name, constraint: name, cause: error },
  )
}

/** validateDomainConstraint of src/backend/commands/typecmds.c. */
function domainViolation(error: BackendError, { declared }: StoredTable, column: string): PgError {
  return new PgError(
    SQL_STATE.checkViolation,
    `column "${column}" of table "${declared.name}" contains values that violate the new constraint`,
    { schema: declared.schema, table: declared.name, column, cause: error },
  )
}
